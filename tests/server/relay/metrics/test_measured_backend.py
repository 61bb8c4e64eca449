"""Every request is counted once, however it ends, and nothing of it is changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from exposition import exposed
from fake_clock import FakeClock, settle
from measured_rig import TWO, TWO_S, Rig, labels, request_of, take_all
from prometheus_client import CollectorRegistry
from router_rig import SENTENCES, RouterRig, assert_heard, lost
from tone_engine import expected, heard, same

from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState
from vieneu_core.errors import (
    BackendConnectionError,
    InvalidRequestError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.router import Mode, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

FAILED = SynthesisFailedError("No tone for this.")


@pytest.fixture
async def scripted(clock: FakeClock) -> ScriptedBackend:
    backend = ScriptedBackend(name="local", clock=clock)
    await backend.load()
    return backend


@pytest.fixture
def rig(scripted: ScriptedBackend, clock: FakeClock) -> Rig:
    return Rig(scripted, clock)


async def test_a_request_is_counted_with_its_sentences_and_its_audio(rig: Rig) -> None:
    chunks: list[AudioChunk] = []
    await rig.take(request_of(*TWO), chunks)

    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert same(heard(pcm, 24_000), [expected(sentence) for sentence in TWO])
    metrics = rig.exposed()
    assert rig.requests() == {labels(outcome="ok", backend="local", source="live"): 1}
    assert metrics.counted("vieneu_sentences_total") == {
        labels(backend="local", fallback="false", source="live"): 2
    }
    assert metrics.value(
        "vieneu_audio_seconds_total", backend="local", source="live"
    ) == pytest.approx(TWO_S)
    assert metrics.counted("vieneu_fallbacks_total") == {}
    assert metrics.value("vieneu_requests_in_progress", source="live") == 0


async def test_first_audio_and_the_real_time_factor_are_those_of_the_clock(
    rig: Rig, scripted: ScriptedBackend
) -> None:
    scripted.script = [ScriptStep(delay_s=1.5)]
    chunks: list[AudioChunk] = []
    await rig.take(request_of(*TWO), chunks)

    metrics = rig.exposed()
    assert metrics.value("vieneu_first_audio_seconds_sum", backend="local") == pytest.approx(1.5)
    assert metrics.value("vieneu_first_audio_seconds_count", backend="local") == 1
    factor = metrics.value("vieneu_real_time_factor_sum", backend="local", source="live")
    assert factor == pytest.approx(1.5 / TWO_S)


async def test_a_listener_that_takes_its_time_does_not_make_the_backend_slow(
    rig: Rig, clock: FakeClock
) -> None:
    async with aclosing(rig.backend.stream(request_of(TWO[0]))) as chunks:
        async for _ in chunks:
            await clock.advance(10.0)

    metrics = rig.exposed()
    assert metrics.value("vieneu_first_audio_seconds_sum", backend="local") == 0
    assert metrics.value("vieneu_real_time_factor_sum", backend="local", source="live") == 0


@pytest.mark.parametrize(
    ("error", "outcome", "backend"),
    [
        (FAILED, "synthesis_failed", "local"),
        (VoiceNotFoundError("There is none."), "voice_not_found", "none"),
        (BackendConnectionError("gone"), "connection", "local"),
    ],
)
async def test_a_request_that_fails_at_once_is_counted_once_by_its_code(
    rig: Rig, scripted: ScriptedBackend, error: Exception, outcome: str, backend: str
) -> None:
    scripted.script = [ScriptStep(error=error)]  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        await rig.take(request_of(*TWO), [])

    metrics = rig.exposed()
    assert rig.requests() == {labels(outcome=outcome, backend=backend, source="live"): 1}
    assert metrics.counted("vieneu_sentences_total") == {}
    assert metrics.counted("vieneu_first_audio_seconds_count") == {}
    assert metrics.counted("vieneu_real_time_factor_count") == {}


async def test_a_request_that_fails_midway_is_counted_once_with_what_was_heard(
    rig: Rig, scripted: ScriptedBackend
) -> None:
    scripted.script = [ScriptStep(at_sentence=1, after_chunks=2, error=FAILED)]
    chunks: list[AudioChunk] = []
    with pytest.raises(SynthesisFailedError):
        await rig.take(request_of(*TWO), chunks)

    metrics = rig.exposed()
    assert rig.requests() == {labels(outcome="synthesis_failed", backend="local", source="live"): 1}
    assert metrics.counted("vieneu_sentences_total") == {
        labels(backend="local", fallback="false", source="live"): 1
    }
    seconds = sum(chunk.seconds for chunk in chunks)
    assert metrics.value(
        "vieneu_audio_seconds_total", backend="local", source="live"
    ) == pytest.approx(seconds)
    assert metrics.counted("vieneu_real_time_factor_count") == {}


async def test_a_bug_is_counted_as_an_internal_error(clock: FakeClock) -> None:
    class Broken(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            del request
            raise ZeroDivisionError
            yield

    rig = Rig(Broken(), clock)
    with pytest.raises(ZeroDivisionError):
        await rig.take(request_of(*TWO), [])

    assert rig.requests() == {labels(outcome="internal", backend="none", source="live"): 1}


async def test_a_stream_that_is_closed_early_is_cancelled_and_stops_the_synthesis(
    rig: Rig, scripted: ScriptedBackend
) -> None:
    async with aclosing(rig.backend.stream(request_of(*TWO))) as chunks:
        await anext(chunks)
        assert rig.exposed().value("vieneu_requests_in_progress", source="live") == 1

    assert rig.requests() == {labels(outcome="cancelled", backend="local", source="live"): 1}
    assert rig.exposed().value("vieneu_requests_in_progress", source="live") == 0
    assert scripted.record.closed_early == 1


async def test_a_task_that_is_cancelled_while_it_waits_counts_once(
    rig: Rig, scripted: ScriptedBackend
) -> None:
    scripted.script = [ScriptStep(hold=asyncio.Event())]
    task = asyncio.ensure_future(take_all(rig.backend, request_of(*TWO), []))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert rig.requests() == {labels(outcome="cancelled", backend="none", source="live"): 1}


async def test_a_stream_that_nobody_began_and_what_is_no_request_are_not_counted(rig: Rig) -> None:
    await rig.backend.stream(request_of(*TWO)).aclose()
    with pytest.raises(InvalidRequestError):
        await collect(rig.backend.stream("Xin chào"))  # type: ignore[arg-type]

    assert rig.requests() == {}
    assert rig.exposed().value("vieneu_requests_in_progress", source="live") == 0


async def test_a_request_that_a_fallback_takes_over_is_one_request_and_one_fallback() -> None:
    async with RouterRig() as routed:
        rig = Rig(routed.router, routed.clock)
        # The first sentence is a passage of its own, the rest are the next one.
        cut = ScriptStep(at_sentence=1, after_chunks=1, error=lost())
        routed.remote.script = [ScriptStep(), cut]
        chunks: list[AudioChunk] = []
        await rig.take(request_of(*SENTENCES), chunks)

        assert_heard(chunks)
        metrics = rig.exposed()
        assert rig.requests() == {labels(outcome="ok", backend="local", source="live"): 1}
        assert metrics.counted("vieneu_sentences_total") == {
            labels(backend="remote", fallback="false", source="live"): 2,
            labels(backend="local", fallback="true", source="live"): 4,
        }
        assert metrics.counted("vieneu_fallbacks_total") == {
            labels(backend="local", source="live"): 1
        }
        first = metrics.counted("vieneu_first_audio_seconds_count")
        assert first == {labels(backend="remote"): 1}
        assert set(metrics.counted("vieneu_audio_seconds_total")) == {
            labels(backend="remote", source="live"),
            labels(backend="local", source="live"),
        }


async def test_a_request_that_no_backend_can_speak_names_none() -> None:
    policy = RouterPolicy(retry_for_s=0.0)
    async with RouterRig(Mode.REMOTE, policy) as routed:
        rig = Rig(routed.router, routed.clock)
        for backend in (routed.remote, routed.local, routed.last):
            backend.always = ScriptStep(error=lost())
        with pytest.raises(Exception, match="No backend could speak"):
            await rig.take(request_of(*TWO), [])

        assert rig.requests() == {
            labels(outcome="all_backends_failed", backend="none", source="live"): 1
        }


async def test_names_of_backends_from_elsewhere_share_one_label(clock: FakeClock) -> None:
    backend = ScriptedBackend(name="a-name-of-a-stranger", clock=clock)
    await backend.load()
    rig = Rig(backend, clock)
    await rig.take(request_of(*TWO), [])

    assert rig.requests() == {labels(outcome="ok", backend="other", source="live"): 1}
    assert not any("stranger" in str(sample.labels) for sample in rig.exposed())


async def test_neither_text_nor_voice_nor_request_id_is_in_a_label(rig: Rig) -> None:
    request = SynthesisRequest(text="Bí mật của tôi.", voice="vi-tone", request_id="req-123")
    await rig.take(request, [])

    written = "".join(str(sample.labels) for sample in rig.exposed())
    assert not any(secret in written for secret in ("Bí mật", "vi-tone", "req-123"))


async def test_all_else_is_passed_to_the_backend(clock: FakeClock) -> None:
    scripted = ScriptedBackend(name="local", clock=clock)
    measured = Rig(scripted, clock).backend
    assert measured.name == "local"
    async with measured:
        assert scripted.record.loads == 1
        assert (await measured.health()).state is BackendState.READY
        assert await measured.voices() == await scripted.voices()
        await measured.unload()
        assert scripted.record.unloads == 1
    with pytest.raises(Exception, match="closed"):
        await scripted.load()


async def test_hits_and_misses_of_a_cache_are_counted() -> None:
    registry = CollectorRegistry()
    speech = SpeechMetrics(registry)
    speech.cache_lookup(0.004)
    speech.cache_lookup(0.002)
    speech.cache_lookup(None)

    metrics = exposed(registry)
    assert metrics.value("vieneu_speech_cache_hits_total") == 2
    assert metrics.value("vieneu_speech_cache_misses_total") == 1
    assert metrics.value("vieneu_speech_cache_hit_seconds_sum") == pytest.approx(0.006)
