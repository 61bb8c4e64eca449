"""Connections that nobody has authorized can neither stop the server nor fill its memory."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from child_process import without_coverage
from cli_sandbox import SUPPORT
from guard import GUARD_S
from server_site import TOKEN, Site, serving

from vieneu_colab_server.connection_limits import affordable_connections
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.routes import LIVEZ, SYNTHESIZE

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(site: Site, n: int, first: bytes = b"") -> AsyncIterator[list[Streams]]:
    """Open connections, and send the beginning of a request on each."""
    async with AsyncExitStack() as opened:
        found = []
        for _ in range(n):
            reader, writer = await asyncio.open_connection(*site.address)
            opened.callback(writer.transport.abort)
            writer.write(first)
            found.append((reader, writer))
        yield found


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what the server sends until it closes the connection."""
    got = b""
    async with asyncio.timeout(GUARD_S):
        try:
            while part := await reader.read(4096):
                got += part
        except ConnectionError:
            pass
    return got


@pytest.mark.parametrize(
    "first",
    [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 99],
)
async def test_a_request_head_that_does_not_come_ends_its_connection(first: bytes) -> None:
    async with (
        serving(ScriptedBackend(), head_timeout_s=0.2) as site,
        connected(site, 1, first) as [(reader, _)],
    ):
        assert await ended(reader) == b""


async def test_bytes_that_trickle_give_no_more_time() -> None:
    async with (
        serving(ScriptedBackend(), head_timeout_s=0.3) as site,
        connected(site, 1) as [(reader, writer)],
    ):
        closed = asyncio.create_task(ended(reader))
        while not closed.done():
            writer.write(b"G")
            await asyncio.sleep(0.01)
        assert await closed == b""


async def test_the_head_of_a_second_request_has_to_come_too() -> None:
    async with (
        serving(ScriptedBackend(), head_timeout_s=0.3) as site,
        connected(site, 1, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n") as [(reader, writer)],
    ):
        assert b"200" in await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)  # it may be idle for longer
        writer.write(b"GET /livez")
        await ended(reader)


async def test_silent_connections_make_room_for_requests() -> None:
    async with (
        serving(ScriptedBackend(), max_connections=20, head_timeout_s=GUARD_S) as site,
        connected(site, 60),
    ):
        for _ in range(30):
            async with site.session.get(
                site.url + LIVEZ, headers={"Connection": "close"}
            ) as answer:
                assert answer.status == 200


async def test_idle_connections_after_an_answer_make_room_too() -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    async with (
        serving(ScriptedBackend(), max_connections=20) as site,
        connected(site, 20, request) as opened,
    ):
        for reader, _ in opened:
            await reader.readuntil(b"\r\n\r\n")
        async with site.get(LIVEZ) as answer:
            assert answer.status == 200


WITHHELD = b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n"
"""Answered at once; its body need not come."""


async def test_the_rest_of_a_body_that_nobody_reads_does_not_keep_a_connection() -> None:
    async with (
        serving(ScriptedBackend(), body_timeout_s=0.3, head_timeout_s=GUARD_S) as site,
        connected(site, 1, WITHHELD) as [(reader, writer)],
    ):
        assert b" 405 " in await reader.readuntil(b"\r\n\r\n")
        closed = asyncio.create_task(ended(reader))
        while not closed.done():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        await closed


async def test_connections_with_the_rest_of_a_body_make_room_too() -> None:
    async with (
        serving(ScriptedBackend(), max_connections=20, head_timeout_s=GUARD_S) as site,
        connected(site, 20, WITHHELD) as opened,
    ):
        for reader, writer in opened:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"x")
        await asyncio.sleep(0.1)
        async with site.get(LIVEZ) as answer:
            assert answer.status == 200


async def test_after_the_rest_of_a_body_a_connection_goes_on() -> None:
    head = b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
    async with (
        serving(ScriptedBackend(), head_timeout_s=GUARD_S) as site,
        connected(site, 1, head) as [(reader, writer)],
    ):
        assert b" 405 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"xyGET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")


async def test_running_speech_is_never_closed_for_a_new_connection() -> None:
    backend = ScriptedBackend()
    async with serving(backend, max_connections=4, max_queue=0) as site:
        body = {"text": "Xin chào các bạn."}
        async with site.post(SYNTHESIZE, json=body) as answer, connected(site, 40):
            assert answer.status == 200
            assert len(await answer.read()) > 1_000


async def test_a_probe_reads_no_body() -> None:
    head = b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n"
    async with (
        serving(ScriptedBackend(), body_timeout_s=GUARD_S) as site,
        connected(site, 3, head + bytes(60_000)) as opened,
    ):
        for reader, _ in opened:
            async with asyncio.timeout(GUARD_S):
                assert b" 405 " in await reader.readuntil(b"\r\n")


async def test_bodies_of_all_requests_together_are_bounded() -> None:
    head = (
        f"POST {SYNTHESIZE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 40000\r\n\r\n"
    ).encode()
    async with serving(ScriptedBackend(), max_total_body_bytes=100_000) as site:
        async with connected(site, 2, head + b" " * 39_000):
            await asyncio.sleep(0.1)
            async with site.post(SYNTHESIZE, data=b" " * 40_000) as answer:
                assert (await site.problem(answer)).code == "busy"
        async with site.post(SYNTHESIZE, json={"text": "Xin chào."}) as answer:
            assert answer.status == 200, "what was held has become free"


def test_the_soft_limit_of_descriptors_is_raised_and_the_hard_one_respected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    for (soft, hard), wanted, granted in (
        ((1024, 4096), 512, 512),
        ((1024, 4096), 2000, 2000),
        ((1024, 1024), 2000, 768),
        ((64, 64), 512, 16),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 9000, 9000),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=(soft, hard): limits)
        assert affordable_connections(wanted) == granted
    assert asked == [(2256, 4096), (1024, 1024), (64, 64)]


def test_a_flood_beyond_the_limit_of_descriptors_stops_neither_server_nor_disk(
    tmp_path: Path,
) -> None:
    limited = (
        'ulimit -n 400 && exec "$0" -m vieneu_colab_server --port=0 --engine=tone_engine:create'
    )
    environ = {**without_coverage(os.environ), "PYTHONPATH": str(SUPPORT)}
    environ["VIENEU_SERVER_TOKEN"] = TOKEN
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["bash", "-c", limited, sys.executable],
            stdout=subprocess.PIPE,
            stderr=written,
            env=environ,
            text=True,
        )
    with process, ExitStack() as opened:
        opened.callback(process.kill)
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("Listening on ")).split()[-1]
        host, _, port = url.removeprefix("http://").partition(":")
        for _ in range(600):
            with suppress(ConnectionError):
                opened.enter_context(socket.create_connection((host, int(port)), timeout=GUARD_S))
        for _ in range(10):
            with urlopen(url + LIVEZ, timeout=GUARD_S) as answer:  # noqa: S310 - our own address
                assert answer.status == 200
    assert log.stat().st_size < 50_000


async def test_the_event_loop_does_not_depend_on_what_else_is_installed(site: Site) -> None:
    """uvicorn takes uvloop where another package has brought it; its transports are others."""
    assert site.server.config.loop == "asyncio"
