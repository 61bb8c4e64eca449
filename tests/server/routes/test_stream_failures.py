"""Streams that fail, and clients that go away."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from server_site import DecodedFrames, decode_frames, serving
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.errors import (
    AuthenticationError,
    BackendUnavailableError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM

SENTENCES = ["Đây là câu 1.", "Và đây là câu 20.", "Cuối cùng là câu 40."]
TEXT = " ".join(SENTENCES)
FORMS = [(FRAMES_PCM, False), (FRAMES_OPUS, True)]


def what_was_said(sentences: list[str] = SENTENCES) -> list[Any]:
    return [expected(sentence) for sentence in sentences]


class OddError(Exception):
    """An error that nobody has a name for."""


class OddBackend(ScriptedBackend):
    """Fails in a way of its own after the first chunk."""

    async def stream(self, request: Any) -> Any:
        async for chunk in super().stream(request):
            yield chunk
            raise OddError


async def test_no_status_is_sent_before_the_first_samples() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold, error=SynthesisFailedError("No tone."))])

    async with serving(backend) as site:
        answer = asyncio.ensure_future(
            site.session.post(site.url + "/tts/stream", json={"text": TEXT})
        )
        await until(lambda: backend.record.begun)
        assert not answer.done()
        hold.set()
        response = await answer

        assert (await site.problem(response)).code == "synthesis_failed"
        assert response.status == 500


@pytest.mark.parametrize(("accept", "opus"), FORMS)
async def test_a_failure_midway_is_an_error_frame(accept: str, opus: bool) -> None:
    error = SynthesisFailedError("No tone for this.", remedy="Try another.")
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, error=error)])

    got = await stream(backend, accept, opus=opus)

    assert got.problem is not None
    assert (got.problem.code, got.problem.detail) == ("synthesis_failed", "No tone for this.")
    assert got.n_stated is None
    assert same(heard(got.sentences[0], 24_000), what_was_said(SENTENCES[:1]))


async def test_an_end_in_the_middle_of_a_sentence_is_an_error_too() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, truncate=True)])

    got = await stream(backend, FRAMES_PCM, opus=False)

    assert got.problem is not None
    assert got.problem.code == "interrupted"


async def test_an_error_without_a_name_is_an_error_frame_that_tells_nothing() -> None:
    got = await stream(OddBackend(), FRAMES_PCM, opus=False)

    assert got.problem is not None
    assert got.problem.code == "internal"
    assert "OddError" not in got.problem.detail


async def test_speech_that_takes_too_long_ends_with_an_error() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, hold=asyncio.Event())])

    got = await stream(backend, FRAMES_PCM, opus=False, deadline_s=0.2)

    assert got.problem is not None
    assert got.problem.code == "deadline"
    assert backend.record.closed_early == 1


@pytest.mark.parametrize("accept", ["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg"])
async def test_plain_audio_that_failed_has_no_clean_end(accept: str) -> None:
    error = SynthesisFailedError("No tone for this.")
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, error=error)])

    async with (
        serving(backend) as site,
        site.post("/tts/stream", json={"text": TEXT}, headers={"Accept": accept}) as response,
    ):
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (VoiceNotFoundError("No voice."), 404, "voice_not_found"),
        (BackendUnavailableError("Not now."), 503, "unavailable"),
        (AuthenticationError("Your upstream token."), 503, "unavailable"),
    ],
)
async def test_errors_of_the_backend_before_the_first_audio(
    error: Exception, status: int, code: str
) -> None:
    backend = ScriptedBackend([ScriptStep(error=error)])  # type: ignore[arg-type]  # all are ours

    async with (
        serving(backend) as site,
        site.post("/tts/stream", json={"text": TEXT, "request_id": " id "}) as response,
    ):
        assert (await site.problem(response)).code == code
        assert response.status == status
        assert response.headers["Vieneu-Request-Id"] == "id"


async def stream(
    backend: ScriptedBackend, accept: str, *, opus: bool, **settings: Any
) -> DecodedFrames:
    async with (
        serving(backend, **settings) as site,
        site.post("/tts/stream", json={"text": TEXT}, headers={"Accept": accept}) as response,
    ):
        assert response.status == 200
        return decode_frames(await response.read(), opus=opus)


@pytest.mark.parametrize("within_s", [None, 5.0])
@pytest.mark.parametrize("n_read", [1, 200_000])
async def test_synthesis_stops_when_the_client_has_gone(
    within_s: float | None, n_read: int
) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(chunk_delay_s=0.001)
    body = {"text": "câu 3 " * 600, "first_audio_within_s": within_s}

    async with serving(backend) as site:
        response = await site.session.post(
            site.url + "/tts/stream", json=body, headers={"Accept": FRAMES_PCM}
        )
        await response.content.readexactly(n_read)
        response.close()
        await until(lambda: not backend.in_flight)
        await until(lambda: site.service.queue.depth == 0)

    assert backend.record.closed_early == 1


async def test_a_client_that_takes_nothing_for_long_is_gone() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)
    body = {"text": "câu 3 " * 600}

    async with serving(backend, send_timeout_s=0.1, max_recording_bytes=200_000) as site:
        response = await site.session.post(
            site.url + "/tts/stream", json=body, headers={"Accept": FRAMES_PCM}
        )
        await until(lambda: not backend.in_flight)
        response.close()

    assert backend.record.closed_early == 1
