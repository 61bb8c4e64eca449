"""Login of the admin: a password that the admin chooses, sessions, and a token for programs.

There is no default password: until one is chosen, only a one-time code, printed at the start of the
service, opens the page. What is kept on disk is a salted hash (scrypt, RFC 7914).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vieneu_colab_server.middleware.rate_limit import PerMinute
from vieneu_core.clock import Clock
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import AuthenticationError, ConfigurationError, InvalidRequestError
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json

CODE_VALID_S = 3_600.0
SESSION_IDLE_S = 12 * 3_600.0
"""A session ends after so long without a request."""
OVERLAP_S = 30.0
"""For so long the session that chose a new password is still accepted beside its new one."""
MOST_SESSIONS = 64
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
LOGINS_PER_MINUTE = 10
"""Of one client; passwords and codes are counted apart."""
_MAX_FILE_BYTES = 16_384
# 16 MiB and some 50 ms for each guess (OWASP Password Storage Cheat Sheet).
_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


class LoginRefusedError(AuthenticationError):
    """The password, the code or the token is wrong."""

    code = "login_refused"
    title = "Login refused"
    default_remedy = "Try again; or get a new code on the machine: vieneu-relay --login-code"


class WeakPasswordError(InvalidRequestError):
    """The password that was chosen cannot be used."""

    code = "weak_password"
    title = "Password not accepted"
    default_remedy = "Choose another one."


@dataclass(frozen=True, slots=True)
class _Kept:
    """Content of the file."""

    token_sha256: str
    salt: str = ""
    password_scrypt: str = ""


class AdminAccount:
    """The one admin of a relay.

    Args:
        path: The file of the account; private to its owner.
        clock: Time.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        # Apart: wrong tokens of a program must not keep the admin's password out.
        self._passwords, self._codes = (PerMinute(LOGINS_PER_MINUTE) for _ in range(2))
        self._code: tuple[bytes, float] | None = None
        self._sessions: dict[bytes, float] = {}
        self._replaced = (b"", 0.0)
        self._writing, self._using = threading.Lock(), threading.Lock()
        """Of the file, and of the sessions, for which no request waits until a disk has written."""
        self._kept = _read(path)

    @property
    def has_password(self) -> bool:
        """Whether a password was chosen."""
        return bool(self._kept and self._kept.password_scrypt)

    @property
    def password_id(self) -> bytes:
        """What differs for each password that was chosen, and tells nothing of it."""
        return _digest(self._kept.salt if self._kept else "")

    def open(self) -> SecretStr | None:
        """Make the account where there is none; return its token, which is shown this once.

        Blocking.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        if self._kept is not None:
            return None
        return self.new_token()

    def new_token(self) -> SecretStr:
        """Make a new token for programs; the former one ends. Blocking.

        Raises:
            ConfigurationError: it cannot be kept; the former one stays.
        """
        token = new_auth_token()
        digest = hashlib.sha256(token.get_secret_value().encode()).hexdigest()
        with self._writing:
            before = self._kept or _Kept("")
            self._write(_Kept(digest, before.salt, before.password_scrypt))
        return token

    def new_code(self) -> SecretStr:
        """Make a code that opens one session within an hour; a former code ends."""
        code = SecretStr(secrets.token_urlsafe(16))
        digest = _digest(code.get_secret_value())
        self._code = digest, self._clock.monotonic() + CODE_VALID_S
        return code

    def log_in_with_code(self, code: str, *, client: str = "") -> SecretStr:
        """Spend the one-time code; return a session.

        Raises:
            LoginRefusedError: the code is wrong, spent or too old.
            RateLimitedError: there were too many wrong ones of this client.
        """
        expected, valid_until_s = self._code or (b"", 0.0)
        is_right = hmac.compare_digest(_digest(code), expected)
        if not is_right or self._clock.monotonic() > valid_until_s:
            self._codes.hit("logins", client)
            raise LoginRefusedError("The login code is wrong, was used before or is too old.")
        self._code = None
        with self._using:
            return self._new_session()

    def log_in(self, password: str, *, client: str = "") -> SecretStr:
        """Check the password; return a session. Blocking: hashing takes some 50 ms.

        Raises:
            LoginRefusedError: the password is wrong, or none was chosen yet.
            RateLimitedError: there were too many attempts of this client.
        """
        self._passwords.hit("logins", client)
        kept = self._kept
        if kept is None or not kept.password_scrypt or len(password) > MAX_PASSWORD_CHARS:
            raise LoginRefusedError("The password is wrong.")
        given = _hash(password, bytes.fromhex(kept.salt))
        with self._using:
            is_current = self._kept is not None and self._kept.salt == kept.salt
            if is_current and hmac.compare_digest(given, bytes.fromhex(kept.password_scrypt)):
                return self._new_session()
        raise LoginRefusedError("The password is wrong.")  # or another was chosen meanwhile

    def set_password(self, password: str, *, session: str = "") -> SecretStr:
        """Choose the password; return a new session. All others end. Blocking.

        Args:
            password: The password.
            session: The session that chooses it, if there is one. It is accepted for `OVERLAP_S`
                more, for the requests that its page sends before it has the new one.

        Raises:
            WeakPasswordError: it is too short or too long.
            ConfigurationError: it cannot be kept; the former one stays.
        """
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise WeakPasswordError(
                Translatable(
                    "The password must have {least} to {most} characters.",
                    least=MIN_PASSWORD_CHARS,
                    most=MAX_PASSWORD_CHARS,
                )
            )
        salt = secrets.token_bytes(16)
        hashed = _hash(password, salt).hex()
        with self._writing:
            token = self._kept.token_sha256 if self._kept else ""
            self._write(_Kept(token, salt.hex(), hashed))
            with self._using:
                chooses = self._is_open(session)
                until_s = self._clock.monotonic() + OVERLAP_S
                self._replaced = (_digest(session), until_s) if chooses else (b"", 0.0)
                self._sessions = {}
                return self._new_session()

    def has_session(self, session: str) -> bool:
        """Whether a session is open; it stays so for another `SESSION_IDLE_S`."""
        digest = _digest(session)
        with self._using:
            is_open = self._is_open(session)
            if is_open and digest in self._sessions:  # one that was replaced ends at its time
                self._sessions[digest] = self._clock.monotonic() + SESSION_IDLE_S
            return is_open

    def still_has_session(self, session: str) -> bool:
        """Whether a session is open; it does not stay so for longer."""
        with self._using:
            return self._is_open(session)

    def _is_open(self, session: str) -> bool:
        now_s, digest = self._clock.monotonic(), _digest(session)
        replaced, until_s = self._replaced
        is_replaced = digest == replaced and now_s < until_s
        return is_replaced or self._sessions.get(digest, 0.0) > now_s

    def log_out(self, session: str) -> None:
        """End a session; without effect on one that has ended."""
        with self._using:
            self._sessions.pop(_digest(session), None)
            self._replaced = (b"", 0.0)

    def accepts_token(self, token: bytes) -> bool:
        """Whether this is the token for programs."""
        given = hashlib.sha256(token).hexdigest()
        return self._kept is not None and hmac.compare_digest(given, self._kept.token_sha256)

    def _new_session(self) -> SecretStr:
        now_s = self._clock.monotonic()
        self._sessions = {key: end for key, end in self._sessions.items() if end > now_s}
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(min(self._sessions, key=lambda key: self._sessions[key]))
        session = SecretStr(secrets.token_urlsafe(32))
        self._sessions[_digest(session.get_secret_value())] = now_s + SESSION_IDLE_S
        return session

    def _write(self, kept: _Kept) -> None:
        content: dict[str, Any] = {
            "token_sha256": kept.token_sha256,
            "salt": kept.salt,
            "password_scrypt": kept.password_scrypt,
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(content, indent=1), mode=PRIVATE)
        except OSError as error:
            raise ConfigurationError(
                Translatable(
                    "The file of the admin account {path} cannot be written: {reason}.",
                    path=self._path,
                    reason=error.strerror or error,
                ),
                remedy=(
                    "Make its folder writable, and free space on its disk;"
                    " or name another one: --state"
                ),
            ) from error
        self._kept = kept


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(errors="replace"), salt=salt, **_SCRYPT)


def _read(path: Path) -> _Kept | None:
    """Return the account in a file; None where there is no file.

    Raises:
        ConfigurationError: it cannot be read, or is damaged.
    """
    try:
        content = read_json(path, max_bytes=_MAX_FILE_BYTES)
        kept = _Kept(*(str(content[name]) for name in ("token_sha256", "salt", "password_scrypt")))
        bytes.fromhex(kept.salt + kept.password_scrypt)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            Translatable("The file of the admin account {path} cannot be read.", path=path),
            remedy="Remove it: the next start makes a new account and prints a code.",
        ) from error
    return kept
