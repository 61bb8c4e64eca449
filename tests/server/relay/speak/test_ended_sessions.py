"""Record of ended sessions of the Speak page: none opens again, and no other one ends."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from pathlib import Path

import pytest
from fake_clock import FakeClock
from pydantic import SecretStr
from server_site import TOKEN

from vieneu_colab_server.relay.login import LoginRefusedError
from vieneu_colab_server.relay.speak.ended_sessions import MOST_KEPT, SESSION_S, EndedSessions
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_colab_server.tokens.guess_throttling import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation


class Relay:
    """What a relay knows of its sessions; another one on the same file is its next start."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        self.tokens = TokenRotation(SecretStr(TOKEN), clock)
        self.password_id = b"a password"
        self.sessions = SpeakSessions(
            self.tokens,
            clock,
            guesses=Guesses(clock, per_minute=20),
            ended=EndedSessions(path, clock),
            password_id=lambda: self.password_id,
        )

    def open(self, admin_session: str = "") -> str:
        return self.sessions.open(admin_session=admin_session).get_secret_value()

    def is_open(self, session: str) -> bool:
        return self.sessions.is_open(session)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ended.json"


def n_kept(path: Path) -> int:
    content = json.loads(path.read_text("utf-8"))
    return len(content["sessions"]) + len(content["spans"])


async def test_a_session_ends_with_its_time_and_with_the_token(
    path: Path, clock: FakeClock
) -> None:
    relay = Relay(path, clock)
    session = relay.open()
    assert relay.is_open(session)
    again = Relay(path, clock)
    assert again.is_open(session), "a restart ends no session"
    ends_at, nonce, signature = session.split(".")
    assert not relay.is_open(f"{int(ends_at) + 1}.{nonce}.{signature}")
    assert not relay.is_open("")
    relay.tokens.rotate()
    assert not relay.is_open(session)
    await clock.advance(SESSION_S + 1)
    assert not again.is_open(session)


async def test_only_the_token_is_accepted(path: Path, clock: FakeClock) -> None:
    sessions = Relay(path, clock).sessions
    scope = {"type": "http", "client": ("192.0.2.1", 1)}
    for wrong in ("", TOKEN[:-1], "\ud800"):
        with pytest.raises(LoginRefusedError):
            await sessions.check_token(wrong, scope)
    await sessions.check_token(TOKEN, scope)


def test_what_is_no_session_ends_none(path: Path, clock: FakeClock) -> None:
    relay = Relay(path, clock)
    session = relay.open()
    forged = f"{session[:-1]}{'0' if session[-1] != '0' else '1'}"
    for other in ("", "x", forged):
        relay.sessions.end(other)
    relay.sessions.end_of_admin("another session of the admin")
    assert relay.is_open(session)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_ended_sessions_are_forgotten_once_their_time_is_over(
    path: Path, clock: FakeClock
) -> None:
    relay = Relay(path, clock)
    for _ in range(5):
        relay.sessions.end(relay.open())
    assert n_kept(path) == 5
    await clock.advance(SESSION_S + 1)
    relay.sessions.end(relay.open())
    assert n_kept(path) == 1


async def test_who_logs_in_and_out_many_times_ends_no_session_of_another_time(
    path: Path, clock: FakeClock
) -> None:
    relay = Relay(path, clock)
    earlier, of_admin = relay.open(), relay.open("session of the admin")
    closed = [relay.open()]
    relay.sessions.end(closed[0])
    await clock.advance(3_600)
    for _ in range(MOST_KEPT + 20):
        await clock.advance(1)
        closed.append(relay.open())
        relay.sessions.end(closed[-1])
    await clock.advance(3_600)
    later = relay.open()
    for known in (relay, Relay(path, clock)):
        assert all(known.is_open(session) for session in (earlier, of_admin, later))
        assert not any(known.is_open(session) for session in closed)
    assert n_kept(path) <= MOST_KEPT
    await clock.advance(SESSION_S + 1)
    relay.sessions.end(relay.open())
    assert n_kept(path) == 1, "what is over is forgotten"


def test_of_too_many_ended_sessions_of_admins_none_is_open_again(
    path: Path, clock: FakeClock
) -> None:
    ended = EndedSessions(path, clock)
    first = int(clock.now().timestamp()) + 1_000
    for n in range(MOST_KEPT + 3):
        ended.add_of_admin(f"session-{n}", first + n)
    for known in (ended, EndedSessions(path, clock)):
        assert all(known.has(f"session-{n}", first + n - 500) for n in range(MOST_KEPT + 3))
        assert not known.has("newer", first + MOST_KEPT + 3)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", "[" * 9_000, '{"ended_until": 1}', '{"ended_until": "1", "sessions": {}}',
     '{"ended_until": 1, "sessions": {"a": "b"}}',
     '{"ended_until": 1, "sessions": {}, "spans": [1]}',
     '{"ended_until": 1, "sessions": {}, "spans": [["1", 2]]}',
     '{"ended_until": 1, "sessions": {}, "spans": [], "of_admin": {"a": []}}',
     '{"ended_until": 1, "sessions": []}'],
)  # fmt: skip
def test_a_damaged_file_opens_no_session_again(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    session = Relay(path, clock).open()
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    asyncio.run(clock.advance(10))
    with caplog.at_level(logging.WARNING):
        relay = Relay(path, clock)
    assert str(path) in caplog.text
    assert not relay.is_open(session)
    new = relay.open()
    assert relay.is_open(new)
    relay.sessions.end(relay.open())
    assert Relay(path, clock).is_open(new), "the file is whole again"


def test_an_end_that_cannot_be_written_holds_until_the_restart(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    relay = Relay(path, clock)
    session = relay.open()
    path.parent.write_text("a file in place of the folder", "utf-8")
    with caplog.at_level(logging.WARNING):
        relay.sessions.end(session)
    assert "cannot be kept" in caplog.text
    assert session not in caplog.text
    assert not relay.is_open(session)
