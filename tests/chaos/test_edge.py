"""The edge before a tunnel and the names that lead to it, as a client of a chaos run meets them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from chaos.edge import Edge
from chaos.names import Names
from guard import GUARD_S

HELLO = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that greets whoever asks, and leaves ``/begun`` unfinished."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(BEGUN if b"/begun" in request else HELLO)
        if b"/begun" in request:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "localhost", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def edge(port: int) -> AsyncIterator[Edge]:
    edge = Edge()
    await edge.start(port)
    yield edge
    await edge.aclose()


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def client(edge: Edge, names: Names) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(resolver=names, ssl=edge.trusting, use_dns_cache=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def ask(client: aiohttp.ClientSession, edge: Edge) -> str:
    async with asyncio.timeout(GUARD_S), client.get(edge.url) as answer:
        return await answer.text()


async def test_it_passes_on_over_tls(client: aiohttp.ClientSession, edge: Edge) -> None:
    assert await ask(client, edge) == "hello"
    assert await ask(client, edge) == "hello"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired", "expired"),
        ("self_signed", "unable to get local issuer"),
        ("of_another_name", "Hostname mismatch"),
    ],
)
async def test_a_wrong_certificate_is_shown_from_then_on(
    client: aiohttp.ClientSession, edge: Edge, name: str, reason: str
) -> None:
    assert await ask(client, edge) == "hello"
    edge.certificate = getattr(edge, name)
    edge.hang_up()

    with pytest.raises(aiohttp.ClientConnectorCertificateError, match=reason):
        await ask(client, edge)
    edge.heal()
    assert await ask(client, edge) == "hello"


async def test_a_handshake_is_refused_with_an_alert(
    client: aiohttp.ClientSession, edge: Edge
) -> None:
    edge.refuses = True

    with pytest.raises(aiohttp.ClientConnectorSSLError, match=r"(?i)handshake.failure"):
        await ask(client, edge)


async def test_a_handshake_that_hangs_is_not_answered(
    client: aiohttp.ClientSession, edge: Edge
) -> None:
    edge.hangs = True
    asking = asyncio.create_task(ask(client, edge))
    while edge.n_lines == 0:  # noqa: ASYNC110 - the edge notifies nobody
        await asyncio.sleep(0)
    assert not asking.done()

    edge.hang_up()
    with pytest.raises(aiohttp.ClientError):
        await asking


async def test_an_alert_ends_an_answer_midway(client: aiohttp.ClientSession, edge: Edge) -> None:
    async with asyncio.timeout(GUARD_S), client.get(f"{edge.url}/begun") as answer:
        assert await answer.content.readexactly(5) == b"hello"
        await edge.alert()
        with pytest.raises(aiohttp.ClientPayloadError) as caught:
            await answer.content.read()
    assert "ALERT_BAD_RECORD_MAC" in str(caught.value) + repr(caught.value.__cause__)

    assert await ask(client, edge) == "hello"


@pytest.mark.parametrize("error", [socket.EAI_NONAME, socket.EAI_AGAIN])
async def test_a_name_that_is_not_resolved_leads_nowhere(
    client: aiohttp.ClientSession, edge: Edge, names: Names, error: int
) -> None:
    names.error = error

    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await ask(client, edge)
    names.heal()
    assert await ask(client, edge) == "hello"


async def test_silent_name_servers_answer_once_they_are_healed(
    client: aiohttp.ClientSession, edge: Edge, names: Names
) -> None:
    names.go_silent()
    asking = asyncio.create_task(ask(client, edge))
    await asyncio.sleep(0.01)
    assert not asking.done()

    names.heal()
    assert await asking == "hello"
