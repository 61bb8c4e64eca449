"""What is heard of an announcement beside its words: chime, lead-in; and what is kept of it."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import EMBEDDED, SetUp
from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from player_rig import KITCHEN, Player
from pytest_homeassistant_custom_component.common import setup_test_component_platform
from test_tts import SENTENCES, decoded, spoken
from tone_engine import expected, heard, same

from vieneu_core.audio import Opening
from vieneu_core.errors import BackendConnectionError
from vieneu_core.testing.scripted import ScriptedBackend

BEEP = "media-source://media_source/local/beep.wav"
LEAD_S = 0.5


def beep(seconds: float = 0.4) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        times = np.arange(round(8_000 * seconds)) / 8_000
        out.writeframes((9_000 * np.sin(2 * np.pi * 1_000 * times)).astype("<i2").tobytes())
    return file.getvalue()


async def samples(hass: HomeAssistant, **options: Any) -> tuple[int, np.ndarray]:
    data = await spoken(hass, SENTENCES[0], preferred_format="wav", **options)
    rate, pcm = decoded(data)
    return rate, np.frombuffer(pcm, "<i2").astype(float)


async def test_lead_in_and_bell_come_first_and_the_words_after_them_are_whole(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    await set_up(colab, mode="remote")
    rate, plain = await samples(hass)
    opening = Opening(lead_in_s=LEAD_S, chime=True).pcm(rate)
    _, heard_all = await samples(hass, lead_in=LEAD_S, chime="bell")
    begin = len(opening) // 2
    assert heard_all[:begin].astype("<i2").tobytes() == opening
    assert not heard_all[: int(LEAD_S * rate)].any()
    assert np.array_equal(heard_all[begin:], plain)
    words = heard_all[begin:].astype("<i2").tobytes()
    assert same(heard(words, rate), [expected(SENTENCES[0])])


async def test_a_sound_of_the_users_own_is_heard_at_the_rate_of_the_speech(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], tmp_path: Path
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    (tmp_path / "beep.wav").write_bytes(beep())
    await set_up(colab, mode="remote")
    rate, plain = await samples(hass)
    _, with_beep = await samples(hass, chime=BEEP)
    extra = len(with_beep) - len(plain)
    assert extra == pytest.approx(0.4 * rate, abs=0.02 * rate)
    spectrum = np.abs(np.fft.rfft(with_beep[:extra]))
    assert np.argmax(spectrum) * rate / extra == pytest.approx(1_000, abs=10)


@pytest.mark.parametrize("fmt", ["wav", "flac", "mp3"])
async def test_a_player_gets_the_sample_rate_that_it_asks_for(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], fmt: str
) -> None:
    """From the entity itself: until 2026.11 Home Assistant lets ffmpeg copy it."""
    await set_up(colab, mode="remote")
    entity = get_engine_instance(hass, "tts.vieneu_voice")
    assert isinstance(entity, TextToSpeechEntity)
    options = {"preferred_format": fmt, "preferred_sample_rate": 16_000}

    async def text() -> AsyncGenerator[str]:
        yield SENTENCES[0]

    answer = await entity.async_stream_tts_audio(TTSAudioRequest("vi", options, text()))
    rate, pcm = decoded(b"".join([part async for part in answer.data_gen]))
    assert (rate, answer.extension) == (16_000, fmt)
    assert same(heard(pcm, rate), [expected(SENTENCES[0])])


@pytest.mark.parametrize("chime", ["https://bell.example/ding.mp3", BEEP, "absent", "too long"])
async def test_a_sound_that_cannot_be_had_is_replaced_by_the_bell_and_logged_why(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    chime: str,
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    (tmp_path / "long.wav").write_bytes(beep(11))
    chime = BEEP.replace("beep", "long") if chime == "too long" else chime
    await set_up(colab, mode="remote")
    rate, heard_all = await samples(hass, chime=chime)
    bell = Opening(chime=True).pcm(rate)
    assert heard_all.astype("<i2").tobytes().startswith(bell)
    (line,) = [each for each in caplog.messages if "cannot be played" in each]
    assert not line.endswith(": ")


@pytest.mark.parametrize("trouble", [KeyError("bell"), ValueError(""), None])
async def test_a_media_source_that_fails_or_hangs_costs_no_word(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception | None,
) -> None:
    async def resolve(*_: object) -> None:
        if trouble is not None:
            raise trouble
        await asyncio.Event().wait()

    assert await async_setup_component(hass, "media_source", {})
    monkeypatch.setattr("homeassistant.components.media_source.async_resolve_media", resolve)
    monkeypatch.setattr("custom_components.vieneu.speech_opening.WITHIN_S", 0.1)
    await set_up(colab, mode="remote")
    rate, heard_all = await samples(hass, chime=BEEP)
    bell = Opening(chime=True).pcm(rate)
    pcm = heard_all.astype("<i2").tobytes()
    assert pcm.startswith(bell)
    assert same(heard(pcm[len(bell) :], rate), [expected(SENTENCES[0])])


@pytest.mark.parametrize(
    ("chime", "seconds"),
    [(True, 1.1), (False, 0.0), ("bell", 1.1), ({"media_content_id": BEEP}, 0.4)],
)
async def test_the_action_takes_a_chime_in_each_form_and_a_lead_in(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path, chime: object, seconds: float
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    (tmp_path / "beep.wav").write_bytes(beep())
    await set_up(EMBEDDED)
    kitchen = await player(hass)
    plain = await announce(hass)
    more = await announce(hass, chime=chime, lead_in=0.3)
    assert more["seconds"] - plain["seconds"] == pytest.approx(seconds + 0.3, abs=0.15)
    assert [what for what, _ in kitchen.noted].count("speaks") == 2


async def test_what_is_not_kept_is_spoken_anew_and_written_nowhere(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    tmp_path: Path,
) -> None:
    entry = await set_up(colab, mode="remote", automatic_fallback=False)
    await player(hass)
    for _ in range(2):
        await announce(hass, text="Mã là bảy tám chín.", cache=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(engine.record.requests) == 2
    assert list((tmp_path / "tts").glob("*")) == []
    kept = entry.runtime_data.cached.cache
    assert (await kept.count()).entries == 0

    for _ in range(2):
        await announce(hass, text="Cơm chín rồi.")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(engine.record.requests) == 3, "by default it is kept"
    assert len(list((tmp_path / "tts").glob("*"))) == 1
    assert (await kept.count()).entries == 1


async def test_a_reason_is_never_empty(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote", automatic_fallback=False)
    await player(hass)
    hass.config.language = "vi"
    engine.script = []
    engine.reported = BackendConnectionError("")
    engine.always = type(engine.always)(error=BackendConnectionError(""))
    with pytest.raises(HomeAssistantError) as caught:
        await announce(hass)
    assert caught.value.translation_placeholders is not None
    assert len(caught.value.translation_placeholders["detail"]) > 3


async def player(hass: HomeAssistant) -> Player:
    kitchen = Player("Kitchen", plays_s=0.2)
    setup_test_component_platform(hass, "media_player", [kitchen])
    assert await async_setup_component(hass, "media_player", {"media_player": {"platform": "test"}})
    await hass.async_block_till_done()
    return kitchen


async def announce(hass: HomeAssistant, **data: Any) -> Any:
    given = {"text": "Cơm chín rồi.", **data}
    return await hass.services.async_call(
        "vieneu",
        "announce",
        given,
        target={"entity_id": KITCHEN},
        blocking=True,
        return_response=True,
    )
