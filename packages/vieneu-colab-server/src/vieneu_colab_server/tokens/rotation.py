"""The token that is good now, and for a while the one before it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from pydantic import SecretStr

from vieneu_core.clock import Clock
from vieneu_core.config import new_auth_token

OLD_TOKEN_S = 600.0
"""How long the token before the present one stays good."""


class TokenRotation:
    """Compares in constant time, and shows the token to nobody but who signs with it.

    Args:
        token: The first one.
        clock: Time.
        keep: Keeps a new token before it counts, so that it is still good after a restart; None
            keeps it nowhere.
    """

    def __init__(
        self,
        token: SecretStr,
        clock: Clock,
        *,
        keep: Callable[[SecretStr], None] | None = None,
    ) -> None:
        self._clock, self._keep = clock, keep
        self._token = token
        self._was_used = True
        self._old: tuple[bytes, float] | None = None

    @property
    def current(self) -> SecretStr:
        """The present token."""
        return self._token

    def accepts(self, token: bytes | None) -> bool:
        """Whether a token is good."""
        given = _digest(token or b"")
        is_current = hmac.compare_digest(given, _digest_of(self._token))
        self._was_used |= is_current
        return self._is_old(given) or is_current

    def may_change_things(self, token: bytes | None) -> bool:
        """Whether a token may do more than speak.

        The present one may. The one before it may not: whoever stole it shall not lock the house
        out. But until the present one has been used, the answer that held it may have been lost on
        its way, and then the one before it is all that the house has.
        """
        given = _digest(token or b"")
        is_current = hmac.compare_digest(given, _digest_of(self._token))
        return is_current or (not self._was_used and self._is_old(given))

    def rotate(self) -> SecretStr:
        """Return a new token, good from now on; the present one becomes the old one.

        Raises:
            TokenNotKeptError: it cannot be kept, and nothing has changed.
        """
        token = new_auth_token()
        if self._keep is not None:
            self._keep(token)
        self._old = _digest_of(self._token), self._clock.monotonic() + OLD_TOKEN_S
        self._token, self._was_used = token, False
        return token

    def _is_old(self, given: bytes) -> bool:
        if self._old is None:
            return False
        digest, until_s = self._old
        return hmac.compare_digest(given, digest) and self._clock.monotonic() < until_s


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _digest_of(token: SecretStr) -> bytes:
    return _digest(token.get_secret_value().encode())
