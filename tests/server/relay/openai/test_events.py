"""Speech as server-sent events."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Literal

import pytest
from openai import APIError, AsyncOpenAI, AsyncStream
from openai_client import OpenAISite, events_of, read_into, speaking
from player import played
from tone_engine import expected, heard, same

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = ["Đây là câu 1.", "Và đây là câu 20.", "Cuối cùng là câu 40."]
BODY: dict[str, Any] = {
    "model": "gpt-4o-mini-tts",
    "input": " ".join(SENTENCES),
    "voice": "alloy",
    "stream_format": "sse",
}


def audio_of(events: list[dict[str, Any]]) -> bytes:
    deltas = [event for event in events if event["type"] == "speech.audio.delta"]
    return b"".join(base64.b64decode(delta["audio"]) for delta in deltas)


def what_was_said(sentences: list[str] = SENTENCES) -> list[Any]:
    return [expected(sentence) for sentence in sentences]


@pytest.mark.parametrize("response_format", ["mp3", "opus", "aac", "flac", "wav"])
async def test_the_deltas_make_the_file_and_done_is_last(
    client: AsyncOpenAI, response_format: Literal["mp3", "opus", "aac", "flac", "wav"]
) -> None:
    answer = await client.audio.speech.create(**BODY, response_format=response_format)

    events = events_of(answer.content)
    clip = played(audio_of(events))
    assert answer.response.headers["content-type"].startswith("text/event-stream")
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1] == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
    }
    assert same(heard(clip.pcm, clip.sample_rate_hz), what_was_said(), tolerance_s=0.05)


async def test_an_event_comes_while_the_rest_is_still_made() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=2, hold=hold)])

    async with speaking(backend) as running:
        stream = await streamed(running)
        events = [await anext(stream)]
        assert backend.in_flight
        hold.set()
        events += [event async for event in stream]

    assert same(heard(audio_of(events), 24_000), what_was_said())


async def test_a_failure_midway_is_an_error_of_the_client() -> None:
    error = SynthesisFailedError("No tone for this.", remedy="Try another.")
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, error=error)])
    events: list[dict[str, Any]] = []

    async with speaking(backend) as running:
        stream = await streamed(running)
        with pytest.raises(APIError, match=r"No tone for this\. Try another\.") as caught:
            await read_into(events, stream)

    assert (caught.value.code, caught.value.type) == ("synthesis_failed", "server_error")
    assert heard(audio_of(events), 24_000)[0].hz == expected(SENTENCES[0]).hz
    assert "speech.audio.done" not in {event["type"] for event in events}


async def test_a_failure_before_the_first_audio_is_no_stream() -> None:
    backend = ScriptedBackend([ScriptStep(error=SynthesisFailedError("No tone."))])

    async with speaking(backend) as running:
        with pytest.raises(APIError) as caught:
            await streamed(running)

    assert caught.value.code == "synthesis_failed"


async def streamed(running: OpenAISite) -> AsyncStream[Any]:
    """Read events as the client itself reads those of other requests."""
    return await running.client.post(
        "/audio/speech",
        body={**BODY, "response_format": "pcm"},
        cast_to=object,
        stream=True,
        stream_cls=AsyncStream[Any],
    )
