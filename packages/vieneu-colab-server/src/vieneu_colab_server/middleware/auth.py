"""Authentication: a bearer token, compared in constant time before the body is read."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.middleware.rate_limit import PerMinute, client_of
from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_core.errors import AuthenticationError, VieneuError
from vieneu_core.wire.routes import OPEN_PATHS


def bearer_token(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return the token of the only ``Authorization`` header, or None."""
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].strip().partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


class BearerAuth:
    """Passes on only requests with a valid token.

    Wrong tokens are counted for each client; above the limit they get 429 instead of 401. A valid
    token is checked first and never throttled.
    """

    def __init__(self, app: ASGIApp, *, tokens: TokenRotation, failures: PerMinute) -> None:
        self._app = app
        self._tokens = tokens
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except VieneuError as error:
            await problem_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        token = bearer_token(scope["headers"])
        if self._tokens.accepts(token):
            return
        self._failures.hit("failed logins", client_of(scope))
        raise AuthenticationError(
            "The request has no token." if token is None else "The token is wrong.",
            remedy="Send the server's current token: Authorization: Bearer <token>",
        )
