"""How long a listener waits: slow, hung and recovered backends, and sentences nobody can say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from listener import Listener
from router_rig import SENTENCES, TEXT, RouterRig, assert_heard, gather, speakers

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import (
    AllBackendsFailedError,
    TunnelQuotaError,
    UnpronounceableError,
    WorkerDiedError,
)
from vieneu_core.router import (
    BackendTooSlow,
    CircuitState,
    Mode,
    RouterPolicy,
    SentenceSkipped,
    SlowEngine,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SLOW = ScriptStep(chunk_delay_s=0.3)
"""Three seconds for a second of audio."""


async def listen(rig: RouterRig, text: str = TEXT) -> Listener:
    listener = Listener(rig.clock)
    await listener.listen(rig.router, SynthesisRequest(text=text))
    return listener


async def test_a_remote_slower_than_playback_is_left_before_the_listener_waits_long() -> None:
    async with RouterRig() as rig:
        rig.remote.always = SLOW
        heard = await listen(rig)
        assert_heard([c for c in heard.chunks if not c.restarted])
        assert heard.longest_silence_s <= 2.0
        assert set(heard.speakers) == {"local"}


async def test_a_remote_known_to_be_slow_begins_no_further_announcement() -> None:
    async with RouterRig() as rig:
        rig.remote.always = SLOW
        await listen(rig)
        n_asked = len(rig.remote.record.requests)
        heard = await listen(rig)
        assert heard.silences[0] <= 0.2
        spoken = [r for r in rig.remote.record.requests[n_asked:] if r.text != PROBED]
        assert spoken == []


PROBED = ("Xin chào.",)


async def test_the_probe_after_slow_speech_is_as_long_and_does_not_close_the_circuit() -> None:
    async with RouterRig() as rig:
        rig.remote.always = SLOW
        await listen(rig)
        rig.remote.record.requests.clear()
        await rig.clock.advance(30)
        for _ in range(200):
            await rig.clock.advance(0.5)
        probes = [request.text for request in rig.remote.record.requests]
        assert probes
        assert all(len(text[0]) >= len(SENTENCES[0]) for text in probes)  # type: ignore[index]
        assert rig.router.status().backend("remote").circuit is not CircuitState.CLOSED  # type: ignore[union-attr]
        rig.remote.always = ScriptStep()
        for _ in range(400):
            await rig.clock.advance(0.5)
        assert rig.router.active == "remote"


async def test_a_slow_local_engine_is_an_event_and_its_sentences_have_no_holes() -> None:
    policy = RouterPolicy(fallback_enabled=False)
    async with RouterRig(Mode.LOCAL, policy=policy) as rig:
        rig.local.always = ScriptStep(chunk_delay_s=0.12)
        heard = await listen(rig)
        assert_heard(heard.chunks)
        for number in range(len(SENTENCES)):
            parts = [
                silence
                for silence, chunk in zip(heard.silences, sounding(heard), strict=True)
                if chunk.sentence == number
            ]
            assert max(parts[1:]) <= 0.06, number
        assert rig.published(BackendTooSlow)
        assert rig.router.status().backend("local").state is BackendState.SLOW  # type: ignore[union-attr]


def sounding(heard: Listener) -> list[AudioChunk]:
    return [chunk for chunk in heard.chunks if chunk.pcm]


async def test_a_sentence_of_a_slow_engine_that_would_be_late_is_spoken_by_a_fallback() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000  # no thread resamples while the clock goes on
        rig.local.always = ScriptStep(chunk_delay_s=0.5)
        heard = await listen(rig)
        assert heard.longest_silence_s <= 3.0
        assert heard.speakers == ["last_resort"] * len(SENTENCES)


async def test_a_slow_engine_may_be_replaced_altogether() -> None:
    policy = RouterPolicy(slow_engine=SlowEngine.FALLBACK)
    async with RouterRig(Mode.LOCAL, policy=policy) as rig:
        rig.local.always = ScriptStep(chunk_delay_s=0.12)
        await listen(rig)
        assert rig.router.active == "last_resort"


async def test_a_hung_engine_costs_no_more_than_the_patience_and_only_once() -> None:
    policy = RouterPolicy(replaceable_stall_s=0.05, first_audio_s=0.05)
    async with RouterRig(Mode.LOCAL, policy=policy) as rig:
        rig.local.always = ScriptStep(hold=asyncio.Event())
        assert_heard(await rig.speak())
        rig.local.record.requests.clear()
        for _ in range(5):
            assert_heard(await rig.speak())
        live = [r for r in rig.local.record.requests if r.text[0] in SENTENCES]  # type: ignore[index]
        assert len(live) <= 2


async def test_the_chosen_voice_returns_after_two_sentences_of_a_fallback() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.script = [ScriptStep(), ScriptStep(error=WorkerDiedError("killed"))]
        text = " ".join(f"Đây là câu {n} của bản tin rất dài." for n in range(12))
        heard = await listen(rig, text)
        assert heard.speakers[0] == "local"
        assert heard.speakers.count("last_resort") <= 4
        assert heard.speakers[-1] == "local"


async def test_a_fallback_is_asked_once_for_the_rest_while_the_chosen_one_is_gone() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.script = [ScriptStep(), ScriptStep(error=WorkerDiedError("killed"))]
        rig.local.always = ScriptStep(error=WorkerDiedError("killed again"))
        heard = await listen(rig, " ".join(f"Đây là câu {n} của bản tin." for n in range(24)))
        assert heard.speakers == ["local", *["last_resort"] * 23]
        assert len(rig.last.record.requests) <= 5, "a server admits so many requests a minute"


class FailsAtItsEnd(ScriptedBackend):
    """Fails once all is said."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk
        raise WorkerDiedError("killed")


@pytest.mark.parametrize("text", [SENTENCES[0], TEXT], ids=["one", "all"])
async def test_a_failure_after_the_last_sentence_costs_nothing(text: str) -> None:
    async with RouterRig() as rig:
        await rig.router.set_remote(FailsAtItsEnd(name="remote", clock=rig.clock))
        heard = await listen(rig, text)
        spoken = [c.sentence for c in heard.chunks if c.final]
        assert spoken == list(range(1 if text == SENTENCES[0] else len(SENTENCES)))
        assert not any(c.restarted for c in heard.chunks)


class Latin(ScriptedBackend):
    """Finds nothing to say in a sentence with a letter of another script."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                assert isinstance(request.text, tuple)
                if "你" in request.text[chunk.sentence]:
                    raise UnpronounceableError("No sounds.")
                yield chunk


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_sentence_that_nobody_can_say_is_skipped_and_the_rest_is_said(at: int) -> None:
    said = ["Đây là câu 1.", "Đây là câu 2."]
    text = " ".join([*said[:at], "你好吗你.", *said[at:]])
    async with RouterRig() as rig:
        await rig.router.set_local(Latin(name="local", clock=rig.clock))
        await rig.router.set_remote(Latin(name="remote", clock=rig.clock))
        rig.last.always = ScriptStep()
        rig.router._pool._by_name["last_resort"].backend.__class__ = Latin
        chunks = await rig.speak(text)
        assert [c.sentence for c in chunks if c.final] == [0, 1, 2]
        assert [c.seconds for c in chunks if c.final and c.sentence == at] == [0.0]
        events = rig.published(SentenceSkipped)
        assert [event.sentence for event in events] == [at]  # type: ignore[attr-defined]
        with pytest.raises((UnpronounceableError, AllBackendsFailedError)):
            await rig.speak("你好吗你.")


async def test_a_pause_is_named_with_its_reason_and_its_end() -> None:
    async with RouterRig() as rig:
        quota = TunnelQuotaError("The tunnel's month is used up.", retry_after_s=380_160.0)
        rig.remote.script = [ScriptStep(error=quota)]
        assert set(speakers(await rig.speak())) == {"local"}
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.PAUSED
        assert status.pause is not None
        assert status.pause.cause.code == "tunnel_quota"
        assert status.pause.remaining_s == pytest.approx(380_160.0, abs=60)


async def test_a_busy_voice_speaks_where_the_others_are_busy_or_refuse_the_request() -> None:
    async with RouterRig(Mode.LOCAL, RouterPolicy(retry_for_s=0.0)) as rig:
        rig.last.sample_rate_hz = 24_000  # no thread resamples while the clock goes on
        rig.local.always = rig.last.always = ScriptStep(chunk_delay_s=0.09)
        await rig.speak()
        assert {*await speakers_of(rig, 2)} == {"local", "last_resort"}, "their speed is known"

        rig.remote.reported = Health(state=BackendState.READY, remaining_s=1.0)
        await rig.router.check("remote")
        rig.router.set_mode(Mode.REMOTE)
        assert {*await speakers_of(rig, 6)} == {"local", "last_resort"}


async def speakers_of(rig: RouterRig, n_at_once: int) -> list[str]:
    """Speak this many requests at once, each heard whole; return who spoke."""
    streams = [
        asyncio.create_task(gather(rig.router, SynthesisRequest(text=TEXT)))
        for _ in range(n_at_once)
    ]
    while not all(stream.done() for stream in streams):
        await rig.clock.advance(0.05)
        await asyncio.sleep(0)
    for stream in streams:
        assert_heard(stream.result())
    return [chunk.speaker.backend for stream in streams for chunk in stream.result()]
