"""A public address is tried before it is published: what counts as an answer of this server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from fake_clock import FakeClock
from pydantic import SecretStr
from web_site import web_site

from vieneu_colab_server.tunnels.address_check import MAX_TRIES, AddressCheck
from vieneu_colab_server.tunnels.errors import AddressUnreachableError
from vieneu_core.wire.routes import HEALTH, NGROK_ERROR_HEADER, WIRE_VERSION_HEADER
from vieneu_core.wire.version import WIRE_VERSION

TOKEN = SecretStr("the-token-of-this-server-0123456789")
HEALTHY = {
    "status": "ok",
    "model_loaded": True,
    "uptime_seconds": 1.0,
    "version": "0.1.0",
    "wire_version": WIRE_VERSION,
    "state": "ready",
}


class Edge:
    """The public side of a tunnel, with answers that are given in advance."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, request.headers.get("Authorization", "")))
        if self.answers:
            return self.answers.pop(0)
        return web.json_response(HEALTHY, headers={WIRE_VERSION_HEADER: WIRE_VERSION})


@asynccontextmanager
async def checked(edge: Edge, *, may_be_away: bool = False) -> AsyncIterator[asyncio.Task[None]]:
    clock = FakeClock()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", edge.handle)
    async with web_site(app) as url:
        check = AddressCheck(lambda: TOKEN, clock=clock)
        task = asyncio.ensure_future(check(url, server_may_be_away=may_be_away))
        for _ in range(400):
            if task.done():
                break
            await asyncio.sleep(0.01)
            await clock.advance(0.5)
        yield task


def ngrok_page(code: int, status: int) -> web.Response:
    return web.Response(
        status=status, text="<html>", headers={NGROK_ERROR_HEADER: f"ERR_NGROK_{code}"}
    )


def cloudflare(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, headers={"Server": "cloudflare"})


async def test_this_server_answers() -> None:
    edge = Edge()
    async with checked(edge) as task:
        assert task.done()
        task.result()
    assert edge.seen == [(HEALTH, f"Bearer {TOKEN.get_secret_value()}")]


async def test_a_new_name_has_some_tries() -> None:
    edge = Edge(cloudflare(530, "error code: 1033"), cloudflare(530, "error code: 1033"))
    async with checked(edge) as task:
        task.result()
    assert len(edge.seen) == 3


@pytest.mark.parametrize(
    ("make", "reported"),
    [
        (lambda: ngrok_page(3200, 404), "ERR_NGROK_3200"),
        (lambda: ngrok_page(8012, 502), "ERR_NGROK_8012"),
        (lambda: cloudflare(530, "error code: 1033"), "1033"),
        (lambda: cloudflare(502, "<html>cloudflare"), "502"),
        (
            lambda: web.Response(text="<html>It works!</html>", content_type="text/html"),
            "instead of",
        ),
        (
            lambda: web.Response(status=401, headers={WIRE_VERSION_HEADER: WIRE_VERSION}),
            "does not accept the token",
        ),
        (lambda: web.Response(status=302, headers={"Location": "https://e.vn/"}), "redirect"),
    ],
)
async def test_anything_else_is_no_answer_of_this_server(make: object, reported: str) -> None:
    edge = Edge(*[make() for _ in range(MAX_TRIES)])  # type: ignore[operator]  # a function
    async with checked(edge) as task:
        with pytest.raises(AddressUnreachableError, match=reported) as caught:
            task.result()
    assert len(edge.seen) == MAX_TRIES
    assert "does not answer at its public address" in caught.value.detail
    assert TOKEN.get_secret_value() not in str(caught.value)


async def test_a_name_that_does_not_exist_is_told(unused_tcp_port: int) -> None:
    clock = FakeClock()
    check = AddressCheck(lambda: TOKEN, clock=clock)
    task = asyncio.ensure_future(check(f"http://127.0.0.1:{unused_tcp_port}"))
    while not task.done():
        await asyncio.sleep(0.01)
        await clock.advance(0.5)
    with pytest.raises(AddressUnreachableError, match="No connection"):
        task.result()


@pytest.mark.parametrize("may_be_away", [False, True])
async def test_a_server_that_is_restarted_is_no_fault_of_its_tunnel(*, may_be_away: bool) -> None:
    edge = Edge(*[ngrok_page(8012, 502) for _ in range(MAX_TRIES)])
    async with checked(edge, may_be_away=may_be_away) as task:
        assert (task.exception() is None) == may_be_away
    assert len(edge.seen) == (1 if may_be_away else MAX_TRIES)
