"""The tunnel of a chaos run, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from chaos.tunnel import Tunnel
from guard import GUARD_S
from line_faults import edge_reply

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
async def server_url() -> AsyncIterator[str]:
    """A server that greets whoever asks."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def tunnel(server_url: str) -> AsyncIterator[Tunnel]:
    tunnel = Tunnel()
    await tunnel.start()
    tunnel.lead_to(server_url)
    yield tunnel
    await tunnel.heal()
    await tunnel.aclose()


async def ask(tunnel: Tunnel) -> bytes:
    async with asyncio.timeout(GUARD_S):
        reader, writer = await asyncio.open_connection("localhost", tunnel.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read(15)
        answer += await reader.readuntil(b"\r\n0\r\n\r\n") if answer.endswith(b"200 OK") else b""
        writer.close()
        return answer


async def test_it_passes_on(tunnel: Tunnel) -> None:
    assert b"hello" in await ask(tunnel)


async def test_it_is_slow_and_yet_complete(tunnel: Tunnel) -> None:
    tunnel.bytes_per_s, tunnel.latency_s = 10_000, 0.001

    assert b"hello" in await ask(tunnel)


async def test_it_answers_in_the_stead_of_a_server_until_it_is_healed(tunnel: Tunnel) -> None:
    tunnel.answer_all(edge_reply("ngrok_3200_offline"))
    assert (await ask(tunnel)).startswith(b"HTTP/1.1 404")

    await tunnel.heal()
    assert b"hello" in await ask(tunnel)


async def test_its_edge_answers_where_the_server_has_gone(tunnel: Tunnel) -> None:
    tunnel.lead_to("http://127.0.0.1:1")

    assert (await ask(tunnel)).startswith(b"HTTP/1.1 502")


async def test_it_refuses_connections_and_has_the_same_address_afterwards(tunnel: Tunnel) -> None:
    port = tunnel.port
    tunnel.refuse()
    with pytest.raises(ConnectionRefusedError):
        await ask(tunnel)

    await tunnel.heal()
    assert tunnel.port == port
    assert b"hello" in await ask(tunnel)


async def test_a_silent_tunnel_sends_on_once_it_is_healed(tunnel: Tunnel) -> None:
    tunnel.go_silent()
    asking = asyncio.create_task(ask(tunnel))
    while tunnel.n_connections == 0:  # noqa: ASYNC110 - the tunnel notifies nobody
        await asyncio.sleep(0)
    assert not asking.done()

    tunnel.go_on()
    assert b"hello" in await asking
