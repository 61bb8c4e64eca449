"""Access log: one line per response, with the name of its route."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOGGER = logging.getLogger(__name__)
UNKNOWN_PATH = "(unknown path)"


class AccessLog:
    """Logs the method, route and status of each response.

    The route is looked up in the app's router, also for refused requests, so that every route
    is logged by name. Other data of clients is not logged: it could be secret.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_name(scope["app"].routes, scope)

        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                _LOGGER.info("%s %s: %d", scope["method"], path, message["status"])
            await send(message)

        await self._app(scope, receive, logged)


def route_name(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Return the path of the matching route, with the names of its parameters.

    A route that does not support the method of the request matches too.
    """
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            return route.path
    return UNKNOWN_PATH
