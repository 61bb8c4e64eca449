"""All speeds of OpenAI's API, those outside a backend's range too, by what is heard."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai_client import OpenAISite, events_of, speaking
from player import played
from tone_engine import Heard, expected, heard, same

from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = ["Đây là câu 1.", "Và đây là câu 20.", "Cuối cùng là câu 40."]
TEXT = " ".join(SENTENCES)
FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"]
TOLERANCE_S = 0.1
"""A change of tempo blurs where a tone begins and ends, most of all at a quarter of the speed."""
ECHO_S = 0.05
"""AAC makes a click before a tone that begins hard; what is shorter than this is one."""


def said(content: bytes, response_format: str, speed: float) -> bool:
    if response_format == "pcm":
        pcm, rate_hz = content, 24_000
    else:
        clip = played(content)
        pcm, rate_hz = clip.pcm, clip.sample_rate_hz
    want = [expected(sentence) for sentence in SENTENCES]
    want = [Heard(tone.hz, tone.seconds / speed) for tone in want]
    tones = [tone for tone in heard(pcm, rate_hz) if tone.seconds >= ECHO_S]
    return same(tones, want, tolerance_s=TOLERANCE_S)


@pytest.mark.parametrize("response_format", FORMATS)
@pytest.mark.parametrize("speed", [0.25, 4.0])
async def test_the_slowest_and_the_fastest_are_heard_in_every_format(
    client: AsyncOpenAI, response_format: Any, speed: float
) -> None:
    answer = await client.audio.speech.create(
        model="tts-1", input=TEXT, voice="alloy", speed=speed, response_format=response_format
    )

    assert said(answer.content, response_format, speed)


@pytest.mark.parametrize(
    ("speed", "of_the_backend"), [(0.25, 0.5), (0.4, 0.5), (0.5, 0.5), (2.0, 2.0), (3.0, 2.0)]
)
async def test_a_backend_does_what_it_can_and_the_rest_is_done_here(
    openai_site: OpenAISite, backend: ScriptedBackend, speed: float, of_the_backend: float
) -> None:
    answer = await openai_site.client.audio.speech.create(
        model="tts-1", input=TEXT, voice="alloy", speed=speed, response_format="pcm"
    )

    assert [request.speed for request in backend.record.requests] == [of_the_backend]
    assert said(answer.content, "pcm", speed)


async def test_events_have_the_speed_too(client: AsyncOpenAI) -> None:
    answer = await client.audio.speech.create(
        model="tts-1",
        input=TEXT,
        voice="alloy",
        speed=4.0,
        response_format="wav",
        stream_format="sse",
    )

    events = events_of(answer.content)
    assert events[-1]["type"] == "speech.audio.done"
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert said(audio, "wav", 4.0)


async def test_slow_speech_is_sent_while_it_is_made() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=2, hold=hold)])
    async with (
        speaking(backend) as running,
        running.client.audio.speech.with_streaming_response.create(
            model="tts-1", input=TEXT, voice="nova", speed=0.25, response_format="pcm"
        ) as response,
    ):
        parts = response.iter_bytes()
        content = await anext(parts)
        assert backend.in_flight
        hold.set()
        content += b"".join([part async for part in parts])

    assert said(content, "pcm", 0.25)
