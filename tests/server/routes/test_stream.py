"""Streams that end well: every form of audio, as it is made."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
import soundfile
from server_site import TOKEN, Site, decode_frames, serving
from tone_engine import expected, heard, same

from vieneu_core.audio.decode import decode_clip
from vieneu_core.errors import (
    SynthesisFailedError,
)
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM

SENTENCES = ["Đây là câu 1.", "Và đây là câu 20.", "Cuối cùng là câu 40."]
TEXT = " ".join(SENTENCES)
FORMS = [(FRAMES_PCM, False), (FRAMES_OPUS, True)]


def what_was_said(sentences: list[str] = SENTENCES) -> list[Any]:
    return [expected(sentence) for sentence in sentences]


@pytest.mark.parametrize(("accept", "opus"), FORMS)
@pytest.mark.parametrize("text", [TEXT, SENTENCES], ids=["text", "sentences"])
async def test_every_sentence_is_heard_in_our_framing(
    site: Site, accept: str, opus: bool, text: str | list[str]
) -> None:
    body = {"text": text, "request_id": "the-id"}

    async with site.post("/tts/stream", json=body, headers={"Accept": accept}) as response:
        data = await response.read()

    got = decode_frames(data, opus=opus)
    assert response.content_type == accept
    assert response.headers["Vieneu-Request-Id"] == "the-id"
    assert same(heard(got.pcm, got.sample_rate_hz), what_was_said())
    assert got.n_stated == 3
    assert {(start.engine, start.voice) for start in got.starts} == {("scripted", "vi-tone")}


@pytest.mark.parametrize(
    ("accept", "content_type", "tolerance_s"),
    [
        (None, "audio/wav", 0.01),
        ("*/*", "audio/wav", 0.01),
        ("audio/wav", "audio/wav", 0.01),
        ("audio/flac", "audio/flac", 0.01),
        ("audio/ogg", "audio/ogg", 0.04),
        ("audio/mpeg", "audio/mpeg", 0.04),
        ("text/html, audio/flac;q=0.5, audio/mpeg;q=0.9", "audio/mpeg", 0.04),
    ],
)
async def test_plain_audio_is_heard_by_any_player(
    site: Site, accept: str | None, content_type: str, tolerance_s: float
) -> None:
    headers = {} if accept is None else {"Accept": accept}

    async with site.post("/tts/stream", json={"text": TEXT}, headers=headers) as response:
        data = await response.read()

    clip = decode_clip(data, max_seconds=60)
    assert response.content_type == content_type
    assert same(heard(clip.pcm, clip.sample_rate_hz), what_was_said(), tolerance_s=tolerance_s)


async def test_a_wav_stream_is_read_by_another_library_too(site: Site) -> None:
    async with site.post("/tts/stream", json={"text": TEXT}) as response:
        data = await response.read()

    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == 24_000
    assert same(heard(samples.tobytes(), rate), what_was_said())


async def test_an_accept_that_nothing_fits_gets_406_with_what_there_is(site: Site) -> None:
    headers = {"Accept": "image/png"}

    async with site.post("/tts/stream", json={"text": TEXT}, headers=headers) as response:
        problem = await site.problem(response)

    assert response.status == 406
    assert "audio/flac" in problem.detail


async def test_the_first_audio_is_sent_before_the_last_is_made() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=2, hold=hold)])
    headers = {"Accept": FRAMES_PCM}

    async with (
        serving(backend) as site,
        site.post("/tts/stream", json={"text": TEXT}, headers=headers) as response,
    ):
        data = b""
        while b'"n_samples"' not in data:
            data += await response.content.readany()
        hold.set()
        data += await response.read()

    got = decode_frames(data, opus=False)
    assert same(heard(got.pcm, 24_000), what_was_said())


async def test_a_client_without_chunks_gets_the_length_first(site: Site) -> None:
    head, body = await http_1_0(site, "*/*")

    assert b" 200 " in head
    assert b"content-length: %d" % len(body) in head.lower()
    assert same(heard(decode_clip(body, max_seconds=60).pcm, 24_000), what_was_said())


async def test_a_client_without_chunks_gets_an_error_in_place_of_half_a_file() -> None:
    error = SynthesisFailedError("No tone for this.")
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, error=error)])

    async with serving(backend) as site:
        head, body = await http_1_0(site, "*/*")

    assert b" 500 " in head
    assert b"synthesis_failed" in body


async def test_a_slow_client_holds_back_the_speech_and_loses_none_of_it() -> None:
    backend = ScriptedBackend()
    sentences = [f"Đây là câu {n}, nó khá dài để đầy bộ nhớ." for n in range(12)]

    async with serving(backend, max_recording_bytes=60_000) as site:
        response = await site.session.post(
            site.url + "/tts/stream", json={"text": sentences}, headers={"Accept": FRAMES_PCM}
        )
        data = b""
        while part := await response.content.read(20_000):
            data += part
            assert site.service.recorder.n_bytes < 70_000
            await asyncio.sleep(0.001)

    got = decode_frames(data, opus=False)
    assert same(heard(got.pcm, 24_000), what_was_said(sentences))


async def test_the_speed_and_the_voice_reach_the_backend(
    site: Site, backend: ScriptedBackend
) -> None:
    body = {"text": "Một.", "speed": 1.5, "voice": "en-tone", "language": "en", "request_id": "x"}

    async with site.post("/tts/stream", json=body) as response:
        assert response.status == 200

    (request,) = backend.record.requests
    assert (request.speed, request.voice, request.language) == (1.5, "en-tone", "en")
    assert request.request_id == "x"


async def http_1_0(site: Site, accept: str) -> tuple[bytes, bytes]:
    body = json.dumps({"text": TEXT}).encode()
    reader, writer = await asyncio.open_connection(*site.address)
    writer.write(
        b"POST /tts/stream HTTP/1.0\r\nContent-Type: application/json\r\n"
        + f"Accept: {accept}\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return head, rest


@pytest.mark.parametrize("within_s", [None, 250.0])
async def test_a_client_that_states_how_long_it_waits_hears_a_slow_engine_as_it_speaks(
    site: Site, backend: ScriptedBackend, within_s: float | None
) -> None:
    body = {"text": "Đây là câu 5.", "first_audio_within_s": within_s}
    async with site.post("/tts/stream", json=body) as response:
        await response.read()

    assert backend.record.requests[0].limits_pauses is (within_s is not None)
