"""Speech of long jobs, preparations and replays is counted apart from what somebody waits for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest
from fake_clock import FakeClock
from measured_rig import TWO, TWO_S, Rig, labels, request_of

from vieneu_colab_server.relay.metrics.measurement import Source
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


@pytest.mark.parametrize("source", [Source.JOB, Source.PREPARATION])
async def test_speech_that_nobody_waits_for_is_apart_and_has_no_time_to_first_audio(
    clock: FakeClock, source: Source
) -> None:
    scripted = ScriptedBackend(name="local", clock=clock)
    await scripted.load()
    rig = Rig(scripted, clock, source)
    scripted.script = [ScriptStep(delay_s=1.5)]
    await rig.take(request_of(*TWO), [])

    metrics = rig.exposed()
    named = {"backend": "local", "source": source.value}
    assert rig.requests() == {labels(outcome="ok", **named): 1}
    assert metrics.value("vieneu_sentences_total", fallback="false", **named) == 2
    assert metrics.value("vieneu_audio_seconds_total", **named) == pytest.approx(TWO_S)
    factor = metrics.value("vieneu_real_time_factor_sum", **named)
    assert factor == pytest.approx(1.5 / TWO_S)
    assert metrics.counted("vieneu_first_audio_seconds_count") == {}


async def test_a_replay_is_counted_as_one_and_makes_no_backend_fast(clock: FakeClock) -> None:
    class Replaying(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            async with aclosing(super().stream(request)) as chunks:
                async for chunk in chunks:
                    yield replace(chunk, speaker=replace(chunk.speaker, cached=True))

    backend = Replaying(name="local", clock=clock)
    await backend.load()
    rig = Rig(backend, clock)
    await rig.take(request_of(*TWO), [])

    metrics = rig.exposed()
    named = {"backend": "local", "source": "cache"}
    assert rig.requests() == {labels(outcome="ok", **named): 1}
    assert metrics.counted("vieneu_sentences_total") == {labels(fallback="false", **named): 2}
    assert metrics.counted("vieneu_audio_seconds_total") == {labels(**named): pytest.approx(TWO_S)}
    assert metrics.counted("vieneu_first_audio_seconds_count") == {}
    assert metrics.counted("vieneu_real_time_factor_count") == {}
    assert metrics.counted("vieneu_requests_in_progress") == {}
