"""App of the relay's admin: the page, its API, and who may use it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from vieneu_colab_server import __version__
from vieneu_colab_server.app import Service
from vieneu_colab_server.middleware.access_log import AccessLog
from vieneu_colab_server.middleware.body_limit import BodyLimit
from vieneu_colab_server.openapi import describe_problems
from vieneu_colab_server.problems import add_error_handlers, translate_problems
from vieneu_colab_server.relay.address_updates import ADDRESS
from vieneu_colab_server.relay.guard import ADMIN_API, AdminGuard
from vieneu_colab_server.relay.login import AdminAccount
from vieneu_colab_server.relay.login_routes import LOGIN_PATHS
from vieneu_colab_server.relay.pages.routes import page_files, page_routes
from vieneu_colab_server.settings import ServerSettings

ADMIN_PAGE = "admin"
MAX_ADMIN_BODY_BYTES = 4 * 1024 * 1024
"""A clip of a voice as base64."""


def admin_app(
    settings: ServerSettings, account: AdminAccount, service: Service, apis: Sequence[APIRouter]
) -> FastAPI:
    """Return the app of the admin, whose APIs are below `ADMIN_API`."""
    files = page_files(ADMIN_PAGE)
    open_paths = frozenset(
        {
            *(f"{ADMIN_API}{path}" for path in (*LOGIN_PATHS, ADDRESS)),
            *(file.path for file in files),
        }
    )
    app = FastAPI(
        title="VieNeu Relay, administration",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(AccessLog),
            Middleware(AdminGuard, account=account, guesses=service.guesses, open_paths=open_paths),
            Middleware(
                BodyLimit,
                max_bytes=MAX_ADMIN_BODY_BYTES,
                timeout_s=settings.body_timeout_s,
                max_total_bytes=settings.max_total_body_bytes,
            ),
        ],
    )
    for routes in apis:
        # include_router wraps a router as a whole: the access log could not name its routes.
        app.routes.extend(routes.routes)
    app.routes.extend(page_routes(files))
    add_error_handlers(app)
    translate_problems(app)
    describe_problems(app)
    return app
