"""App of the relay: the server's app over the router, and the admin's app beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from vieneu_colab_server import __version__
from vieneu_colab_server.app import create_app
from vieneu_colab_server.middleware.access_log import AccessLog
from vieneu_colab_server.middleware.body_limit import BodyLimit
from vieneu_colab_server.problems import add_error_handlers
from vieneu_colab_server.relay.admin_api import ADDRESS, admin_routes
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.event_stream import EventHistory
from vieneu_colab_server.relay.guard import AdminGuard
from vieneu_colab_server.relay.login import AdminAccount
from vieneu_colab_server.relay.login_routes import LOGIN_PATHS, login_routes
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.clock import Clock, SystemClock

ADMIN_PATH = "/relay"
API_PATH = "/api"
MAX_ADMIN_BODY_BYTES = 4 * 1024 * 1024
"""A clip of a voice as base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParts:
    """What the relay app serves."""

    administration: Administration
    account: AdminAccount


def create_relay_app(
    settings: ServerSettings, parts: RelayParts, *, clock: Clock | None = None
) -> Starlette:
    """Make the app of the relay; it loads the router, and closes it at its end.

    Clients of vieneu-server are clients of it: its paths, and its token, are the server's. The
    admin's paths are below `ADMIN_PATH`.
    """
    clock = clock or SystemClock()
    administration = parts.administration
    server = create_app(settings, administration.router, clock=clock)
    lifecycle = server.state.service.lifecycle
    events = EventHistory(
        administration.router, clock=clock, is_stopping=lambda: lifecycle.draining
    )
    admin = _admin_app(settings, parts, events)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with server.router.lifespan_context(server):
            following = asyncio.create_task(administration.follow(), name="follow-settings")
            try:
                yield
            finally:
                following.cancel()
                await asyncio.wait({following})
                events.close()
        await administration.aclose()  # the router is closed by now

    app = Starlette(routes=[Mount(ADMIN_PATH, admin), Mount("/", server)], lifespan=lifespan)
    app.state.service = server.state.service
    return app


def _admin_app(settings: ServerSettings, parts: RelayParts, events: EventHistory) -> FastAPI:
    open_paths = frozenset(f"{API_PATH}{path}" for path in (*LOGIN_PATHS, ADDRESS))
    app = FastAPI(
        title="VieNeu Relay, administration",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(AccessLog),
            Middleware(AdminGuard, account=parts.account, open_paths=open_paths),
            Middleware(
                BodyLimit, max_bytes=MAX_ADMIN_BODY_BYTES, timeout_s=settings.body_timeout_s
            ),
        ],
    )
    for routes in (login_routes(parts.account), admin_routes(parts.administration, events)):
        app.include_router(routes, prefix=API_PATH)
    add_error_handlers(app)
    return app
