"""The token that is good now, and for a while the one before it."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr

from vieneu_colab_server.settings import generate_token
from vieneu_core.clock import Clock

OLD_TOKEN_S = 600.0
"""How long the token before the present one stays good."""


class TokenRing:
    """Holds digests only; compares in constant time.

    Args:
        token: The first one.
        clock: Time.
    """

    def __init__(self, token: SecretStr, clock: Clock) -> None:
        self._clock = clock
        self._current = _digest(token.get_secret_value().encode())
        self._old: tuple[bytes, float] | None = None

    def accepts(self, token: bytes | None) -> bool:
        """Whether a token is good."""
        given = _digest(token or b"")
        current = hmac.compare_digest(given, self._current)
        return self._is_old(given) or current

    def is_current(self, token: bytes | None) -> bool:
        """Whether a token is the present one."""
        return hmac.compare_digest(_digest(token or b""), self._current)

    def rotate(self) -> SecretStr:
        """Return a new token, good from now on; the present one becomes the old one."""
        token = generate_token()
        self._old = self._current, self._clock.monotonic() + OLD_TOKEN_S
        self._current = _digest(token.encode())
        return SecretStr(token)

    def _is_old(self, given: bytes) -> bool:
        if self._old is None:
            return False
        digest, until_s = self._old
        return hmac.compare_digest(given, digest) and self._clock.monotonic() < until_s


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
