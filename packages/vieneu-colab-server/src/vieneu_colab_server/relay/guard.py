"""Guard of the admin's paths: a session's cookie for pages, the admin token for programs."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.middleware.auth import bearer_token
from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.relay.ingress import is_ingress
from vieneu_colab_server.relay.login import AdminAccount, LoginRefusedError
from vieneu_colab_server.tokens.guess_throttling import Guesses
from vieneu_core.errors import VieneuError

ADMIN_API = "/api"
"""Prefix of the admin's API, below the path of the admin's app."""
SESSION_COOKIE = "vieneu_admin"
_LOGIN_KEY = "vieneu_login_holds"
_MAX_COOKIE_CHARS = 4_096
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    # Nothing is loaded from elsewhere, and no other page may frame or read this one.
    b"default-src 'self'; frame-ancestors %b; base-uri 'none';"
    b" form-action 'self'; img-src 'self' data:; media-src 'self' blob:"
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store, no-transform",
    b"x-accel-buffering": b"no",
}


class PageGuard(ABC):
    """Checks each request, and adds the headers that protect a browser to its answer.

    Requests of Home Assistant's ingress need no login of ours.

    Args:
        app: Gets the requests that pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        protected = with_page_headers(scope, send)
        try:
            if is_ingress(scope):  # Home Assistant has checked who it is
                check_origin(scope["method"], Headers(scope=scope))
            else:
                await self._check(scope)
        except VieneuError as error:
            await problem_response(error)(scope, receive, protected)
            return
        await self._app(scope, receive, protected)

    @abstractmethod
    async def _check(self, scope: Scope) -> None:
        """Raise a `VieneuError` for a request that may not pass."""


class AdminGuard(PageGuard):
    """Lets only the admin through, and adds the headers that protect the admin's browser.

    A request with a session that changes something must come from a page of this service: browsers
    state the origin of such requests (Fetch standard, 3.2.5), and another one is refused. With an
    open session no token matters: some proxies add one of their own.

    Args:
        app: Gets the admin's requests.
        account: Knows sessions and token.
        guesses: Slow down who tries tokens.
        open_paths: Paths that need no login.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        account: AdminAccount,
        guesses: Guesses,
        open_paths: frozenset[str],
    ) -> None:
        super().__init__(app)
        self._account, self._guesses = account, guesses
        self._open_paths = open_paths

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        is_ours = _is_harmless(scope["method"], headers)
        session = session_of(headers)
        if is_ours and self._account.has_session(session):
            scope[_LOGIN_KEY] = functools.partial(self._account.still_has_session, session)
            return
        token = bearer_token(scope["headers"])
        if token is not None:
            await self._guesses.check(
                scope,
                token,
                is_right=self._account.accepts_token,
                wrong=LoginRefusedError("The admin token is wrong."),
            )
            return
        check_origin(scope["method"], headers)
        if scope["path"].removeprefix(scope.get("root_path", "")) in self._open_paths:
            return
        raise LoginRefusedError(
            "You are not logged in.", remedy="Log in, or send the admin token as a bearer token."
        )


def login_holds(scope: Scope) -> bool:
    """Return whether the session of a request, which a guard let through, is open still."""
    holds = scope.get(_LOGIN_KEY)
    return holds is None or bool(holds())


def check_origin(method: str, headers: Headers) -> None:
    """Check that a request that changes something does not come from a page of another site.

    Raises:
        LoginRefusedError: it does.
    """
    if _is_harmless(method, headers):
        return
    raise LoginRefusedError(
        "The request comes from a page of another site.",
        remedy="Open the page of this service, and try again there.",
    )


def session_of(headers: Headers, cookie: str = SESSION_COOKIE) -> str:
    """Return the session that a browser sent; empty where it sent none."""
    try:
        cookies = SimpleCookie(headers.get("cookie", "")[:_MAX_COOKIE_CHARS])
    except CookieError:
        return ""
    found = cookies.get(cookie)
    return "" if found is None else found.value


def _is_harmless(method: str, headers: Headers) -> bool:
    return method in _SAFE_METHODS or _is_same_origin(headers)


def _is_same_origin(headers: Headers) -> bool:
    # What the browser itself says holds also behind a proxy that passes on another Host; it says
    # so on https:// and on the machine itself (Fetch Metadata, 2).
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"none", "same-origin"}
    origin = headers.get("origin")
    # A program sends neither; a browser always sends an origin with a change.
    return origin is None or _host_in(origin) == headers.get("host", "")


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as http://[::1
        return None


def with_page_headers(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds the headers that protect a browser, unless they are given.

    Home Assistant shows the pages of ingress in a frame of its own, which has the same origin.
    """
    framed_by = b"'self'" if is_ingress(scope) else b"'none'"
    all_headers = {b"content-security-policy": _POLICY % framed_by, **_HEADERS}

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(name, value) for name, value in all_headers.items() if name not in given]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return protected
