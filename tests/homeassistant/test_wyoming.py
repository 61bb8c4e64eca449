"""Home Assistant's own integration ``wyoming`` with a Wyoming server of ours."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from child_process import child
from guard import GUARD_S
from homeassistant import config_entries
from homeassistant.components import tts
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tone_engine import Heard, expected, heard, same

PROGRAM = Path(__file__).parents[1] / "support/wyoming_process.py"
ENTITY = "tts.vieneu_relay"
SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(4))
TEXT = " ".join(SENTENCES)
TONES = [expected(sentence) for sentence in SENTENCES]


@pytest.fixture
async def _entry(hass: HomeAssistant) -> AsyncIterator[None]:
    """An entry of the integration, made by its own config flow."""
    assert await async_setup_component(hass, "homeassistant", {})
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with child([sys.executable, PROGRAM], **pipes) as process:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        host, _, port = line.decode().strip().removeprefix("tcp://").partition(":")
        flow = await hass.config_entries.flow.async_init(
            "wyoming", context={"source": config_entries.SOURCE_USER}
        )
        made = await hass.config_entries.flow.async_configure(
            flow["flow_id"], {"host": host, "port": int(port)}
        )
        await hass.async_block_till_done()
        assert made["type"] is FlowResultType.CREATE_ENTRY
        assert made["title"] == "VieNeu Relay"
        yield
        assert await hass.config_entries.async_unload(made["result"].entry_id)


def tones(data: bytes) -> list[Heard]:
    with wave.open(io.BytesIO(data)) as file:
        return heard(file.readframes(file.getnframes()), file.getframerate())


def streamed_tones(data: bytes) -> list[Heard]:
    """Hear a WAV file whose header states no length, as one that is streamed."""
    with wave.open(io.BytesIO(data)) as file:
        return heard(data[44:], file.getframerate())


async def whole(hass: HomeAssistant, text: str, **options: Any) -> bytes:
    """Speak as `tts.speak` does for an engine that takes no pieces."""
    entity = hass.data["entity_components"]["tts"].get_entity(ENTITY)
    _, data = await entity.async_get_tts_audio(text, "vi", options)
    assert data is not None
    return data


def stream(hass: HomeAssistant, **options: Any) -> tts.ResultStream:
    options = {"preferred_format": "wav", **options}
    return tts.async_create_stream(hass, ENTITY, language="vi", options=options)


@pytest.mark.usefixtures("_entry")
async def test_the_entity_has_our_voices_and_takes_text_in_pieces(hass: HomeAssistant) -> None:
    entity = hass.data["entity_components"]["tts"].get_entity(ENTITY)

    assert entity.async_supports_streaming_input()
    assert entity.supported_languages == ["en", "vi"]
    voices = entity.async_get_supported_voices("vi")
    assert [(voice.voice_id, voice.name) for voice in voices] == [("vi-tone", "Âm thử")]


@pytest.mark.usefixtures("_entry")
async def test_a_whole_text_is_heard(hass: HomeAssistant) -> None:
    assert same(tones(await whole(hass, TEXT)), TONES)
    assert same(tones(await whole(hass, SENTENCES[0], voice="en-tone")), TONES[:1])


@pytest.mark.usefixtures("_entry")
async def test_the_first_sentence_is_heard_while_the_text_is_still_written(
    hass: HomeAssistant,
) -> None:
    go_on = asyncio.Event()

    async def written() -> AsyncGenerator[str]:
        yield f"{SENTENCES[0]} Đây là "
        await go_on.wait()
        yield "câu 1 của bản tin."

    speech = stream(hass)
    speech.async_set_message_stream(written())
    got = b""
    async with asyncio.timeout(GUARD_S):
        async for chunk in speech.async_stream_result():
            got += chunk
            if len(got) > 44 and same(streamed_tones(got), TONES[:1]):
                go_on.set()
    assert go_on.is_set()
    assert same(streamed_tones(got), TONES[:2])


@pytest.mark.usefixtures("_entry")
@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (TEXT, {"voice": "nobody"}, "không có giọng 'nobody'.*voice_not_found"),
        (f"{SENTENCES[0]} Câu này refuse.", {}, "synthesis_failed"),
        ("x" * 5_000, {}, "text_too_long"),
    ],
)
async def test_what_cannot_be_spoken_is_an_error_in_home_assistant(
    hass: HomeAssistant, text: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(HomeAssistantError, match=words):
        await whole(hass, text, **options)

    speech = stream(hass, **options)
    speech.async_set_message(text)
    with pytest.raises(HomeAssistantError, match=words):
        _ = [chunk async for chunk in speech.async_stream_result()]

    again = stream(hass)
    again.async_set_message(TEXT)
    got = b"".join([chunk async for chunk in again.async_stream_result()])
    assert same(streamed_tones(got), TONES)
