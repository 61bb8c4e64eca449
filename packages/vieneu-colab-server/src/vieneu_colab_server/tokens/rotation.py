"""Rotation of the token: the current one, and for a while the previous one."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable

from pydantic import SecretStr

from vieneu_core.clock import Clock
from vieneu_core.credentials import new_auth_token

OLD_TOKEN_S = 600.0
"""Seconds for which the previous token stays valid."""


class TokenRotation:
    """Checks tokens in constant time, and rotates them.

    Args:
        token: The first token.
        clock: Clock of the validity.
        keep: Stores a new token before it becomes valid, to survive a restart; None stores nothing.
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
        self._rotating = threading.Lock()

    @property
    def current(self) -> SecretStr:
        """The current token."""
        return self._token

    def accepts(self, token: bytes | None) -> bool:
        """Return whether a token is valid."""
        given, current = _digest(token or b""), self._token
        is_current = hmac.compare_digest(given, _digest_of(current))
        if is_current and current is self._token:  # not rotated meanwhile, by another thread
            self._was_used = True
        return self._is_old(given) or is_current

    def may_change_things(self, token: bytes | None) -> bool:
        """Return whether a token may use the admin routes.

        The current one may. The previous one may not: whoever stole it must not lock the owner out.
        But until the current one has been used, the response with it may have been lost, and
        then the owner has only the previous one.
        """
        given = _digest(token or b"")
        is_current = hmac.compare_digest(given, _digest_of(self._token))
        return is_current or (not self._was_used and self._is_old(given))

    def rotate(self) -> SecretStr:
        """Return a new token, valid from now on; the current one becomes the previous one.

        Blocking. Of several at once, the last one that is stored is the valid one.

        Raises:
            TokenNotKeptError: it cannot be stored; nothing has changed.
        """
        token = new_auth_token()
        with self._rotating:
            if self._keep is not None:
                self._keep(token)
            self._old = _digest_of(self._token), self._clock.monotonic() + OLD_TOKEN_S
            self._was_used = False
            self._token = token
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
