"""Routes of the Speak page: ``/``, its texts and its files. They are open, and hold no data."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.relay.guard import with_page_headers
from vieneu_colab_server.relay.pages.routes import index_file, page_routes, page_texts

STATIC = "/static/speak"
_PAGE = "speak"


def speak_page_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    # StaticFiles answers with files only, and a wheel is always unpacked.
    folder = Path(str(files("vieneu_colab_server.relay.pages.speak"))) / "static"
    static = _Protected(StaticFiles(directory=folder))
    made = page_routes((index_file(_PAGE), page_texts(_PAGE)))
    return [
        *(Route(route.path, _Protected(route.app), methods=["GET"]) for route in made),
        Mount(STATIC, static),
    ]


class _Protected:
    """Adds the headers that protect a browser, and lets it ask for changes at each visit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        protected = with_page_headers(scope, send)

        async def revalidated(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Without it a browser guesses how long a file of an older version is good.
                other = [pair for pair in message["headers"] if pair[0] != b"cache-control"]
                headers = [*other, (b"cache-control", b"no-cache")]
                message = {**message, "headers": headers}
            await protected(message)

        await self._app(scope, receive, revalidated)
