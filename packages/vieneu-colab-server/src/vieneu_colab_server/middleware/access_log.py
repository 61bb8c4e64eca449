"""Access log: one line per response, with the name of its route."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOGGER = logging.getLogger(__name__)
UNKNOWN_PATH = "(unknown path)"
_LOGGED = "vieneu_access_logged"
"""Entry in the state of a request whose response is logged."""


class AccessLog:
    """Logs the method, route and status of each response.

    The route is looked up in the app's router, also for refused requests, so that every route
    is logged by name. Other data of clients is not logged: it could be secret. Where apps with
    such a log are mounted in one another, the one that is nearest to the response logs it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_name(scope["app"].routes, scope)
        state = scope.setdefault("state", {})

        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start" and _LOGGED not in state:
                state[_LOGGED] = True
                _LOGGER.info("%s %s: %d", scope["method"], path, message["status"])
            await send(message)

        await self._app(scope, receive, logged)


def route_name(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Return the path of the matching route, with the names of its parameters.

    A route that does not support the method of the request matches too. The path begins with
    those of the mounts around it; what is mounted without routes, such as files, has one name.
    """
    for route in routes:
        match, child_scope = route.matches(scope)
        if match is Match.NONE:
            continue
        if isinstance(route, Route):
            return _mounted_at(scope) + route.path
        if isinstance(route, Mount):
            inside = {**scope, **child_scope}
            return route_name(route.routes, inside) if route.routes else _files_at(route, scope)
    return UNKNOWN_PATH


def _files_at(mount: Mount, scope: Scope) -> str:
    return _mounted_at(scope) + mount.path_format


def _mounted_at(scope: Scope) -> str:
    """Return the path of the mounts around an app; the one that a proxy removed is no part."""
    path: str = scope.get("root_path", "")
    return path.removeprefix(scope.get("app_root_path", path))
