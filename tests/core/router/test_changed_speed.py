"""Backends that become slow or busy: what they did before is no promise, nor one pause a habit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from guard import GUARD_S
from listener import Listener
from router_rig import RouterRig
from server_site import TOKEN, serving
from waiting import until

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.base import Backend
from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts
from vieneu_core.errors import BackendLoadingError
from vieneu_core.router import (
    BackendTooSlow,
    CircuitClosed,
    CircuitState,
    Mode,
    Router,
    RouterStatus,
)
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

BULLETIN = tuple(
    f"Đây là câu {n} của bản tin về thời tiết hôm nay ở các tỉnh miền núi phía Bắc và đồng bằng."
    for n in range(4)
)


async def listen(rig: RouterRig, *sentences: str) -> Listener:
    listener = Listener(rig.clock)
    await listener.listen(rig.router, SynthesisRequest(text=sentences))
    return listener


@pytest.mark.parametrize("mode", [Mode.LOCAL, Mode.REMOTE])
async def test_a_fast_engine_that_becomes_slow_leaves_no_sentence_full_of_holes(mode: Mode) -> None:
    async with RouterRig(mode) as rig:
        rig.last.sample_rate_hz = rig.local.sample_rate_hz  # no thread resamples meanwhile
        engine = rig.local if mode is Mode.LOCAL else rig.remote
        engine.always = ScriptStep(chunk_delay_s=0.02)
        for _ in range(2):
            await listen(rig, *BULLETIN)

        engine.always = ScriptStep(chunk_delay_s=0.3)
        heard = await listen(rig, *BULLETIN)

        sounding = [chunk for chunk in heard.chunks if chunk.pcm]
        for number in range(len(BULLETIN)):
            within = [
                silence
                for silence, chunk, before in zip(
                    heard.silences[1:], sounding[1:], sounding, strict=False
                )
                if chunk.sentence == before.sentence == number
            ]
            assert sum(silence > 0.06 for silence in within) <= 3, number
        assert heard.longest_silence_s <= 3.0


async def test_a_slow_backend_is_not_asked_again_after_a_probe_too_short_to_tell() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(chunk_delay_s=0.25)
        speakers: list[str] = []
        for _ in range(5):
            speakers += (await listen(rig, "Cửa đang mở.")).speakers
            for _ in range(16):
                await rig.clock.advance(0.5)

        assert speakers.count("remote") <= 2
        assert rig.published(CircuitClosed) == []
        (slow,) = rig.published(BackendTooSlow)
        assert isinstance(slow, BackendTooSlow)
        assert slow.real_time_factor > 1.0


async def test_a_backend_left_for_its_speed_at_once_is_told_at_once() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(chunk_delay_s=0.9)
        heard = await listen(rig, BULLETIN[0])
        assert heard.speakers == ["local"]
        (slow,) = rig.published(BackendTooSlow)
        assert isinstance(slow, BackendTooSlow)
        assert slow.real_time_factor > 1.0


class Crowded(ScriptedBackend):
    """Shows every second that others have their turn, and never speaks."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert request.text
        speaker = Speaker(backend=self.name, engine="", voice="")
        while True:
            yield AudioChunk(b"", self.sample_rate_hz, 0, speaker, waiting=True)
            await self._clock.sleep(1.0)


async def test_who_waits_two_seconds_for_a_turn_hears_another_voice_and_nothing_failed() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        await rig.router.set_local(Crowded(name="local", clock=rig.clock))
        rig.last.sample_rate_hz = 24_000
        for number in range(4):
            heard = await listen(rig, BULLETIN[number])
            assert heard.speakers == ["last_resort"]
            assert heard.longest_silence_s <= 2.1
        local = rig.router.status().backend("local")
        assert local is not None
        assert local.circuit is CircuitState.CLOSED


async def first_sound(router: Router, text: str) -> tuple[str, RouterStatus]:
    """Return the speaker of a sentence, and the router's status then."""
    async with asyncio.timeout(GUARD_S):
        speech = await collect(router.stream(SynthesisRequest(text=text)))
    return speech.speakers[0].backend, router.status()


def with_a_local_voice(remote: Backend) -> Router:
    return Router(local=ScriptedBackend(name="local"), remote=remote, mode=Mode.REMOTE)


async def test_waiting_for_ones_turn_on_a_busy_server_counts_as_no_failure() -> None:
    voice = ScriptedBackend()
    async with serving(voice, max_concurrent=1) as site:
        patient = RemoteTimeouts(first_byte_s=95.0, total_s=240.0)
        other = RemoteBackend(site.url, TOKEN, timeouts=patient, codec="pcm")
        await other.load()
        async with with_a_local_voice(RemoteBackend(site.url, TOKEN, codec="pcm")) as router:
            for number in range(4):
                hold = asyncio.Event()
                voice.script = [ScriptStep(hold=hold)]
                theirs = asyncio.create_task(
                    collect(other.stream(SynthesisRequest(text="Câu của nhà khác.")))
                )
                await until(lambda: voice.in_flight == 1)

                speaker, status = await first_sound(router, f"Đây là câu {number} của tôi.")

                hold.set()
                await theirs
                remote = status.backend("remote")
                assert speaker == "local"
                assert remote is not None
                assert remote.circuit is CircuitState.CLOSED
        await other.aclose()


async def test_a_server_that_loads_its_model_again_is_left_at_once_and_counts_as_no_failure() -> (
    None
):
    voice = ScriptedBackend()
    async with (
        serving(voice) as site,
        with_a_local_voice(RemoteBackend(site.url, TOKEN, codec="pcm")) as router,
    ):
        loading = BackendLoadingError("The worker is being started.", retry_after_s=1.2)
        voice.always = ScriptStep(error=loading)
        for number in range(4):
            speaker, status = await first_sound(router, f"Đây là câu {number} của tôi.")
            remote = status.backend("remote")
            assert speaker == "local"
            assert remote is not None
            assert remote.circuit is CircuitState.CLOSED
