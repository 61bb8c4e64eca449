"""Authentication: a bearer token, compared in constant time before the body is read."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.tokens.guess_throttling import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_core.errors import AuthenticationError
from vieneu_core.wire.routes import DRAIN, OPEN_PATHS, ROTATE_TOKEN, VOICES


def bearer_token(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return the token of the only ``Authorization`` header, or None."""
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].strip().partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


class BearerAuth:
    """Passes on only requests with a valid token: one for speech, or for its paths the admin's.

    The answer to a wrong token is always 401. Of a client that sends many, it comes later and
    later; a valid token is never throttled.
    """

    def __init__(self, app: ASGIApp, *, tokens: TokenRotation, guesses: Guesses) -> None:
        self._app = app
        self._tokens = tokens
        self._guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await problem_response(refusal)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> AuthenticationError | None:
        """Return why a request may not pass; None if it may."""
        token = bearer_token(scope["headers"])
        remedy = "Send the server's current token: Authorization: Bearer <token>"
        if token is None:
            return AuthenticationError("The request has no token.", remedy=remedy)
        wrong = AuthenticationError("The token is wrong.", remedy=remedy)
        try:
            await self._guesses.check(
                scope, token, is_right=lambda token: self._accepts(token, scope), wrong=wrong
            )
        except AuthenticationError as refusal:
            return refusal
        return None

    def _accepts(self, token: bytes, scope: Scope) -> bool:
        if self._tokens.accepts(token):
            return True
        return _is_for_admin(scope["path"]) and self._tokens.is_admins(token)


def _is_for_admin(path: str) -> bool:
    return path in {ROTATE_TOKEN, DRAIN} or path.startswith(f"{VOICES}/")
