"""Backends that hang or are slow while Home Assistant speaks: all is heard, and it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import SetUp, until
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_capture_events
from test_tts import SENTENCES, TEXT, decoded, seconds, spoken
from tone_engine import expected, heard, same

from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


@pytest.mark.limits("replaceable_stall_s")
async def test_a_server_that_hangs_in_mid_announcement_loses_no_sentence(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    engine.script = [ScriptStep(at_sentence=1, hold=asyncio.Event())]

    data = await spoken(hass, TEXT, preferred_format="wav")

    rate, pcm = decoded(data)
    assert same(heard(pcm, rate)[:1], [expected(SENTENCES[0])])
    assert seconds(data) > 1.0 * len(SENTENCES), "the others in the embedded voice"


@pytest.mark.limits("replaceable_stall_s", "first_audio_s", "latest_start_s")
async def test_a_server_slower_than_playback_is_replaced_and_told(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    events = async_capture_events(hass, "vieneu_event")
    await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    engine.always = ScriptStep(chunk_delay_s=0.3)  # three seconds for a second of audio

    data = await spoken(hass, TEXT, preferred_format="wav")

    assert seconds(data) > 1.0 * len(SENTENCES)
    await until(hass, lambda: "backend_too_slow" in [event.data["type"] for event in events])
    (slow,) = [event.data for event in events if event.data["type"] == "backend_too_slow"]
    assert slow["backend"] == "remote"
    assert slow["real_time_factor"] > 1.0
    assert hass.states.is_state("sensor.vieneu_google_colab_state", "slow")
