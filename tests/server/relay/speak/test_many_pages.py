"""Many open Speak pages, beside the other clients of the relay."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from relay_site import relaying
from server_site import TOKEN
from speak_user import SpeakUser

from vieneu_colab_server.relay.speak.guard import SPEAK_COOKIE

N_PAGES = 50
POLLS_A_MINUTE = 6
"""More than the page asks for the jobs, from one address more than the limit of a client."""


async def test_fifty_open_pages_and_other_clients_live_together(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        for _ in range(N_PAGES):
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                user = SpeakUser(site.url, session)
                await user.log_in()
                assert SPEAK_COOKIE in {cookie.key for cookie in jar}
                for _ in range(POLLS_A_MINUTE):
                    await user.call("GET", "/jobs")
        token = {"Authorization": f"Bearer {TOKEN}"}
        for path in ("/health", "/metrics"):
            async with site.session.get(f"{site.url}{path}", headers=token) as answer:
                assert answer.status == 200
