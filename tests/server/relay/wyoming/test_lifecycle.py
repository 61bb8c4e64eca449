"""Addresses, connections that end, and the graceful stop."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import cast

import pytest
from fake_clock import FakeClock
from guard import GUARD_S
from pydantic import SecretStr
from server_site import TOKEN
from tone_engine import expected, same
from waiting import until
from wyoming.client import AsyncClient
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop
from wyoming_site import WyomingSite, reply, say_whole, serving_wyoming

from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.relay.app import _serving
from vieneu_colab_server.relay.wyoming import wyoming_server_class
from vieneu_colab_server.relay.wyoming.listening import (
    DEFAULT_ADDRESS,
    TcpAddress,
    UnixAddress,
    parse_address,
)
from vieneu_colab_server.relay.wyoming.server import WyomingServer
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.errors import ConfigurationError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCE = "Đây là câu 7."
TONES = [expected(SENTENCE)]


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        (DEFAULT_ADDRESS, TcpAddress("127.0.0.1", 10200)),
        ("tcp://0.0.0.0:10200/", TcpAddress("0.0.0.0", 10200)),  # noqa: S104 - parsed, not bound
        ("tcp://[::1]:0", TcpAddress("::1", 0)),
        ("unix:///run/vieneu/wyoming.sock", UnixAddress(Path("/run/vieneu/wyoming.sock"))),
    ],
)
def test_an_address_is_a_port_or_a_file(uri: str, address: object) -> None:
    assert parse_address(uri) == address


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "10200",
        "0.0.0.0:10200",
        "tcp://127.0.0.1",
        "tcp://:10200",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:10200/path",
        "tcp://me:secret@127.0.0.1:10200",
        "http://127.0.0.1:10200",
        "stdio://",
        "unix://run/x.sock",
        "unix:///",
        "tcp://[::1:10200",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Write tcp://127\.0\.0\.1:10200") as failure:
        parse_address(uri)
    assert "secret" not in str(failure.value)


def test_the_class_of_the_server_is_there_with_its_extra() -> None:
    assert wyoming_server_class() is WyomingServer


@pytest.mark.parametrize("address", ["tcp://localhost:0", "tcp://0.0.0.0:0"])
async def test_a_free_port_is_taken_and_named(backend: ScriptedBackend, address: str) -> None:
    async with serving_wyoming(backend, address=address) as site, site.client() as client:
        assert not site.url.endswith(":0")
        assert same((await say_whole(client, SENTENCE)).tones, TONES)
    with pytest.raises(RuntimeError, match="not started"):
        _ = site.server.url


async def test_a_port_in_use_is_named(wyoming: WyomingSite, backend: ScriptedBackend) -> None:
    second = WyomingServer(wyoming.url, backend.stream, backend.voices)
    with pytest.raises(ConfigurationError, match=wyoming.url):
        await second.start()


async def test_a_unix_socket_replaces_what_a_killed_server_has_left_and_nothing_else(
    backend: ScriptedBackend, tmp_path: Path
) -> None:
    path = tmp_path / "wyoming.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    address = f"unix://{path}"
    async with serving_wyoming(backend, address=address) as site, site.client() as client:
        assert site.url == address
        assert same((await say_whole(client, SENTENCE)).tones, TONES)
        second = WyomingServer(address, backend.stream, backend.voices)
        with pytest.raises(ConfigurationError, match="cannot listen"):
            await second.start()
        assert same((await say_whole(client, SENTENCE)).tones, TONES)
    assert not path.exists()

    path.write_text("a file of somebody")
    with pytest.raises(ConfigurationError, match="cannot listen"):
        await WyomingServer(address, backend.stream, backend.voices).start()
    assert path.read_text() == "a file of somebody"


@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_client_that_goes_stops_the_synthesis(
    wyoming: WyomingSite, backend: ScriptedBackend, *, in_pieces: bool
) -> None:
    backend.script = [ScriptStep(after_chunks=1, hold=asyncio.Event())]
    async with wyoming.client() as client:
        if in_pieces:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk(text=f"{SENTENCE} Và ").event())
        else:
            await client.write_event(Synthesize(text=SENTENCE).event())
        await until(lambda: backend.record.begun)
    await until(lambda: backend.record.closed_early)

    assert backend.in_flight == 0
    await until(lambda: wyoming.server.n_connections == 0)


async def test_a_client_that_goes_while_its_text_is_awaited_leaves_nothing(
    wyoming: WyomingSite, backend: ScriptedBackend
) -> None:
    async with wyoming.client() as client:
        await client.write_event(SynthesizeStart().event())
        await until(lambda: wyoming.server.n_connections)
    await until(lambda: wyoming.server.n_connections == 0)

    assert backend.record.requests == []


async def test_a_client_that_reads_nothing_is_disconnected_and_stops_the_synthesis(
    no_leaks: None,  # noqa: ARG001 - it looks afterwards
) -> None:
    # A minute at this rate is more than what the system takes for a client that does not read.
    backend = ScriptedBackend(sample_rate_hz=768_000)
    async with serving_wyoming(backend, send_timeout_s=0.2) as site, site.raw() as raw:
        await raw.event("synthesize", {"text": f"{SENTENCE} " * 100})
        await until(lambda: backend.record.closed_early)
        await until(lambda: site.server.n_connections == 0)


async def test_a_stop_finishes_what_is_spoken_and_takes_nothing_new(
    backend: ScriptedBackend,
) -> None:
    hold = asyncio.Event()
    backend.script = [ScriptStep(after_chunks=1, hold=hold)]
    async with serving_wyoming(backend) as site, site.client() as client, site.client() as idle:
        await client.write_event(Synthesize(text=SENTENCE).event())
        await until(lambda: backend.in_flight)
        stopping = asyncio.create_task(site.server.stop(GUARD_S))
        assert await idle.read_event() is None
        await client.write_event(Synthesize(text=SENTENCE).event())
        with pytest.raises(OSError, match="Connect call failed"):
            async with site.client():
                pass
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeStop().event())
        hold.set()

        assert same((await reply(client)).tones, TONES)
        await stopping
        assert len(backend.record.requests) == 1


async def test_a_stop_ends_with_an_error_what_takes_too_long(backend: ScriptedBackend) -> None:
    backend.script = [ScriptStep(after_chunks=1, hold=asyncio.Event())]
    async with (
        serving_wyoming(backend) as site,
        site.client() as client,
        site.client() as writing,
    ):
        await client.write_event(Synthesize(text=SENTENCE).event())
        await client.write_event(Synthesize(text=SENTENCE).event())
        await until(lambda: backend.in_flight)
        await _started(writing, site)
        await site.server.stop(0)

        assert [(await reply(client)).code for _ in range(2)] == ["draining"] * 2
        assert (await reply(writing)).code == "draining"
        assert await client.read_event() is None
        assert backend.in_flight == 0


async def _started(client: AsyncClient, site: WyomingSite) -> None:
    """Begin a text, and wait until the server knows of it."""
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text=" ").event())
    connections = site.server._connections.values()
    await until(lambda: any(c._writing is not None for c in connections))


async def test_all_clients_of_the_relay_share_the_time_of_one_drain() -> None:
    class Stopped:
        left_s: float | None = None

        async def start(self) -> None: ...

        async def stop(self, within_s: float) -> None:
            self.left_s = within_s

    settings = ServerSettings(token=SecretStr(TOKEN), drain_timeout_s=30.0)
    for http_took_s, left_s in ((0.0, 30.0), (20.0, 10.0), (40.0, 0.0)):
        clock, wyoming = FakeClock(), Stopped()
        lifecycle = Lifecycle(
            ScriptedBackend(), clock, session_limit_s=None, loading_retry_after_s=5.0
        )
        async with _serving(cast("WyomingServer", wyoming), settings, lifecycle):
            lifecycle.stop()
            await clock.advance(http_took_s)
        assert wyoming.left_s == left_s
