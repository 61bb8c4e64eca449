"""What fails, and clients that go away: errors that OpenAI's client has classes for."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from httpx2 import RemoteProtocolError
from openai import AsyncOpenAI
from openai_client import read_into, speaking
from tone_engine import expected, heard
from waiting import until

from vieneu_core.errors import (
    AuthenticationError,
    BackendUnavailableError,
    SynthesisFailedError,
    VieneuError,
)
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

TEXT = "Đây là câu 1. Và đây là câu 20."
FILES = ["mp3", "opus", "aac", "flac", "wav", "pcm"]


async def speak(client: AsyncOpenAI, **changes: Any) -> Any:
    body = {"model": "tts-1", "input": "Một.", "voice": "alloy", **changes}
    return await client.audio.speech.create(**body)


async def test_a_wrong_key_is_an_authentication_error(backend: ScriptedBackend) -> None:
    async with speaking(backend, api_key="sk-wrong") as running:
        with pytest.raises(openai.AuthenticationError, match="The token is wrong") as caught:
            await speak(running.client)
        with pytest.raises(openai.AuthenticationError):
            await running.client.models.list()

    assert (caught.value.code, caught.value.param) == ("invalid_api_key", None)
    assert caught.value.type == "invalid_request_error"
    assert "sk-wrong" not in str(caught.value)
    assert backend.record.requests == []


async def test_a_wrong_key_stays_a_wrong_key_however_often_it_comes(
    backend: ScriptedBackend,
) -> None:
    async with speaking(backend, api_key="sk-wrong", failed_logins_per_minute=1) as running:
        for _ in range(5):
            with pytest.raises(openai.AuthenticationError) as caught:
                await speak(running.client)

    assert caught.value.code == "invalid_api_key"


async def test_speech_is_limited_and_the_lists_apart_from_it(backend: ScriptedBackend) -> None:
    async with speaking(backend, requests_per_minute=1) as running:
        await speak(running.client)
        with pytest.raises(openai.RateLimitError) as caught:
            await speak(running.client)
        await running.client.models.list()

    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60


async def test_a_full_queue_is_an_error_that_the_client_retries() -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())

    async with speaking(backend, max_queue=0, max_concurrent=1) as running:
        first = asyncio.ensure_future(speak(running.client))
        await until(lambda: backend.in_flight)
        with pytest.raises(openai.InternalServerError, match="The queue is full") as caught:
            await speak(running.client)
        assert backend.always.hold is not None
        backend.always.hold.set()
        await first

    assert (caught.value.status_code, caught.value.code) == (503, "busy")
    assert caught.value.response.headers["retry-after"] == "2"


async def test_a_model_that_is_being_loaded_is_named() -> None:
    backend = ScriptedBackend()
    backend.load_hold = asyncio.Event()

    async with speaking(backend, until_loaded=False) as running:
        with pytest.raises(openai.InternalServerError, match="is being loaded") as caught:
            await speak(running.client)
        with pytest.raises(openai.InternalServerError, match="is being loaded"):
            await running.client.get("/audio/voices", cast_to=object)
        backend.load_hold.set()

    assert (caught.value.status_code, caught.value.code) == (503, "loading")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SynthesisFailedError("No tone."), 500, "synthesis_failed"),
        (BackendUnavailableError("Not now."), 503, "unavailable"),
        (AuthenticationError("Your upstream token."), 503, "unavailable"),
    ],
)
async def test_errors_of_the_backend_before_the_first_audio(
    error: VieneuError, status: int, code: str
) -> None:
    async with speaking(ScriptedBackend([ScriptStep(error=error)])) as running:
        with pytest.raises(openai.InternalServerError) as caught:
            await speak(running.client)

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.type == "server_error"
    assert "upstream" not in str(caught.value)


class OddError(Exception):
    """An error that nobody has a name for."""


class OddBackend(ScriptedBackend):
    """Fails in a way of its own."""

    async def voices(self) -> Any:
        raise OddError


async def test_an_error_without_a_name_has_the_form_too() -> None:
    async with speaking(OddBackend()) as running:
        with pytest.raises(openai.InternalServerError) as caught:
            await running.client.get("/audio/voices", cast_to=object)

    assert (caught.value.status_code, caught.value.code) == (500, "internal")
    assert "Odd" not in str(caught.value)


@pytest.mark.parametrize("response_format", FILES)
async def test_audio_that_failed_midway_has_no_clean_end(response_format: Any) -> None:
    error = SynthesisFailedError("No tone for this.")
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=2, error=error)])
    parts: list[bytes] = []

    async with (
        speaking(backend) as running,
        running.client.audio.speech.with_streaming_response.create(
            model="tts-1", input=TEXT, voice="alloy", response_format=response_format
        ) as response,
    ):
        with pytest.raises(RemoteProtocolError, match="incomplete chunked read"):
            await read_into(parts, response.iter_bytes())

    if response_format == "pcm":
        assert heard(b"".join(parts), 24_000)[0] == expected("Đây là câu 1.")


async def test_synthesis_stops_when_the_client_has_gone() -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(chunk_delay_s=0.001)

    async with speaking(backend) as running:
        async with running.client.audio.speech.with_streaming_response.create(
            model="tts-1", input="câu 3 " * 600, voice="alloy", response_format="pcm"
        ) as response:
            await anext(response.iter_bytes())
        await until(lambda: not backend.in_flight)
        await until(lambda: running.site.service.queue.depth == 0)

    assert backend.record.closed_early == 1


async def test_a_client_that_goes_while_it_waits_leaves_the_queue() -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())

    async with speaking(backend, replay_grace_s=0.001) as running:
        waiting = asyncio.ensure_future(speak(running.client))
        await until(lambda: backend.in_flight)
        waiting.cancel()
        await until(lambda: running.site.service.queue.depth == 0)

    assert backend.record.closed_early == 1
