"""Events on the bus: triggers of the device, and the logbook."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from homeassistant.components import tts
from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_get_device_automations,
    async_mock_service,
)
from server_outage import lose
from server_site import Site

from vieneu_core.errors import UnpronounceableError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

KINDS = {
    "failed_over", "failed_back", "local_lost", "remote_lost", "session_expiring",
    "session_expired", "budget_warning", "backend_switched", "backend_too_slow", "sentence_skipped",
}  # fmt: skip


async def test_automations_begin_by_what_happens_to_the_device(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    assert await async_setup_component(hass, "device_automation", {})
    entry = await set_up(colab, mode="remote")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    offered = await async_get_device_automations(hass, DeviceAutomationType.TRIGGER, device.id)
    ours = [trigger for trigger in offered if trigger["domain"] == "vieneu"]
    assert {trigger["type"] for trigger in ours} == KINDS

    noted = async_mock_service(hass, "test", "note")
    (lost,) = [trigger for trigger in ours if trigger["type"] == "remote_lost"]
    automation = {
        "id": "notified",
        "alias": "Notified",
        "triggers": [{key: lost[key] for key in ("platform", "domain", "device_id", "type")}],
        "actions": [
            {"action": "test.note", "data": {"why": "{{ trigger.event.data.reason }}"}},
        ],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    await press(hass, "test_google_colab")
    assert noted == []
    await lose(hass, site)
    await hass.async_block_till_done()

    assert len(noted) == 1
    assert noted[0].data["why"]


async def test_a_wrong_trigger_is_refused(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(EMBEDDED)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    trigger = {
        "platform": "device", "domain": "vieneu", "device_id": device.id, "type": "sings",
    }  # fmt: skip
    config = {"id": "x", "alias": "X", "triggers": [trigger], "actions": []}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    assert hass.states.is_state("automation.x", "unavailable")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Backend switched", "Google Colab lost")),
        ("vi", ("Đã đổi nguồn giọng", "Mất kết nối Google Colab")),
    ],
)
async def test_the_logbook_is_in_the_language_of_home_assistant(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    language: str,
    said: tuple[str, str],
) -> None:
    await hass.config.async_update(language=language)
    hass.config.components.add("recorder")
    assert await async_setup_component(hass, "logbook", {})
    events = async_capture_events(hass, "vieneu_event")
    await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    for option in ("local", "remote"):
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.vieneu_backend", "option": option},
            blocking=True,
        )
    await lose(hass, site)
    await hass.async_block_till_done()

    lines = [line(hass, event) for event in events]
    assert [text for text in lines if text.startswith(said[0])] == [said[0]] * 2
    (lost,) = [text for text in lines if text.startswith(said[1])]
    assert len(lost) > len(said[1]) + 5, "and why"


async def test_a_sentence_that_is_left_out_is_told(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    hass.config.components.add("recorder")
    assert await async_setup_component(hass, "logbook", {})
    events = async_capture_events(hass, "vieneu_event")
    await set_up(colab, mode="remote", automatic_fallback=False)
    engine.script = [
        ScriptStep(at_sentence=at, error=UnpronounceableError("No sounds for it.")) for at in (1, 0)
    ]
    stream = tts.async_create_stream(hass, "tts.vieneu_voice", options={"preferred_format": "wav"})
    stream.async_set_message("Cửa trước đang mở. Câu này thì không. Nhớ khóa cửa nhé.")
    assert len(b"".join([chunk async for chunk in stream.async_stream_result()])) > 1000
    await hass.async_block_till_done()

    (skipped,) = [event for event in events if event.data["type"] == "sentence_skipped"]
    assert skipped.data["sentence"] == 2
    assert skipped.data["reason"]
    assert line(hass, skipped) == f"Sentence skipped: {skipped.data['reason']}"
    state = hass.states.get("event.vieneu_backend_event")
    assert state is not None
    assert state.attributes["event_type"] == "sentence_skipped"


def line(hass: HomeAssistant, event: Event) -> str:
    """Return how the logbook tells an event."""
    domain, describe = hass.data["logbook"].external_events["vieneu_event"]
    described = describe(event)
    assert domain == "vieneu"
    assert described["name"] == "VieNeu"
    return str(described["message"])
