"""The voice where people meet it: the media browser, Assist, a voice satellite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Literal

import pytest
from conftest import SetUp
from guard import GUARD_S
from homeassistant.components import assist_satellite, conversation, media_source
from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from test_tts import ENTITY, SENTENCES, TEXT, decoded
from tone_engine import expected, heard, same


class Writer(conversation.ConversationEntity):
    """An agent that writes as slowly as the test lets it, like an LLM."""

    _attr_name = "Writer"
    _attr_unique_id = "writer"
    _attr_supports_streaming = True

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    @property
    def supported_languages(self) -> list[str] | Literal["*"]:
        return "*"

    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        async for _ in chat_log.async_add_delta_content_stream(self.entity_id, self._written()):
            pass
        response = intent.IntentResponse(language=user_input.language)
        response.async_set_speech(TEXT)
        return conversation.ConversationResult(response, chat_log.conversation_id)

    async def _written(self) -> AsyncGenerator[conversation.AssistantContentDeltaDict]:
        yield {"role": "assistant"}
        yield {"content": " ".join(SENTENCES[:3]) + " Đây là "}
        await self.go_on.wait()
        yield {"content": SENTENCES[3].removeprefix("Đây là ")}


class Satellite(assist_satellite.AssistSatelliteEntity):
    """A satellite that keeps what it has to announce."""

    _attr_name = "Satellite"
    _attr_unique_id = "satellite"
    _attr_supported_features = assist_satellite.AssistSatelliteEntityFeature.ANNOUNCE

    def __init__(self) -> None:
        self._attr_tts_options = {"preferred_format": "wav"}
        self.announced: list[assist_satellite.AssistSatelliteAnnouncement] = []

    def async_get_configuration(self) -> assist_satellite.AssistSatelliteConfiguration:
        return assist_satellite.AssistSatelliteConfiguration([], [], 1)

    async def async_set_configuration(
        self, config: assist_satellite.AssistSatelliteConfiguration
    ) -> None:
        raise NotImplementedError

    def on_pipeline_event(self, event: Any) -> None:
        raise NotImplementedError

    async def async_announce(
        self, announcement: assist_satellite.AssistSatelliteAnnouncement
    ) -> None:
        self.announced.append(announcement)


@pytest.fixture
async def pipeline(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    hass_ws_client: WebSocketGenerator,
) -> str:
    """A pipeline of Assist that speaks with our voice, the preferred one."""
    writer = Writer()
    assert await async_setup_component(hass, "homeassistant", {})
    for component in ("assist_pipeline", "assist_satellite"):
        assert await async_setup_component(hass, component, {})
    await hass.data[conversation.const.DATA_COMPONENT].async_add_entities([writer])
    hass.data["writer"] = writer
    await set_up(colab, mode="remote")
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/pipeline/create",
            "name": "Nhà",
            "language": "vi",
            "conversation_engine": "conversation.writer",
            "conversation_language": "vi",
            "stt_engine": None,
            "stt_language": None,
            "tts_engine": ENTITY,
            "tts_language": "vi",
            "tts_voice": None,
            "wake_word_entity": None,
            "wake_word_id": None,
        }
    )
    made = await client.receive_json()
    assert made["success"], made
    identity: str = made["result"]["id"]
    await client.send_json_auto_id(
        {"type": "assist_pipeline/pipeline/set_preferred", "pipeline_id": identity}
    )
    assert (await client.receive_json())["success"]
    return identity


async def test_the_media_browser_offers_the_voice_and_plays_it(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    await set_up(colab, mode="remote")
    offered = await media_source.async_browse_media(hass, "media-source://tts")
    assert offered.children is not None
    (ours,) = [each for each in offered.children if ENTITY in str(each.media_content_id)]
    assert ours.thumbnail is not None
    assert "vieneu" in ours.thumbnail

    played = await media_source.async_resolve_media(
        hass, f"media-source://tts/{ENTITY}?message={SENTENCES[0]}&preferred_format=wav", None
    )
    client = await hass_client()
    answer = await client.get(played.url)
    rate, pcm = decoded(await answer.read())
    assert same(heard(pcm, rate), [expected(SENTENCES[0])])


async def test_assist_is_heard_while_the_agent_still_writes(
    hass: HomeAssistant,
    pipeline: str,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> None:
    writer: Writer = hass.data["writer"]
    client, web = await hass_ws_client(), await hass_client()
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/run",
            "start_stage": "intent",
            "end_stage": "tts",
            "input": {"text": "Đọc bản tin."},
            "pipeline": pipeline,
        }
    )
    url = ""
    async with asyncio.timeout(GUARD_S):
        while True:
            message = await client.receive_json()
            event = message.get("event") or {}
            if event.get("type") == "run-start":
                url = event["data"]["tts_output"]["url"]
            if (event.get("data") or {}).get("tts_start_streaming"):
                break
        assert not writer.go_on.is_set()
        async with web.get(url) as answer:
            got = await answer.content.readany()
            assert got, "audio has come, and the last sentence is not written yet"
            writer.go_on.set()
            got += await answer.read()
    rate, pcm = decoded(got)
    assert same(heard(pcm, rate), [expected(sentence) for sentence in SENTENCES])


async def test_a_satellite_announces_with_the_voice(
    hass: HomeAssistant, pipeline: str, hass_client: ClientSessionGenerator
) -> None:
    satellite = Satellite()
    await hass.data[assist_satellite.const.DATA_COMPONENT].async_add_entities([satellite])
    await hass.async_block_till_done()
    await hass.services.async_call(
        "assist_satellite",
        "announce",
        {"entity_id": "assist_satellite.satellite", "message": SENTENCES[1], "preannounce": False},
        blocking=True,
    )
    (announced,) = satellite.announced
    client = await hass_client()
    answer = await client.get("/" + announced.media_id.split("/", 3)[3])
    rate, pcm = decoded(await answer.read())
    assert "wav" in answer.content_type
    assert same(heard(pcm, rate), [expected(SENTENCES[1])])
