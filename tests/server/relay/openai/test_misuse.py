"""Requests that are wrong: an error in OpenAI's form that names the field, and nothing spoken."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai_client import OpenAISite, speaking

from vieneu_core.testing.scripted import ScriptedBackend

GOOD = {"model": "tts-1", "input": "Một.", "voice": "alloy"}
WRONG_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"input": ...}, "input", "it is missing"),
    ({"input": None}, "input", "it must be text"),
    ({"input": 7}, "input", "it must be text"),
    ({"input": ["Một."]}, "input", "it must be text"),
    ({"input": "a" * 5_000}, "input", "5000 characters; this server takes 4096"),
    ({"input": ""}, "input", "at least 1 character"),
    ({"input": " … !"}, "input", "letter or digit"),
    ({"model": ...}, "model", "it is missing"),
    ({"model": {}}, "model", "it must be text"),
    ({"voice": ...}, "voice", "it is missing"),
    ({"voice": None}, "voice", "it must be text"),
    ({"voice": {"name": "alloy"}}, "voice", "it must be text"),
    ({"voice": {"id": 7}}, "voice", "it must be text"),
    ({"voice": ["alloy"]}, "voice", "it must be text"),
    ({"voice": "v" * 300}, "voice", "at most 256 characters"),
    ({"voice": "bà"}, "voice", "has no voice 'bà'. It has: vi-tone, en-tone"),
    ({"voice": "Alloy"}, "voice", "has no voice 'Alloy'"),
    ({"voice": "x\0"}, "voice", r"has no voice 'x\x00'"),
    ({"instructions": 7}, "instructions", "it must be text"),
    ({"instructions": "a" * 4_097}, "instructions", "at most 4096 characters"),
    ({"response_format": "mp4"}, "response_format", "one of mp3, opus, aac, flac, wav, pcm"),
    ({"response_format": None}, "response_format", "one of mp3, opus,"),
    ({"stream_format": "ws"}, "stream_format", "one of audio, sse"),
    ({"speed": -1}, "speed", "0.25 or more"),
    ({"speed": 0.24}, "speed", "0.25 or more"),
    ({"speed": 4.01}, "speed", "4 or less"),
    ({"speed": "fast"}, "speed", "it must be a number"),
    ({"speed": float("nan")}, "speed", "it must be 4 or less"),
    ({"speed": float("inf")}, "speed", "4 or less"),
    ({"speed": None}, "speed", "it must be a number"),
]


async def test_what_is_wrong_with_a_field_is_said_and_nothing_is_spoken(
    openai_site: OpenAISite, backend: ScriptedBackend
) -> None:
    url = f"{openai_site.site.url}/v1/audio/speech"
    reported = []
    for change, field, message in WRONG_FIELDS:
        body = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
        async with openai_site.site.session.post(url, json=body) as response:
            error = (await response.json(content_type="application/json"))["error"]
        if (response.status, error["param"]) != (400, field) or message not in error["message"]:
            reported.append((change, response.status, error))
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"

    assert reported == []
    assert backend.record.finished == []


@pytest.mark.parametrize("field", ["input", "voice", "model", "instructions"])
async def test_half_of_a_character_is_refused(openai_site: OpenAISite, field: str) -> None:
    body = {**GOOD, field: "a\ud800"}
    async with openai_site.site.post("/v1/audio/speech", json=body) as response:
        error = (await response.json())["error"]

    assert (response.status, error["param"]) == (400, field)


async def test_nul_in_the_text_is_no_sound(client: AsyncOpenAI, backend: ScriptedBackend) -> None:
    await client.audio.speech.create(model="tts-1", input="Một.\0 Hai.", voice="alloy")

    assert backend.record.finished == ["Một. Hai."]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"null", b"\xff\xfe", b"[" * 20_000])
async def test_what_is_no_json_object_is_refused(openai_site: OpenAISite, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with openai_site.site.post("/v1/audio/speech", data=body, headers=headers) as response:
        error = (await response.json(content_type="application/json"))["error"]

    assert response.status == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", None)


async def test_a_body_that_is_too_big_is_refused(backend: ScriptedBackend) -> None:
    async with speaking(backend, max_body_bytes=1_000) as running:
        with pytest.raises(openai.APIStatusError, match="more than 1000 bytes") as caught:
            await running.client.audio.speech.create(
                model="tts-1", input="a" * 1_000, voice="alloy"
            )

    assert (caught.value.status_code, caught.value.code) == (413, "body_too_large")


async def test_a_wrong_request_is_a_bad_request_of_the_client(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="has no voice 'bà'") as caught:
        await client.audio.speech.create(model="tts-1", input="Một.", voice="bà")

    assert (caught.value.code, caught.value.param) == ("voice_not_found", "voice")
    with pytest.raises(openai.BadRequestError, match="speed") as caught:
        await client.audio.speech.create(model="tts-1", input="Một.", voice="alloy", speed=5)
    assert (caught.value.code, caught.value.param) == ("invalid_request", "speed")


async def test_an_unknown_model_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Known models: vieneu, tts-1") as caught:
        await client.audio.speech.create(model="whisper-1", input="Một.", voice="alloy")

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/chat/completions", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/audio/speech", 405),
        ("POST", "/v1/models", 405),
        ("GET", "/v1/models/", 404),
    ],
)
async def test_paths_and_methods_that_do_not_exist_have_the_form_too(
    openai_site: OpenAISite, method: str, path: str, status: int
) -> None:
    site = openai_site.site
    async with site.session.request(method, site.url + path) as response:
        error = (await response.json(content_type="application/json"))["error"]

    assert response.status == status
    assert error["type"] == "invalid_request_error"


async def test_errors_of_the_server_itself_stay_problem_documents(openai_site: OpenAISite) -> None:
    site = openai_site.site
    for path in ("/nothing", "/v1", "/v10/models"):
        async with site.get(path) as response:
            assert (await site.problem(response)).status == 404
