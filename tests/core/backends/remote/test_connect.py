"""Loading, health, names, certificates and time: all that comes before the first word."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import line_faults
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from fake_clock import FakeClock
from fault_line import Moment
from guard import GUARD_S
from remote_site import PATIENT, RemoteSite, json_reply
from server_site import TOKEN
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts, RetryPolicy
from vieneu_core.errors import (
    BackendConnectionError,
    BackendNotLoadedError,
    BadResponseError,
    ConnectTimeoutError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    HostNotFoundError,
)
from vieneu_core.i18n import translated
from vieneu_core.synthesis import SynthesisRequest

TEXT = "Xin chào câu 7."


class NoSuchName(AbstractResolver):
    """A name server that knows a name only after some questions."""

    def __init__(self, port: int, unknown: int) -> None:
        self.port = port
        self.unknown = unknown
        self.asked = 0

    async def resolve(self, host: str, *_: Any, **__: Any) -> list[ResolveResult]:
        self.asked += 1
        if self.asked <= self.unknown:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self.port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        pass


class NeverAnswers(NoSuchName):
    async def resolve(self, host: str, *_: Any, **__: Any) -> list[ResolveResult]:
        await asyncio.Event().wait()
        raise AssertionError(host)


# --- names -----------------------------------------------------------------------------------


async def advance_until_done(task: asyncio.Task[None], clock: FakeClock, step_s: float) -> None:
    async with asyncio.timeout(GUARD_S):
        while not task.done():
            await clock.advance(step_s)
            await asyncio.sleep(0.005)


async def test_the_name_of_a_new_tunnel_may_take_a_while(site: RemoteSite) -> None:
    clock = FakeClock()
    resolver = NoSuchName(site.address[1], unknown=5)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        remote = site.client("http://new-tunnel.local", session=session, clock=clock)

        task = asyncio.create_task(remote.load())
        await advance_until_done(task, clock, 0.5)

        task.result()
        assert resolver.asked == 6


async def test_a_name_that_stays_unknown_is_told_after_a_minute(site: RemoteSite) -> None:
    clock = FakeClock()
    resolver = NoSuchName(1, unknown=10_000)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        remote = site.client("http://new-tunnel.local", session=session, clock=clock)
        began_s = clock.monotonic()

        task = asyncio.create_task(remote.load())
        await advance_until_done(task, clock, 1.0)

        with pytest.raises(HostNotFoundError, match=r"new-tunnel\.local"):
            task.result()
        assert 50 <= clock.monotonic() - began_s <= 65
        n_asked = resolver.asked
        with pytest.raises(HostNotFoundError):
            await remote.load()
        assert resolver.asked == n_asked + 1


async def test_a_name_lost_later_is_told_at_once(site: RemoteSite) -> None:
    resolver = NoSuchName(site.address[1], unknown=0)
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        remote = await site.loaded(url="http://tunnel.local", session=session)
        resolver.unknown = 10_000

        with pytest.raises(HostNotFoundError) as caught:
            await synthesize(remote, SynthesisRequest(text=TEXT))

        assert caught.value.backend == "remote"
        assert resolver.asked == 2


async def test_no_connection_in_time_is_a_connect_timeout(site: RemoteSite) -> None:
    limits = RemoteTimeouts(connect_s=0.2, first_byte_s=30)
    connector = aiohttp.TCPConnector(resolver=NeverAnswers(1, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        remote = site.client("http://gpu.local", session=session, timeouts=limits)

        with pytest.raises(ConnectTimeoutError, match=r"gpu\.local .* 0\.2 s"):
            await remote.load()


async def test_a_refused_connection_is_told_without_traffic(site: RemoteSite) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    traffic: list[int] = []
    remote = site.client(
        f"http://127.0.0.1:{port}", on_traffic=lambda n, size: traffic.append(n + size)
    )

    with pytest.raises(BackendConnectionError, match=f"127.0.0.1:{port}") as caught:
        await remote.load()

    assert traffic == []
    said = translated(caught.value.detail, "vi")
    assert said == f"Không kết nối được tới 127.0.0.1:{port}: kết nối bị từ chối."


# --- deadlines and the end --------------------------------------------------------------------


async def test_a_dead_line_to_health_is_told_in_time(site: RemoteSite) -> None:
    limits = RemoteTimeouts(connect_s=2, first_byte_s=1, between_chunks_s=30)
    site.go_wrong(line_faults.half_open, method="GET")

    with pytest.raises(FirstByteTimeoutError, match=r"localhost:\d+ sent nothing"):
        await site.client(timeouts=limits).load()


async def test_a_health_report_that_trickles_has_an_end(site: RemoteSite) -> None:
    limits = RemoteTimeouts(connect_s=2, first_byte_s=2, between_chunks_s=30)
    site.go_wrong(line_faults.trickle(0.1, n_bytes=1), method="GET")

    with pytest.raises(DeadlineExceededError):
        await site.client(timeouts=limits).load()


async def test_waiting_in_all_has_an_end(site: RemoteSite) -> None:
    limits = RemoteTimeouts(
        total_s=3, connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=60
    )
    remote = await site.loaded(timeouts=limits)
    site.go_wrong(line_faults.trickle(0.05), Moment.DURING)

    with pytest.raises(DeadlineExceededError, match=r"\b3 s of waiting"):
        await synthesize(remote, SynthesisRequest(text=TEXT))


async def test_tries_share_one_deadline(site: RemoteSite) -> None:
    limits = RemoteTimeouts(
        total_s=1, connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=20
    )
    clock = FakeClock()
    policy = RetryPolicy(first_wait_s=0.7, longest_wait_s=10)
    remote = await site.loaded(timeouts=limits, clock=clock, retries=policy)
    site.go_wrong(line_faults.reset, times=8)

    task = asyncio.create_task(synthesize(remote, SynthesisRequest(text=TEXT)))
    await advance_until_done(task, clock, 0.1)  # type: ignore[arg-type]  # only waits for it

    with pytest.raises(BackendConnectionError):
        task.result()
    # Two tries; the first of them twice, because its connection might have been idle too long.
    assert len(site.proxy.posts()) == 3


async def test_a_wait_that_the_server_asks_for_is_kept(site: RemoteSite) -> None:
    clock = FakeClock()
    remote = await site.loaded(clock=clock, retries=RetryPolicy())
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply("server_503_busy")))
    began_s = clock.monotonic()

    task = asyncio.create_task(synthesize(remote, SynthesisRequest(text=TEXT)))
    await advance_until_done(task, clock, 0.1)  # type: ignore[arg-type]  # only waits for it

    assert same(heard(task.result().pcm, 24_000), [expected(TEXT)])
    assert clock.monotonic() - began_s >= 1


async def test_cancelling_is_cancelling(site: RemoteSite) -> None:
    site.go_wrong(line_faults.half_open)
    remote = await site.loaded(timeouts=PATIENT)

    task = asyncio.create_task(synthesize(remote, SynthesisRequest(text=TEXT)))
    async with asyncio.timeout(GUARD_S):
        await site.proxy.asked.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_load_at_the_same_time_is_one_load(site: RemoteSite) -> None:
    remote = site.client()

    await asyncio.gather(*(remote.load() for _ in range(5)))

    assert len(site.proxy.seen) == 1


async def test_a_backend_that_was_never_used_closes_without_a_trace() -> None:
    remote = RemoteBackend("https://abc.example", TOKEN)

    await remote.aclose()
    await remote.aclose()


async def test_a_backend_that_is_closed_while_it_loads_stays_closed(site: RemoteSite) -> None:
    clock = FakeClock()
    resolver = NoSuchName(site.address[1], unknown=5)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        remote = site.client("http://new-tunnel.local", session=session, clock=clock)
        task = asyncio.create_task(remote.load())
        while not resolver.asked:  # noqa: ASYNC110 - a number in a double, not an event
            await asyncio.sleep(0.01)

        await remote.aclose()
        await advance_until_done(task, clock, 0.5)

        with pytest.raises(BackendNotLoadedError):
            task.result()
        with pytest.raises(BackendNotLoadedError):
            await remote.voices()


async def test_a_request_for_health_is_never_the_callers_fault(site: RemoteSite) -> None:
    problem = b'{"title":"x","detail":"no such path","code":"request","status":404}'
    site.proxy.canned["/health"] = json_reply(problem, "404 Not Found")
    with pytest.raises(BadResponseError, match="no such path"):
        await site.client().load()
