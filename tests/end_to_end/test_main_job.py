"""The main job on real input: both modes, a switch, a kill in the middle, and the way back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest
from guard import GUARD_S
from router_rig import pcm, speakers
from server_process import running_server
from system_rig import OpenSystem, SystemRig, heard_of, nothing_lost, open_rig, sentences
from waiting import until

from vieneu_core.audio.pauses import LEAST_S, NATURAL_PAUSES
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk
from vieneu_core.backends.base import BackendState
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import AuthenticationError, BackendError
from vieneu_core.router import FailedBack, FailedOver, Mode, RemoteLost, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest

NEWS = sentences(6)
TEXT = " ".join(NEWS)
VIETNAMESE = (
    "Xin chào, tôi là giọng nói của ngôi nhà. Hôm nay ở TP. Hồ Chí Minh 25,5 độ, có mưa lúc 7:30! "
    "Chỉ số PM2.5 là 38… Cửa trước đang mở, bạn có muốn tôi khoá lại không?"
)


PACED = RouterPolicy(pauses=NATURAL_PAUSES)
"""With the pauses that a server makes too."""


async def spoken_while(rig: SystemRig, happens: Callable[[], object]) -> list[AudioChunk]:
    """Speak the news; in the middle of its first sentence something happens."""
    chunks: list[AudioChunk] = []
    async with aclosing(rig.router.stream(SynthesisRequest(text=TEXT))) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            if len(chunks) == 2:
                happens()
    return chunks


@pytest.mark.parametrize(("mode", "name"), [(Mode.LOCAL, "local"), (Mode.REMOTE, "remote")])
async def test_both_modes_speak(rigs: OpenSystem, mode: Mode, name: str) -> None:
    rig = await rigs(mode=mode)
    chunks = await rig.speak(TEXT)
    nothing_lost(chunks, NEWS)
    assert speakers(chunks) == [name] * 6


@pytest.mark.usefixtures("no_leaks")
async def test_real_vietnamese_is_heard_from_both_and_sounds_the_same() -> None:
    async with (
        running_server("espeak") as server,
        open_rig(server=server, engine="espeak", mode=Mode.REMOTE, policy=PACED) as rig,
    ):
        far = await rig.speak(VIETNAMESE)
        rig.router.set_mode(Mode.LOCAL)
        near = await rig.speak(VIETNAMESE)
        assert speakers(far) == ["remote"] * 4
        assert speakers(near) == ["local"] * 4
        # The same engine, once through Opus and a socket, which blurs the edges of three pauses.
        longest = 3 * round(LEAST_S * near[0].sample_rate_hz) * BYTES_PER_SAMPLE
        assert abs(len(pcm(far)) - len(pcm(near))) <= longest
        assert 8.0 < sum(chunk.seconds for chunk in near) < 30.0
        assert {chunk.speaker.engine for chunk in far + near} == {"espeak"}


async def test_a_server_killed_in_the_middle_is_told_and_speech_goes_on(rigs: OpenSystem) -> None:
    rig = await rigs()
    assert rig.server is not None
    server = rig.server.pid
    chunks = await spoken_while(rig, lambda: os.kill(server, signal.SIGKILL))
    nothing_lost(chunks, NEWS)
    after = await rig.speak(TEXT)
    nothing_lost(after, NEWS)
    assert speakers(after) == ["local"] * 6
    assert all(chunk.speaker.fallback for chunk in after)
    await until(lambda: rig.router.active == "local" and bool(rig.received(RemoteLost)))
    assert len(rig.received(FailedOver)) == len(rig.received(RemoteLost)) == 1


@pytest.mark.usefixtures("no_leaks")
async def test_a_server_that_returns_at_the_same_address_gets_its_requests_back() -> None:
    async with running_server() as first, open_rig(server=first) as rig:
        port = int(first.url.rsplit(":", 1)[1])
        os.kill(first.pid, signal.SIGKILL)
        await first.stopped()
        for _ in range(3):
            nothing_lost(await rig.speak(TEXT), NEWS)
        assert rig.router.active == "local"
        async with running_server(port=port):
            await until(lambda: rig.router.active == "remote", within_s=GUARD_S)
            await asyncio.sleep(0)
            assert len(rig.received(FailedBack)) == 1
            chunks = await rig.speak(TEXT)
            nothing_lost(chunks, NEWS)
            assert speakers(chunks) == ["remote"] * 6


async def test_a_server_that_drains_ends_what_it_speaks_and_the_rest_is_spoken_here(
    rigs: OpenSystem,
) -> None:
    rig = await rigs()
    assert rig.server is not None
    chunks = await spoken_while(rig, rig.server.process.terminate)
    nothing_lost(chunks, NEWS)
    assert len(heard_of(chunks)) == 6  # a drain breaks nothing off, so nothing is heard twice
    assert await rig.server.stopped() == 0


async def test_the_first_sentence_is_heard_before_the_last_is_written(rigs: OpenSystem) -> None:
    rig = await rigs()
    heard_first = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        for word in f"{NEWS[0]} {NEWS[1]} ".split(" "):
            yield word + " "
        await heard_first.wait()
        yield NEWS[2]

    chunks: list[AudioChunk] = []
    async for chunk in rig.router.stream(SynthesisRequest(text=typed())):
        chunks.append(chunk)
        heard_first.set()
    nothing_lost(chunks, NEWS[:3])


async def test_a_wrong_token_is_named_speech_goes_on_and_the_server_is_left_alone(
    rigs: OpenSystem,
) -> None:
    rig = await rigs()
    assert rig.server is not None
    stale = RemoteBackend(rig.server.url, "a-token-from-yesterday-0123456789ab")
    await rig.router.set_remote(stale)
    status = rig.router.status().backend("remote")
    assert status is not None
    assert status.state is BackendState.UNAUTHORIZED
    nothing_lost(await rig.speak(TEXT), NEWS)
    with pytest.raises(AuthenticationError) as caught:
        await rig.router.check("remote")
    assert "yesterday" not in f"{caught.value!r} {caught.value} {rig.router.status()} {stale!r}"
    fresh = RemoteBackend(rig.server.url, rig.server.token)
    await rig.router.set_remote(fresh)
    assert speakers(await rig.speak(TEXT)) == ["remote"] * 6


async def test_a_switch_to_a_dead_server_is_refused_and_nothing_changes(rigs: OpenSystem) -> None:
    rig = await rigs(mode=Mode.LOCAL)
    assert rig.server is not None
    os.kill(rig.server.pid, signal.SIGKILL)
    await rig.server.stopped()
    with pytest.raises(BackendError):
        await rig.router.check("remote")
    with pytest.raises(BackendError, match=r"127\.0\.0\.1"):
        rig.router.set_mode(Mode.REMOTE)
    assert rig.router.mode is Mode.LOCAL
    nothing_lost(await rig.speak(TEXT), NEWS)


async def test_everything_at_once_killed_and_still_no_sentence_is_lost(rigs: OpenSystem) -> None:
    rig = await rigs()
    assert rig.server is not None
    workers = (rig.local.worker_pid, rig.last_resort.worker_pid)
    everything = [pid for pid in (rig.server.pid, *workers) if pid is not None]
    assert len(everything) == 3

    def kill_all() -> None:
        for pid in everything:
            os.kill(pid, signal.SIGKILL)

    chunks = await spoken_while(rig, kill_all)
    nothing_lost(chunks, NEWS)
