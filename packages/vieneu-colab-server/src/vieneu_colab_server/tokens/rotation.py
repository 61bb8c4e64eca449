"""Rotation of the token: the current one, and for a while the previous one."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from vieneu_core.clock import Clock
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import AdminTokenRequiredError, AuthenticationError

OLD_TOKEN_S = 600.0
"""Seconds for which the previous token stays valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTokens:
    """Tokens beside the one that is rotated."""

    is_admin: Callable[[bytes], bool] | None = None
    """Whether this is the admin token. None: there is none, and the rotated token may do all."""
    speech: Sequence[SecretStr] = ()
    """Further tokens for speech."""


class TokenRotation:
    """Checks tokens in constant time, and rotates one of them.

    Args:
        token: The first token.
        clock: Clock of the validity.
        keep: Stores a new token before it becomes valid, to survive a restart; None stores nothing.
        others: The admin token, and further tokens for speech.
    """

    def __init__(
        self,
        token: SecretStr,
        clock: Clock,
        *,
        keep: Callable[[SecretStr], None] | None = None,
        others: OtherTokens = OtherTokens(),
    ) -> None:
        self._clock, self._keep = clock, keep
        self._is_admin = others.is_admin
        self._speech = tuple(map(_digest_of, others.speech))
        self._token = token
        self._was_used = True
        self._old: tuple[bytes, float] | None = None
        self._rotating = threading.Lock()

    @property
    def current(self) -> SecretStr:
        """The current token."""
        return self._token

    def accepts(self, token: bytes | None) -> bool:
        """Return whether a token is valid for speech."""
        given, current = _digest(token or b""), self._token
        is_current = hmac.compare_digest(given, _digest_of(current))
        if is_current and current is self._token:  # not rotated meanwhile, by another thread
            self._was_used = True
        if self._is_old(given) or is_current:
            return True
        return self._number_of(given) is not None

    def may_change_things(self, token: bytes | None) -> bool:
        """Return whether a token may use the admin routes.

        Where there is an admin token, that alone may. Otherwise the current one may. The previous
        one may not: whoever stole it must not lock the owner out. But until the current one has
        been used, the response with it may have been lost, and then the owner has only the previous
        one.
        """
        if self._is_admin is not None:
            return self.is_admins(token)
        given = _digest(token or b"")
        is_current = hmac.compare_digest(given, _digest_of(self._token))
        return is_current or (not self._was_used and self._is_old(given))

    def check_admin(self, token: bytes | None) -> None:
        """Check that a valid token may use the admin routes.

        Raises:
            AdminTokenRequiredError: it is one for speech.
            AuthenticationError: it is the previous one.
        """
        if self.may_change_things(token):
            return
        if self._is_admin is not None or not self._is_old(_digest(token or b"")):
            raise AdminTokenRequiredError("This needs the admin token of the server.")
        raise AuthenticationError(
            "This needs the current token.", remedy="Send the current token of the server."
        )

    def owner_of(self, token: bytes | None) -> str | None:
        """Return a name for who uses a token, the same after a rotation; None: the admin."""
        if self.is_admins(token):
            return None
        number = self._number_of(_digest(token or b""))
        if number is None:
            return "" if self._is_admin is not None or self._speech else None
        return self._speech[number].hex()

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

    def is_admins(self, token: bytes | None) -> bool:
        """Return whether this is the admin token."""
        return self._is_admin is not None and token is not None and self._is_admin(token)

    def _number_of(self, given: bytes) -> int | None:
        """Return which of the further tokens for speech this is; each one is compared."""
        same = [hmac.compare_digest(given, each) for each in self._speech]
        return same.index(True) if True in same else None

    def _is_old(self, given: bytes) -> bool:
        if self._old is None:
            return False
        digest, until_s = self._old
        return hmac.compare_digest(given, digest) and self._clock.monotonic() < until_s


def only(admin_token: SecretStr) -> Callable[[bytes], bool]:
    """Return what tells an admin token from all others, in constant time."""
    digest = _digest_of(admin_token)
    return lambda token: hmac.compare_digest(_digest(token), digest)


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _digest_of(token: SecretStr) -> bytes:
    return _digest(token.get_secret_value().encode())
