"""Sessions of the Speak page. They are signed, not stored: a restart of the relay ends none."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from pydantic import SecretStr
from starlette.types import Scope

from vieneu_colab_server.relay.login import LoginRefusedError
from vieneu_colab_server.tokens.guesses import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_core.clock import Clock

SESSION_S = 30 * 24 * 3_600
"""A session ends after so long; then the token is entered again."""
_PURPOSE = b"session of the Speak page"
_SESSION = re.compile(r"(\d{1,12}\.[\w-]{1,40})\.([0-9a-f]{64})", re.ASCII)


class SpeakSessions:
    """Sessions of users who know the token for speech; all of them end when it is replaced.

    Args:
        tokens: Know the token.
        clock: Calendar time of the end of a session.
        guesses: Slow down who tries tokens.
    """

    def __init__(self, tokens: TokenRotation, clock: Clock, *, guesses: Guesses) -> None:
        self._tokens = tokens
        self._clock = clock
        self._guesses = guesses

    @property
    def token(self) -> SecretStr:
        """The current token for speech, which stays on this machine."""
        return self._tokens.current

    async def check_token(self, token: str, scope: Scope) -> None:
        """Check the token for speech of a request.

        Raises:
            AuthenticationError: the token is wrong, or was not checked after too many wrong ones.
        """
        wrong = LoginRefusedError(
            "The token is wrong.",
            remedy="Enter the token for speech. The relay prints where it is kept when it starts.",
        )
        given = token.strip().encode(errors="replace")
        await self._guesses.check(scope, given, is_right=self._tokens.accepts, wrong=wrong)

    def open(self) -> SecretStr:
        """Return a new session."""
        ends_at = int(self._clock.now().timestamp()) + SESSION_S
        content = f"{ends_at}.{secrets.token_urlsafe(16)}"
        return SecretStr(f"{content}.{self._signature(content)}")

    def is_open(self, session: str) -> bool:
        """Whether a session was made here, with the current token, and has not ended."""
        parts = _SESSION.fullmatch(session)
        if parts is None or not hmac.compare_digest(parts[2], self._signature(parts[1])):
            return False
        return int(parts[1].partition(".")[0]) > self._clock.now().timestamp()

    def _signature(self, content: str) -> str:
        key = hmac.digest(self.token.get_secret_value().encode(), _PURPOSE, hashlib.sha256)
        return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()
