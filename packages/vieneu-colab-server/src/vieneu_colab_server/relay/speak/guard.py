"""Guard of the Speak page's API: a session's cookie instead of the token."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from fastapi import Request, Response
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.middleware.rate_limit import CLIENT_KEY
from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.relay.guard import PageGuard, check_origin, session_of
from vieneu_colab_server.relay.login import LoginRefusedError
from vieneu_colab_server.relay.speak.ended_sessions import SESSION_S
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_core.errors import RequestError

SPEAK_API = "/speak/api"
SPEAK_COOKIE = "vieneu_speak"
# What the app of the server may see of a request that was made to another one.
_ASGI_KEYS = frozenset(
    {"type", "asgi", "http_version", "method", "scheme", "query_string", "client", "server"}
    | {"extensions", "state"}
)


class SpeakGuard(PageGuard):
    """Lets only requests of an open session through, and none of another site's pages.

    Args:
        app: Gets these requests.
        sessions: Know the sessions.
        open_paths: Paths that need no session.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: SpeakSessions, open_paths: frozenset[str]
    ) -> None:
        super().__init__(app)
        self._sessions = sessions
        self._open_paths = open_paths

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        check_origin(scope["method"], headers)
        if path_in(scope) in self._open_paths:
            return
        if not self._sessions.is_open(session_of(headers, SPEAK_COOKIE)):
            raise LoginRefusedError(
                "You are not logged in.", remedy="Enter the token for speech on the Speak page."
            )


class ForwardedServer:
    """The server's own API for requests of a session: the token is put in here.

    Each session is a client of its own for the rate limits, wherever its browser is.

    Only listed paths are reachable: a user of the page is no admin.

    Args:
        server: The app of the server.
        token: Returns its current token.
        allowed: Whether a method and a path may be used.
    """

    def __init__(
        self,
        server: Starlette,
        *,
        token: Callable[[], SecretStr],
        allowed: Callable[[str, str], bool],
    ) -> None:
        self._server = server
        self.routes = server.routes
        """What the access log names."""
        self._token = token
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = path_in(scope)
        if not self._allowed(scope["method"], path):
            refusal = RequestError("There is nothing at this path.")
            await problem_response(refusal)(scope, receive, send)
            return
        removed = {b"authorization", b"cookie"}
        given = [(name, value) for name, value in scope["headers"] if name.lower() not in removed]
        token = f"Bearer {self._token().get_secret_value()}".encode()
        forwarded = {
            **{key: value for key, value in scope.items() if key in _ASGI_KEYS},
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "headers": [*given, (b"authorization", token)],
            CLIENT_KEY: _client_of_session(session_of(Headers(scope=scope), SPEAK_COOKIE)),
        }
        await self._server(forwarded, receive, send)


def _client_of_session(session: str) -> str:
    return f"session {hashlib.sha256(session.encode(errors='replace')).hexdigest()[:32]}"


def path_in(scope: Scope) -> str:
    """Return the path of a request below the app that gets it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def open_in_browser(
    sessions: SpeakSessions, request: Request, response: Response, *, admin_session: str = ""
) -> None:
    """Let the browser of a request use the Speak page from now on.

    Args:
        sessions: Make the session.
        request: The request of the browser.
        response: Gets the cookie.
        admin_session: The session of the admin whose browser it is.
    """
    response.set_cookie(
        SPEAK_COOKIE,
        sessions.open(admin_session=admin_session).get_secret_value(),
        max_age=SESSION_S,
        path=cookie_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


async def end_session(sessions: SpeakSessions, request: Request) -> None:
    """End the session whose cookie a browser sent, and each copy of it."""
    await asyncio.to_thread(sessions.end, session_of(request.headers, SPEAK_COOKIE))


def remove_cookie(request: Request, response: Response) -> None:
    """Let a browser forget its session, which goes on where it was not ended."""
    response.delete_cookie(SPEAK_COOKIE, path=cookie_path(request))


def cookie_path(request: Request) -> str:
    """Return the only path that needs the cookie."""
    outside: str = request.scope.get("app_root_path", "")
    return f"{outside}{SPEAK_API}"
