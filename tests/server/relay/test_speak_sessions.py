"""Sessions of the Speak page: when one ends, and that a copy of its cookie ends with it."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fake_clock import FakeClock
from pydantic import SecretStr
from relay_site import RelaySite, relaying
from server_site import TOKEN
from speak_user import SpeakUser, speak_user
from yarl import URL

from vieneu_colab_server.relay.login import LoginRefusedError
from vieneu_colab_server.relay.speak.ended_sessions import MOST_KEPT, SESSION_S, EndedSessions
from vieneu_colab_server.relay.speak.guard import SPEAK_COOKIE
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_colab_server.tokens.guesses import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation

PASSWORD = "một mật khẩu dài"


class Relay:
    """What a relay knows of its sessions; another one on the same file is its next start."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        self.tokens = TokenRotation(SecretStr(TOKEN), clock)
        guesses = Guesses(clock, per_minute=20)
        self.sessions = SpeakSessions(
            self.tokens, clock, guesses=guesses, ended=EndedSessions(path, clock)
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


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


def cookie_of(user: SpeakUser) -> dict[str, str]:
    """Return the header with the cookie of the Speak page, as somebody else copied it."""
    jar = user.session.cookie_jar.filter_cookies(URL(f"{user.url}/speak/api/page"))
    return {"Cookie": f"{SPEAK_COOKIE}={jar[SPEAK_COOKIE].value}"}


def n_kept(path: Path) -> int:
    return len(json.loads(path.read_text("utf-8"))["sessions"])


async def status_with(site: RelaySite, cookie: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession(headers=cookie) as thief,
        thief.get(f"{site.url}/speak/api/page") as answer,
    ):
        return answer.status


async def test_a_log_out_ends_the_copies_of_the_cookie_and_no_other_session(
    site: RelaySite, tmp_path: Path
) -> None:
    async with speak_user(site) as user, speak_user(site) as other:
        await user.log_in()
        await other.log_in()
        copied = cookie_of(user)
        assert await status_with(site, copied) == 200
        await user.call("POST", "/logout")
        assert await status_with(site, copied) == 401
        await other.call("GET", "/page")
        await user.log_in()
        await user.call("GET", "/page")
    kept = (tmp_path / "ended-sessions.json").read_text("utf-8")
    assert TOKEN not in kept


async def test_a_log_out_holds_after_a_restart(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site, speak_user(site) as user:
        await user.log_in()
        copied = cookie_of(user)
        await user.call("POST", "/logout")
        await user.log_in()
        open_still = cookie_of(user)
    async with relaying(tmp_path) as site:
        assert await status_with(site, copied) == 401
        assert await status_with(site, open_still) == 200


@pytest.mark.parametrize("new_password", [False, True])
async def test_an_admin_may_speak_and_no_longer_after_logging_out(
    site: RelaySite, *, new_password: bool
) -> None:
    copied = []
    async with speak_user(site) as admin:

        async def call(path: str, body: dict[str, str]) -> None:
            async with admin.session.post(f"{site.url}/relay/api{path}", json=body) as answer:
                assert answer.status == 200
            if path != "/logout":
                copied.append(cookie_of(admin))

        await call("/login/code", {"code": site.account.new_code().get_secret_value()})
        await admin.call("GET", "/page")
        if new_password:
            await call("/password", {"password": PASSWORD})
            await admin.call("GET", "/page")
        await call("/logout", {})
        await admin.call("GET", "/page", status=401)
    assert [await status_with(site, cookie) for cookie in copied] == [401] * len(copied)


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


async def test_of_too_many_ended_sessions_none_is_open_again(path: Path, clock: FakeClock) -> None:
    ended = EndedSessions(path, clock)
    first = int(clock.now().timestamp()) + 1_000
    for n in range(MOST_KEPT + 3):
        ended.add(f"session-{n}", first + n)
    assert n_kept(path) == MOST_KEPT
    for known in (ended, EndedSessions(path, clock)):
        assert all(known.has(f"session-{n}", first + n) for n in range(MOST_KEPT + 3))
        assert known.has("older", first), "one that would end before those that were forgotten"
        assert not known.has("newer", first + MOST_KEPT + 3)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", "[" * 9_000, '{"ended_until": 1}', '{"ended_until": "1", "sessions": {}}',
     '{"ended_until": 1, "sessions": {"a": "b"}}', '{"ended_until": 1, "sessions": []}'],
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
