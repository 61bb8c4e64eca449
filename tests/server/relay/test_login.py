"""Login of the admin: no default password, nothing for a guesser, nothing for another site."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fake_clock import FakeClock
from relay_site import RelaySite, relaying

from vieneu_colab_server.relay.guard import SESSION_COOKIE
from vieneu_colab_server.relay.login import (
    CODE_VALID_S,
    LOGINS_PER_MINUTE,
    OVERLAP_S,
    SESSION_IDLE_S,
    AdminAccount,
    LoginRefusedError,
    WeakPasswordError,
)
from vieneu_core.errors import ConfigurationError, RateLimitedError

PASSWORD = "một mật khẩu dài"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def account(tmp_path: Path, clock: FakeClock) -> AdminAccount:
    return AdminAccount(tmp_path / "folder" / "admin.json", clock=clock)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


def test_the_token_is_shown_once_and_not_kept(account: AdminAccount, tmp_path: Path) -> None:
    token = account.open()
    assert token is not None
    path = tmp_path / "folder" / "admin.json"
    assert token.get_secret_value() not in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = AdminAccount(path, clock=FakeClock())
    assert again.open() is None
    assert again.accepts_token(token.get_secret_value().encode())


def test_a_new_token_ends_the_former_one_and_keeps_the_password(account: AdminAccount) -> None:
    former = account.open()
    account.set_password(PASSWORD)
    token = account.new_token()
    assert former is not None
    assert account.accepts_token(token.get_secret_value().encode())
    assert not account.accepts_token(former.get_secret_value().encode())
    assert account.log_in(PASSWORD)


def test_a_code_opens_one_session(account: AdminAccount) -> None:
    code = account.new_code().get_secret_value()
    session = account.log_in_with_code(code).get_secret_value()
    assert account.has_session(session)
    with pytest.raises(LoginRefusedError):
        account.log_in_with_code(code)
    assert code not in repr(account.new_code())


async def test_a_code_ends_after_an_hour(account: AdminAccount, clock: FakeClock) -> None:
    code = account.new_code().get_secret_value()
    await clock.advance(CODE_VALID_S + 1)
    with pytest.raises(LoginRefusedError):
        account.log_in_with_code(code)


def test_no_code_is_no_code(account: AdminAccount) -> None:
    with pytest.raises(LoginRefusedError):
        account.log_in_with_code("")


def test_without_a_password_none_is_right(account: AdminAccount) -> None:
    account.open()
    with pytest.raises(LoginRefusedError):
        account.log_in("")


async def test_a_session_ends_when_it_is_not_used(account: AdminAccount, clock: FakeClock) -> None:
    account.set_password(PASSWORD)
    used, idle = (account.log_in(PASSWORD).get_secret_value() for _ in range(2))
    await clock.advance(SESSION_IDLE_S * 0.75)
    assert account.has_session(used)
    await clock.advance(SESSION_IDLE_S * 0.75)
    assert account.has_session(used)
    assert not account.has_session(idle)
    account.log_out(used)
    assert not account.has_session(used)


async def test_a_look_at_a_session_does_not_make_it_last(
    account: AdminAccount, clock: FakeClock
) -> None:
    session = account.set_password(PASSWORD).get_secret_value()
    await clock.advance(SESSION_IDLE_S - 1)
    assert account.still_has_session(session)
    await clock.advance(2)
    assert not account.still_has_session(session)


def test_a_new_password_ends_all_sessions(account: AdminAccount) -> None:
    account.set_password(PASSWORD)
    session = account.log_in(PASSWORD).get_secret_value()
    new = account.set_password(PASSWORD + "!").get_secret_value()
    assert not account.has_session(session)
    assert account.has_session(new)
    with pytest.raises(LoginRefusedError):
        account.log_in(PASSWORD)


async def test_what_a_page_sent_before_it_had_its_new_session_is_answered(
    account: AdminAccount, clock: FakeClock
) -> None:
    account.set_password(PASSWORD)
    mine, others = (account.log_in(PASSWORD).get_secret_value() for _ in range(2))
    new = account.set_password(PASSWORD + "!", session=mine).get_secret_value()
    assert [account.has_session(one) for one in (new, mine, others)] == [True, True, False]
    await clock.advance(OVERLAP_S / 2)
    assert account.has_session(mine)
    await clock.advance(OVERLAP_S / 2)
    assert [account.has_session(one) for one in (new, mine, others)] == [True, False, False]


def test_a_session_that_was_replaced_ends_with_a_log_out(account: AdminAccount) -> None:
    mine = account.set_password(PASSWORD).get_secret_value()
    new = account.set_password(PASSWORD + "!", session=mine).get_secret_value()
    account.log_out(new)
    assert not account.has_session(new)
    assert not account.has_session(mine)


def test_a_session_that_had_ended_is_not_accepted_again(account: AdminAccount) -> None:
    mine = account.set_password(PASSWORD).get_secret_value()
    account.log_out(mine)
    account.set_password(PASSWORD + "!", session=mine)
    assert not account.has_session(mine)
    assert not account.has_session("")


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_that_is_too_short_or_long_is_refused(
    account: AdminAccount, password: str
) -> None:
    with pytest.raises(WeakPasswordError):
        account.set_password(password)
    assert not account.has_password


def test_a_guesser_is_throttled(account: AdminAccount) -> None:
    account.set_password(PASSWORD)
    for _ in range(LOGINS_PER_MINUTE):
        with pytest.raises(LoginRefusedError):
            account.log_in("guess", client="a stranger")
    with pytest.raises(RateLimitedError):
        account.log_in(PASSWORD, client="a stranger")
    assert account.log_in(PASSWORD, client="the admin")


def test_wrong_codes_are_counted_apart_from_passwords(account: AdminAccount) -> None:
    account.set_password(PASSWORD)
    for _ in range(LOGINS_PER_MINUTE):
        with pytest.raises(LoginRefusedError):
            account.log_in_with_code("guess", client="one")
    with pytest.raises(RateLimitedError):
        account.log_in_with_code("guess", client="one")
    assert account.log_in(PASSWORD, client="one")
    assert account.log_in_with_code(account.new_code().get_secret_value(), client="one")


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"token_sha256": 1}', '{"salt": "zz"}', "[" * 9_000, "[" * 90_000]
)
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "admin.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"admin\.json"):
        AdminAccount(path, clock=FakeClock())


async def test_the_code_opens_the_api_by_a_cookie_that_no_script_reads(site: RelaySite) -> None:
    code = site.account.new_code().get_secret_value()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        api = f"{site.url}/relay/api"
        async with browser.get(f"{api}/status") as refused:
            assert refused.status == 401
        async with browser.post(f"{api}/login/code", json={"code": code}) as answer:
            assert await answer.json() == {"has_password": False}
            cookie = answer.headers["Set-Cookie"]
            for part in ("HttpOnly", "SameSite=strict", "Path=/relay"):
                assert part in cookie
        async with browser.get(f"{api}/status") as status:
            assert status.status == 200
            assert "no-store" in status.headers["Cache-Control"]
            assert "default-src 'self'" in status.headers["Content-Security-Policy"]
        before = {SESSION_COOKIE: cookie.partition("=")[2].partition(";")[0]}
        async with browser.post(f"{api}/password", json={"password": PASSWORD}) as chosen:
            assert chosen.status == 200
        async with (
            aiohttp.ClientSession(cookies=before) as underway,
            underway.get(f"{api}/status") as status,
        ):
            assert status.status == 200
        async with browser.post(f"{api}/logout") as left:
            assert left.status == 200
        async with browser.get(f"{api}/status") as refused:
            assert refused.status == 401
        async with browser.post(f"{api}/login", json={"password": PASSWORD}) as again:
            assert again.status == 200
        async with browser.get(f"{api}/status") as status:
            assert status.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_site_changes_nothing(
    site: RelaySite, headers: dict[str, str]
) -> None:
    session = site.account.log_in_with_code(site.account.new_code().get_secret_value())
    cookies = {"vieneu_admin": session.get_secret_value()}
    async with (
        aiohttp.ClientSession(cookies=cookies) as browser,
        browser.post(
            f"{site.url}/relay/api/mode", json={"mode": "local"}, headers=headers
        ) as answer,
    ):
        assert answer.status == 401
        assert "another site" in await answer.text()


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic YTpi", "Bearer ", "x" * 5_000])
async def test_a_wrong_token_is_refused(site: RelaySite, authorization: str) -> None:
    headers = {"Authorization": authorization}
    problem = await site.call("GET", "/status", status=401, headers=headers)
    assert problem["code"] == "login_refused"


async def test_a_stranger_does_not_lock_the_admin_out(site: RelaySite) -> None:
    session = site.account.set_password(PASSWORD).get_secret_value()
    stranger = {"X-Forwarded-For": "192.0.2.1"}
    wrong = {**stranger, "Authorization": "Bearer wrong"}
    guess = {"password": "wrong"}
    for _ in range(LOGINS_PER_MINUTE + 1):
        await site.call("GET", "/status", status=401, headers=wrong)
        await site.call("GET", "/status", status=401, headers={**wrong, "Authorization": ""})
    async with aiohttp.ClientSession(cookies={SESSION_COOKIE: session}) as admin:
        api = f"{site.url}/relay/api"
        for _ in range(LOGINS_PER_MINUTE + 1):
            async with admin.post(f"{api}/login", json=guess, headers=stranger) as guessed:
                pass
        assert guessed.status == 429
        async with admin.get(f"{api}/status", headers=wrong) as answer:
            assert answer.status == 200, "a session counts, whatever a proxy adds"
        headers = {"X-Forwarded-For": "192.0.2.2"}
        async with admin.post(
            f"{api}/login", json={"password": PASSWORD}, headers=headers
        ) as right:
            assert right.status == 200


async def test_the_token_for_speech_is_not_the_admins(site: RelaySite) -> None:
    async with site.session.get(f"{site.url}/health") as answer:
        assert answer.status == 401  # nor the other way round
