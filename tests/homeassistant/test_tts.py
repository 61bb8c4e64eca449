"""What is heard, through Home Assistant's own manager of speech."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from typing import Any

import av
import numpy as np
import pytest
from conftest import EMBEDDED, SetUp, until
from custom_components.vieneu.tts import TAIL_S
from guard import GUARD_S
from homeassistant.components import tts
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from server_site import Site
from tone_engine import expected, heard, same

from vieneu_core.audio.silence import SILENCE_S
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.voices import Voice

ENTITY = "tts.vieneu_voice"
SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(4))
TEXT = " ".join(SENTENCES)


def decoded(data: bytes) -> tuple[int, bytes]:
    """Decode a file as a player would; return rate and samples."""
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono")
        frames = [out for f in container.decode(audio=0) for out in resampler.resample(f)]
        rate = container.streams.audio[0].rate
    return rate, b"".join(frame.to_ndarray().tobytes() for frame in frames)


async def spoken(hass: HomeAssistant, text: str, **options: Any) -> bytes:
    stream = tts.async_create_stream(hass, ENTITY, options=options)
    stream.async_set_message(text)
    return b"".join([chunk async for chunk in stream.async_stream_result()])


def seconds(data: bytes) -> float:
    rate, pcm = decoded(data)
    return len(pcm) / 2 / rate


@pytest.mark.parametrize("fmt", ["wav", "mp3", "flac", "ogg"])
async def test_every_format_is_made_here_and_heard_whole(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], fmt: str
) -> None:
    await set_up(colab, mode="remote")
    rate, pcm = decoded(await spoken(hass, TEXT, preferred_format=fmt))

    assert same(heard(pcm, rate), [expected(sentence) for sentence in SENTENCES])


async def test_the_first_sentence_is_heard_while_the_text_is_still_written(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    await set_up(colab, mode="remote")
    go_on = asyncio.Event()

    async def written() -> AsyncGenerator[str]:
        yield f"{SENTENCES[0]} Đây là "
        await go_on.wait()
        yield "câu 1 của bản tin."

    stream = tts.async_create_stream(hass, ENTITY, options={"preferred_format": "wav"})
    stream.async_set_message_stream(written())
    got = b""
    async with asyncio.timeout(GUARD_S):
        async for chunk in stream.async_stream_result():
            got += chunk
            if len(got) > 20_000:
                go_on.set()
    rate, pcm = decoded(got)
    assert same(heard(pcm, rate), [expected(sentence) for sentence in SENTENCES[:2]])


async def test_speed_pause_and_voice_are_options_and_the_last_word_is_not_cut(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote")
    plain = await spoken(hass, TEXT, preferred_format="wav")
    shorter = await spoken(hass, TEXT, preferred_format="wav", sentence_pause=0.2)
    paused = await spoken(hass, TEXT, preferred_format="wav", sentence_pause=1.0)
    fast = await spoken(hass, TEXT, preferred_format="wav", speed=2.0, voice="en-tone")

    natural_s = sum(expected(sentence).seconds for sentence in SENTENCES) + 3 * 0.5 + TAIL_S
    assert seconds(plain) == pytest.approx(natural_s, abs=0.2)
    assert seconds(shorter) == pytest.approx(seconds(plain), abs=0.01), "at least the natural one"
    assert seconds(paused) - seconds(plain) == pytest.approx(1.5, abs=0.05)
    assert seconds(fast) < seconds(plain) * 0.7
    assert engine.record.requests[-1].reference is None
    rate, pcm = decoded(plain)
    tail = np.frombuffer(pcm, "<i2")[-round(0.2 * rate) :]
    assert np.abs(tail).max() == 0, "silence after the last word"


@pytest.mark.parametrize("text", ["👍", "<br/>", "***", "<think>Người dùng hỏi.</think>"])
@pytest.mark.parametrize("fmt", ["mp3", "wav"])
async def test_signs_alone_are_a_short_silence_and_no_error(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], text: str, fmt: str
) -> None:
    entry = await set_up(colab, mode="remote")
    rate, pcm = decoded(await spoken(hass, text, preferred_format=fmt))

    assert len(pcm) / 2 / rate == pytest.approx(SILENCE_S + TAIL_S, abs=0.1)
    assert np.abs(np.frombuffer(pcm, "<i2")).max() < 30
    assert entry.runtime_data.coordinator.data.last is None


async def test_an_empty_text_stays_an_error(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    await set_up(colab, mode="remote")
    with pytest.raises(HomeAssistantError):
        await spoken(hass, "  ")


async def test_a_default_voice_that_the_present_backend_lacks_silences_nobody(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    engine.add_voice(Voice(id="vi-colab", name="Colab", language="vi"))
    await set_up(colab, mode="remote", voice="vi-colab")
    await spoken(hass, SENTENCES[0], preferred_format="wav")
    assert engine.record.requests[-1].voice == "vi-colab"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    mode = {"entity_id": "select.vieneu_backend", "option": "local"}
    await hass.services.async_call("select", "select_option", mode, blocking=True)
    assert seconds(await spoken(hass, SENTENCES[1], preferred_format="wav")) > 0.5
    await hass.async_block_till_done(wait_background_tasks=True)
    assert seconds(await spoken(hass, SENTENCES[2], preferred_format="wav")) > 0.5
    with pytest.raises(HomeAssistantError):  # a voice that is asked for by name is another matter
        await spoken(hass, SENTENCES[3], preferred_format="wav", voice="nobody")


@pytest.mark.parametrize(
    ("option", "value"), [("speed", "fast"), ("sentence_pause", "long"), ("speed", 17)]
)
async def test_a_wrong_option_is_an_error(
    hass: HomeAssistant, set_up: SetUp, option: str, value: object
) -> None:
    await set_up(EMBEDDED)
    with pytest.raises(ServiceValidationError) as caught:
        await spoken(hass, SENTENCES[0], preferred_format="wav", **{option: value})
    assert caught.value.translation_key == "not_spoken"
    assert str(value) in str(caught.value.translation_placeholders)


async def test_what_a_fallback_said_is_not_kept_as_the_chosen_voices(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    engine.script = [ScriptStep(error=SynthesisFailedError("once"))] * 3
    first = await spoken(hass, SENTENCES[0], preferred_format="wav")
    engine.script = []
    second = await spoken(hass, SENTENCES[0], preferred_format="wav")
    n_asked = len(engine.record.requests)
    third = await spoken(hass, SENTENCES[0], preferred_format="wav")

    rate, pcm = decoded(second)
    assert same(heard(pcm, rate), [expected(SENTENCES[0])])
    assert first != second, "the embedded voice spoke first"
    assert third == second
    assert len(engine.record.requests) == n_asked, "what the chosen voice said is kept"


async def test_the_embedded_voice_speaks_four_thousand_characters_whole(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up(EMBEDDED)
    long = " ".join(f"Câu thứ {n} của một bản tin dài." for n in range(1, 140))[:4000]
    data = await spoken(hass, long, preferred_format="mp3")

    assert seconds(data) > 150


async def test_a_voice_that_the_server_is_given_is_there_without_a_reload(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(colab, mode="remote")
    entity = tts.get_engine_instance(hass, ENTITY)
    assert entity is not None

    def listed() -> list[str]:
        return [v.voice_id for v in entity.async_get_supported_voices("vi") or []]

    before = listed()
    engine.add_voice(Voice(id="vi-new", name="Mới", language="vi"))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert listed() == before, "the list is fresh: nobody asks for it at every look"

    monkeypatch.setattr("custom_components.vieneu.coordinator.VOICES_FRESH_S", 0.0)
    listed()  # someone opens the list again, later
    await hass.async_block_till_done(wait_background_tasks=True)
    assert listed() == [*before, "vi-new"]
    offered = hass.states.get("select.vieneu_default_voice")
    assert offered is not None
    assert "vi-new" in offered.attributes["options"]


async def test_voices_are_listed_by_language(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(EMBEDDED)
    entity = tts.get_engine_instance(hass, ENTITY)
    assert entity is not None
    vietnamese = entity.async_get_supported_voices("vi")
    assert vietnamese is not None
    assert vietnamese[0].voice_id == "vi-north"
    assert all(v.voice_id.startswith("en") for v in entity.async_get_supported_voices("en") or [])


async def test_a_server_that_dies_in_mid_announcement_loses_no_sentence(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site, engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote")
    hold = asyncio.Event()
    engine.script = [
        ScriptStep(),
        ScriptStep(hold=hold, at_sentence=1, error=SynthesisFailedError("killed")),
    ]
    speaking = asyncio.ensure_future(spoken(hass, TEXT, preferred_format="wav"))
    await asyncio.sleep(1)
    hold.set()
    data = await speaking

    assert seconds(data) > 4
    rate, pcm = decoded(data)
    assert same(heard(pcm, rate)[:1], [expected(SENTENCES[0])])
