"""Ingress: who is logged in to Home Assistant needs no login of ours; nobody else is believed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from free_port import free_port
from relay_site import RelaySite, relaying
from server_site import TOKEN
from starlette.types import Message, Receive, Scope, Send

from vieneu_colab_server.relay.ingress import (
    INGRESS_PORT,
    SUPERVISOR_ADDRESS,
    Ingress,
    IngressGate,
)

PROXY = "127.0.0.2"
"""Stands for Supervisor's address, which no test can have: another address of this machine."""
CLAIMS = {
    "X-Ingress-Path": "/api/hassio_ingress/abc",
    "X-Remote-User-Id": "0123456789abcdef",
    "X-Remote-User-Name": "admin",
    "X-Forwarded-For": PROXY,
    "X-Real-IP": PROXY,
    "Forwarded": f"for={PROXY}",
}
"""What Supervisor's proxy sends too, and anybody can write."""
OPEN = ["/relay/api/status", "/speak/api/page", "/relay/api/notebook", "/relay/api/events"]


@dataclass
class IngressSite:
    relay: RelaySite
    port: int
    session: aiohttp.ClientSession

    def ask(
        self, path: str, method: str = "GET", **kwargs: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.request(method, f"http://127.0.0.1:{self.port}{path}", **kwargs)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[IngressSite]:
    """A relay, and a session that connects to it from the address of the proxy."""
    port = free_port()
    connector = aiohttp.TCPConnector(local_addr=(PROXY, 0))
    async with (
        relaying(tmp_path, ingress=Ingress(port=port, proxy=PROXY)) as relay,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield IngressSite(relay, port, session)


@pytest.mark.parametrize("path", OPEN)
async def test_who_comes_by_ingress_is_logged_in(site: IngressSite, path: str) -> None:
    async with site.ask(path) as answer:
        assert answer.status == 200


async def test_the_page_asks_for_neither_login_nor_password(site: IngressSite) -> None:
    async with site.ask("/relay/api/login") as answer:
        assert await answer.json() == {"logged_in": True, "has_password": True}
    async with site.ask("/speak/api/tts/stream", "POST", json={"text": "Xin chào."}) as answer:
        assert answer.status == 200, await answer.text()
        assert await answer.read()


@pytest.mark.parametrize("path", OPEN)
async def test_headers_alone_open_nothing(site: IngressSite, path: str) -> None:
    async with aiohttp.ClientSession(headers=CLAIMS) as stranger:
        async with stranger.get(f"{site.relay.url}{path}") as answer:
            assert answer.status == 401
        async with stranger.get(f"http://127.0.0.1:{site.port}{path}") as answer:
            assert answer.status == 401
            assert "Only Home Assistant" in await answer.text()


async def test_the_address_of_the_proxy_opens_nothing_on_the_port_for_programs(
    site: IngressSite,
) -> None:
    async with site.session.get(f"{site.relay.url}/relay/api/status", headers=CLAIMS) as answer:
        assert answer.status == 401


async def test_even_the_right_token_does_not_pass_the_port_of_ingress(site: IngressSite) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as stranger,
        stranger.get(f"http://127.0.0.1:{site.port}/healthz") as answer,
    ):
        assert answer.status == 401


async def test_only_requests_reach_the_app() -> None:
    reached: list[str] = []
    sent: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        reached.append(scope["type"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    gate = IngressGate(app, ingress=Ingress())
    for kind in ("lifespan", "http", "websocket", "of-the-future"):
        await gate({"type": kind, "server": ("127.0.0.1", 8000)}, receive, send)
    assert reached == ["lifespan", "http"]
    assert set(sent) == {"websocket.close"}


async def test_ingress_needs_the_token_where_programs_do(site: IngressSite) -> None:
    async with site.ask("/voices") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 401),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "https://home.example", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://home.example:8123", "Host": "home.example:8123"}, 200),
    ],
)
async def test_a_page_of_another_site_changes_nothing_by_ingress(
    site: IngressSite, headers: dict[str, str], status: int
) -> None:
    body = {"mode": "local"}
    async with site.ask("/relay/api/mode", "POST", json=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()


@pytest.mark.parametrize("path", ["/", "/relay/", "/static/speak/page.js", "/relay/api/login"])
async def test_home_assistant_may_frame_the_pages_and_nobody_else(
    site: IngressSite, path: str
) -> None:
    async with site.ask(path) as answer:
        assert "frame-ancestors 'self';" in answer.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer.headers
    async with site.relay.session.get(f"{site.relay.url}{path}") as answer:
        assert "frame-ancestors 'none';" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/relay/"])
async def test_pages_name_nothing_by_an_absolute_path(site: IngressSite, path: str) -> None:
    """The prefix of ingress is in the browser's address alone: Supervisor takes it off."""
    async with site.ask(path) as answer:
        page = await answer.text()
    assert re.findall(r"""(?:href|src|action)=["'](?:/|https?:)""", page) == []
    async with site.ask("/relay", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "relay/"


def test_the_defaults_are_those_of_supervisor() -> None:
    """supervisor/const.py and docker/network.py: 172.30.32.0/23, its own address is the second."""
    assert Ingress() == Ingress(port=8099, proxy="172.30.32.2")
    assert (INGRESS_PORT, SUPERVISOR_ADDRESS) == (8099, "172.30.32.2")
