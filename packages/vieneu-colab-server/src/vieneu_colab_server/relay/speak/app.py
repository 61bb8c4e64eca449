"""App of the Speak page's API: its own routes, and those of the server that a user may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware

from vieneu_colab_server import __version__
from vieneu_colab_server.app import Service
from vieneu_colab_server.middleware.access_log import AccessLog
from vieneu_colab_server.problems import add_error_handlers
from vieneu_colab_server.relay.jobs.routes import JOBS
from vieneu_colab_server.relay.speak.guard import ForwardedServer, SpeakGuard
from vieneu_colab_server.relay.speak.routes import OPEN_SPEAK_PATHS, speak_routes
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_colab_server.relay.speak.speech_file import SpeechFileLimit, speech_file_routes
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.wire.routes import STREAM, VOICES

_ALLOWED = frozenset({("GET", VOICES), ("POST", STREAM)})


def create_speak_api(
    settings: ServerSettings,
    service: Service,
    server: Starlette,
    sessions: SpeakSessions,
    *,
    voices_version: Callable[[], Awaitable[str]],
) -> FastAPI:
    """Make the app; it is mounted at `guard.SPEAK_API`.

    Args:
        settings: Limits.
        service: Parts of the server.
        server: The server's app; it checks its token and its rate limits as for other clients.
        sessions: Sessions of the page.
        voices_version: Returns what differs once other voices may be usable.
    """
    app = FastAPI(
        title="VieNeu Relay, Speak page",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(AccessLog),
            Middleware(SpeakGuard, sessions=sessions, open_paths=OPEN_SPEAK_PATHS),
            Middleware(
                SpeechFileLimit,
                max_bytes=settings.max_body_bytes,
                timeout_s=settings.body_timeout_s,
                max_total_bytes=settings.max_total_body_bytes,
                unlimited=(VOICES, STREAM, JOBS),
            ),
        ],
    )
    own = speak_routes(sessions, service, settings, voices_version=voices_version)
    for routes in (own, speech_file_routes()):
        app.routes.extend(routes.routes)
    app.mount("/", ForwardedServer(server, token=lambda: sessions.token, allowed=_is_allowed))
    add_error_handlers(app)
    return app


def _is_allowed(method: str, path: str) -> bool:
    return (method, path) in _ALLOWED or path == JOBS or path.startswith(f"{JOBS}/")
