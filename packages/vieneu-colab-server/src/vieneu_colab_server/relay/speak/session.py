"""Sessions of the Speak page. They are signed: a restart of the relay ends none.

Only those that a log-out has ended are stored. Those of admins are signed for the admin's password
too: a new one ends them all, also those that a restart of the relay has forgotten.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.types import Scope

from vieneu_colab_server.relay.login import LoginRefusedError
from vieneu_colab_server.relay.speak.ended_sessions import SESSION_S, EndedSessions
from vieneu_colab_server.tokens.guess_throttling import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_core.clock import Clock

_PURPOSE = b"session of the Speak page"
_PURPOSE_OF_ADMIN = b"session of an admin on the Speak page"
_OF_ADMIN = b"admin who uses the Speak page"
_SESSION = re.compile(r"(\d{1,12})\.([\w-]{1,40})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Session:
    """A session that was made here, whose time is not over."""

    own_id: str
    ends_at: int
    of_admin: bool


class SpeakSessions:
    """Sessions of users who know the token for speech; all of them end when it is replaced.

    Args:
        tokens: Know the token.
        clock: Calendar time of the end of a session.
        guesses: Slow down who tries tokens.
        ended: Knows the sessions that were ended before their time.
        password_id: Returns what differs for each password of the admin.
    """

    def __init__(
        self,
        tokens: TokenRotation,
        clock: Clock,
        *,
        guesses: Guesses,
        ended: EndedSessions,
        password_id: Callable[[], bytes],
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._guesses = guesses
        self._ended = ended
        self._password_id = password_id

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

    def open(self, *, admin_session: str = "") -> SecretStr:
        """Return a new session.

        Args:
            admin_session: The session of an admin who gets it: `end_of_admin` ends it too, and so
                does a new password.
        """
        own_id = _id_of_admin(admin_session) if admin_session else secrets.token_urlsafe(16)
        content = f"{self._now() + SESSION_S}.{own_id}"
        signature = self._signature(content, of_admin=bool(admin_session))
        return SecretStr(f"{content}.{signature}")

    def is_open(self, session: str) -> bool:
        """Whether a session was made here, with the current token, and has not ended."""
        known = self._known(session)
        return known is not None and not self._ended.has(known.own_id, known.ends_at)

    def end(self, session: str) -> None:
        """End a session, and each copy of it; without effect on one that is not open. Blocking."""
        known = self._known(session)
        if known is not None and known.of_admin:
            self._ended.add_of_admin(known.own_id, known.ends_at)
        elif known is not None:
            self._ended.add(known.own_id, known.ends_at)

    def end_of_admin(self, admin_session: str) -> None:
        """End the session that was opened for that of an admin, and each copy of it. Blocking."""
        self._ended.add_of_admin(_id_of_admin(admin_session), self._now() + SESSION_S)

    def _known(self, session: str) -> _Session | None:
        """Return a session; None where it is none, or its time is over."""
        parts = _SESSION.fullmatch(session)
        if parts is None:
            return None
        ends_at, own_id, signature = parts.groups()
        if int(ends_at) <= self._clock.now().timestamp():
            return None
        for of_admin in (False, True):
            expected = self._signature(f"{ends_at}.{own_id}", of_admin=of_admin)
            if hmac.compare_digest(signature, expected):
                return _Session(own_id, int(ends_at), of_admin)
        return None

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _signature(self, content: str, *, of_admin: bool) -> str:
        purpose = _PURPOSE_OF_ADMIN + self._password_id() if of_admin else _PURPOSE
        key = hmac.digest(self.token.get_secret_value().encode(), purpose, hashlib.sha256)
        return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def _id_of_admin(admin_session: str) -> str:
    """Return the id of the session for an admin's: known to who knows that one, which it hides."""
    digest = hmac.digest(admin_session.encode(errors="replace"), _OF_ADMIN, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()
