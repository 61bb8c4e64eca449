"""Sessions of the Speak page in a browser: what ends one, and each copy of its cookie with it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from relay_site import RelaySite, relaying
from server_site import TOKEN
from speak_user import SpeakUser, speak_user
from yarl import URL

from vieneu_colab_server.relay.guard import SESSION_COOKIE
from vieneu_colab_server.relay.speak.guard import SPEAK_COOKIE

PASSWORD = "một mật khẩu dài"


def cookie_of(user: SpeakUser) -> dict[str, str]:
    """Return the header with the cookie of the Speak page, as somebody else copied it."""
    jar = user.session.cookie_jar.filter_cookies(URL(f"{user.url}/speak/api/page"))
    return {"Cookie": f"{SPEAK_COOKIE}={jar[SPEAK_COOKIE].value}"}


async def as_admin(
    site: RelaySite, user: SpeakUser, path: str, body: dict[str, str], token: str = ""
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{site.url}/relay/api{path}"
    async with user.session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


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


@pytest.mark.parametrize("by_token", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_new_password_ends_what_others_opened_with_the_former_one(
    tmp_path: Path, *, by_token: bool, restarted: bool
) -> None:
    async with relaying(tmp_path) as site, speak_user(site) as thief, speak_user(site) as user:
        site.account.set_password(PASSWORD)
        await as_admin(site, thief, "/login", {"password": PASSWORD})
        stolen = cookie_of(thief)
        assert await status_with(site, stolen) == 200
        await user.log_in()
        remembered = cookie_of(user)
        if not restarted:
            await change_password(site, by_token=by_token)
            assert await status_with(site, stolen) == 401
            assert await status_with(site, remembered) == 200
    if restarted:  # the admin's sessions end with the relay, and those of the page do not
        async with relaying(tmp_path) as site:
            assert await status_with(site, stolen) == 200
            await change_password(site, by_token=by_token)
            assert await status_with(site, stolen) == 401
            assert await status_with(site, remembered) == 200


async def change_password(site: RelaySite, *, by_token: bool) -> None:
    async with speak_user(site) as owner:
        if not by_token:
            await as_admin(site, owner, "/login", {"password": PASSWORD})
        token = site.admin_token if by_token else ""
        await as_admin(site, owner, "/password", {"password": PASSWORD + "!"}, token)
        await owner.call("GET", "/page")


async def test_a_login_ends_the_session_whose_cookie_it_replaces(site: RelaySite) -> None:
    async with speak_user(site) as user:
        copied = []
        for _ in range(2):
            await user.log_in()
            copied.append(cookie_of(user))
        assert [await status_with(site, cookie) for cookie in copied] == [401, 200]


async def test_a_login_of_an_admin_ends_the_one_that_it_replaces(site: RelaySite) -> None:
    site.account.set_password(PASSWORD)
    async with speak_user(site) as admin:
        copied, of_admin = [], []
        for _ in range(2):
            await as_admin(site, admin, "/login", {"password": PASSWORD})
            copied.append(cookie_of(admin))
            jar = admin.session.cookie_jar.filter_cookies(URL(f"{site.url}/relay/api/login"))
            of_admin.append(jar[SESSION_COOKIE].value)
        assert [await status_with(site, cookie) for cookie in copied] == [401, 200]
        assert [site.account.has_session(session) for session in of_admin] == [False, True]


async def test_of_an_admin_who_speaks_by_token_each_log_out_ends_its_own_session(
    site: RelaySite,
) -> None:
    site.account.set_password(PASSWORD)
    async with speak_user(site) as admin:
        await as_admin(site, admin, "/login", {"password": PASSWORD})
        copied = [cookie_of(admin)]
        await admin.log_in()
        copied.append(cookie_of(admin))
        assert [await status_with(site, cookie) for cookie in copied] == [401, 200]
        await admin.call("POST", "/logout")
        await as_admin(site, admin, "/logout", {})
        assert [await status_with(site, cookie) for cookie in copied] == [401, 401]
