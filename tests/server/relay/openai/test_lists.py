"""Models and voices, as OpenAI's client and front ends ask for them."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai_client import OpenAISite

from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.voices import Voice


async def test_the_models_are_listed(openai_site: OpenAISite) -> None:
    page = await openai_site.client.models.list()

    started_at = openai_site.site.service.lifecycle.started_at
    assert [model.id for model in page.data][:3] == ["vieneu", "tts-1", "tts-1-hd"]
    assert {model.created for model in page.data} == {int(started_at.timestamp())}
    assert {(model.object, model.owned_by) for model in page.data} == {("model", "vieneu-relay")}


async def test_each_model_can_be_asked_for_and_speaks(client: AsyncOpenAI) -> None:
    page = await client.models.list()
    for model in page.data:
        assert await client.models.retrieve(model.id) == model
        assert await client.audio.speech.create(model=model.id, input="Một.", voice="alloy")


@pytest.mark.parametrize("model", ["whisper-1", "VIENEU", "a\0b", "é"])
async def test_an_unknown_model_is_not_found(client: AsyncOpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist") as caught:
        await client.models.retrieve(model)

    assert caught.value.code == "model_not_found"


async def test_the_voices_are_listed_as_front_ends_read_them(
    openai_site: OpenAISite, backend: ScriptedBackend
) -> None:
    backend.add_voice(Voice(id="ba", name="Bà Ngoại", language="vi"))
    # One that pages through its voices sends a limit; all of them come at once.
    async with openai_site.site.get("/v1/audio/voices", params={"limit": 100}) as response:
        answer = await response.json()

    names = {"vi-tone": "Âm thử", "en-tone": "Test tone", "ba": "Bà Ngoại"}
    assert {voice["id"]: voice["name"] for voice in answer["voices"]} == names
    assert next(iter(answer["voices"]))["id"] == "vi-tone", "the default one is first"
    assert answer["data"] == answer["voices"]
    assert answer["object"] == "list"


async def test_each_voice_that_is_listed_speaks(
    openai_site: OpenAISite, backend: ScriptedBackend
) -> None:
    async with openai_site.site.get("/v1/audio/voices") as response:
        listed = [voice["id"] for voice in (await response.json())["voices"]]
    for voice in listed:
        await openai_site.client.audio.speech.create(model="vieneu", input="Một.", voice=voice)

    assert [request.voice for request in backend.record.requests] == listed


async def test_open_webui_gets_models_and_speech_as_it_asks_for_them(
    openai_site: OpenAISite,
) -> None:
    site = openai_site.site
    async with site.get("/v1/audio/models") as response:
        models = (await response.json())["models"]
    payload: dict[str, Any] = {"input": "Xin chào.", "voice": "alloy", "model": models[0]["id"]}
    headers = {"X-OpenWebUI-User-Name": "An", "Content-Type": "application/json"}
    async with site.post("/v1/audio/speech", json=payload, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "audio/mpeg"
        assert await response.read()


async def test_home_assistant_streams_as_its_integration_asks(openai_site: OpenAISite) -> None:
    payload: dict[str, Any] = {
        "model": "tts-1",
        "input": "Cửa trước đang mở.",
        "voice": "shimmer",
        "response_format": "mp3",
        "speed": 1.0,
        "instructions": "Cheerful.",
    }
    async with openai_site.site.post("/v1/audio/speech", json=payload) as response:
        response.raise_for_status()
        blocks = [block async for block in response.content.iter_chunked(4096)]

    assert b"".join(blocks).startswith(b"ID3")
