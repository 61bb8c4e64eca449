"""Routes of the Speak page: ``/``, its texts and its files. They are open, and hold no data."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.relay.guard import with_page_headers
from vieneu_colab_server.relay.pages.routes import page_files, page_routes


def speak_page_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    made = page_routes(page_files("speak"))
    return [Route(route.path, _Protected(route.app), methods=["GET"]) for route in made]


class _Protected:
    """Adds the headers that protect a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, with_page_headers(scope, send))
