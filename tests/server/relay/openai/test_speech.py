"""Speech through OpenAI's own client: every format, by what is heard."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from openai import AsyncOpenAI
from openai_client import OpenAISite, speaking
from player import played
from tone_engine import expected, heard, same

from vieneu_core.audio.silence import SILENCE_S
from vieneu_core.router import Router
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = ["Đây là câu 1.", "Và đây là câu 20.", "Cuối cùng là câu 40."]
TEXT = " ".join(SENTENCES)
Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FILES: list[tuple[Format, str]] = [
    ("mp3", "audio/mpeg"),
    ("opus", "audio/ogg"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
]
TOLERANCE_S = 0.05


def what_was_said(*, speed: float = 1.0) -> list[Any]:
    return [expected(sentence, speed=speed) for sentence in SENTENCES]


@pytest.mark.parametrize(("response_format", "content_type"), FILES)
async def test_every_sentence_is_heard_in_every_format(
    client: AsyncOpenAI, response_format: Format, content_type: str
) -> None:
    answer = await client.audio.speech.create(
        model="tts-1", input=TEXT, voice="alloy", response_format=response_format
    )

    clip = played(answer.content)
    assert answer.response.headers["content-type"] == content_type
    assert answer.response.headers["cache-control"] == "no-store, no-transform"
    assert answer.response.headers["x-accel-buffering"] == "no"
    assert same(heard(clip.pcm, clip.sample_rate_hz), what_was_said(), tolerance_s=TOLERANCE_S)


@pytest.mark.parametrize("text", ["👍", "<br/>", "***"])
async def test_signs_alone_are_a_short_silence(backend: ScriptedBackend, text: str) -> None:
    async with speaking(Router(local=backend)) as site:
        answer = await site.client.audio.speech.create(
            model="tts-1", input=text, voice="alloy", response_format="wav"
        )
    clip = played(answer.content)
    assert len(clip.pcm) / 2 / clip.sample_rate_hz == pytest.approx(SILENCE_S)
    assert not any(clip.pcm)


async def test_the_default_format_is_mp3(client: AsyncOpenAI) -> None:
    answer = await client.audio.speech.create(model="tts-1", input=TEXT, voice="alloy")

    assert answer.response.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 44_100, 48_000])
async def test_bare_samples_have_24_khz_whatever_the_engine_has(rate_hz: int) -> None:
    async with speaking(ScriptedBackend(sample_rate_hz=rate_hz)) as running:
        answer = await running.client.audio.speech.create(
            model="gpt-4o-mini-tts", input=TEXT, voice="coral", response_format="pcm"
        )

    assert answer.response.headers["content-type"] == "audio/pcm"
    assert same(heard(answer.content, 24_000), what_was_said(), tolerance_s=0.02)


@pytest.mark.parametrize("response_format", [name for name, _ in FILES] + ["pcm"])
async def test_the_first_audio_is_sent_before_the_last_is_made(response_format: Any) -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=2, hold=hold)])

    async with (
        speaking(backend) as running,
        running.client.audio.speech.with_streaming_response.create(
            model="tts-1", input=TEXT, voice="nova", response_format=response_format
        ) as response,
    ):
        parts = response.iter_bytes()
        data = await anext(parts)
        while len(data) < 2_000:
            data += await anext(parts)
        assert backend.in_flight
        hold.set()
        data += b"".join([part async for part in parts])

    pcm, rate_hz = (data, 24_000) if response_format == "pcm" else _decoded(data)
    assert same(heard(pcm, rate_hz), what_was_said(), tolerance_s=TOLERANCE_S)


def _decoded(data: bytes) -> tuple[bytes, int]:
    clip = played(data)
    return clip.pcm, clip.sample_rate_hz


@pytest.mark.parametrize("voice", ["en-tone", {"id": "en-tone"}])
async def test_voice_and_speed_reach_the_backend(
    openai_site: OpenAISite, backend: ScriptedBackend, voice: Any
) -> None:
    answer = await openai_site.client.audio.speech.create(
        model="vieneu", input=TEXT, voice=voice, speed=1.5, response_format="pcm"
    )

    (request,) = backend.record.requests
    assert (request.voice, request.speed, request.text) == ("en-tone", 1.5, TEXT)
    assert answer.response.headers["x-request-id"] == request.request_id
    assert same(heard(answer.content, 24_000), what_was_said(speed=1.5))


@pytest.mark.parametrize("voice", ["alloy", "verse", {"id": "nova"}])
async def test_a_voice_of_openai_is_the_default_voice(
    client: AsyncOpenAI, backend: ScriptedBackend, voice: Any
) -> None:
    await client.audio.speech.create(model="tts-1-hd", input="Một.", voice=voice)

    assert [request.voice for request in backend.record.requests] == [None]


async def test_instructions_and_unknown_members_change_nothing(
    client: AsyncOpenAI, backend: ScriptedBackend
) -> None:
    answer = await client.audio.speech.create(
        model="gpt-4o-mini-tts-2025-12-15",
        input=TEXT,
        voice="alloy",
        instructions="Whisper.",
        response_format="pcm",
        extra_body={"temperature": 0.5, "language": ["fr"]},
    )

    assert [request.text for request in backend.record.requests] == [TEXT]
    assert same(heard(answer.content, 24_000), what_was_said())
