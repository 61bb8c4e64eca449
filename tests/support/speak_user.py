"""A user of the Speak page's API: a browser's cookies, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
from relay_site import RelaySite
from server_site import TOKEN


class SpeakUser:
    """Calls the API of the Speak page."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    def api(
        self, method: str, path: str, **kwargs: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.request(method, f"{self.url}/speak/api{path}", **kwargs)

    async def call(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """Return the JSON of an answer, after a look at its status."""
        async with self.api(method, path, **kwargs) as response:
            text = await response.text()
            assert response.status == status, text
            assert TOKEN not in text
            return await response.json(content_type=None) if text else None

    async def log_in(self, token: str = TOKEN, status: int = 200) -> Any:
        return await self.call("POST", "/login", status, json={"token": token})


@asynccontextmanager
async def speak_user(site: RelaySite) -> AsyncIterator[SpeakUser]:
    """Open a browser's session, without login."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield SpeakUser(site.url, session)
