"""How the admin is told: repairs, one notification, events, triggers of the device, the logbook."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.components.persistent_notification import DOMAIN as NOTIFICATION
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_get_device_automations,
    async_mock_service,
)
from server_site import TOKEN, Site, serving

from vieneu_core.errors import BackendError
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.voices import Voice

KINDS = {
    "failed_over", "failed_back", "remote_lost", "session_expiring", "session_expired",
    "budget_warning", "backend_switched",
}  # fmt: skip


def repairs(hass: HomeAssistant) -> set[str]:
    return {key for domain, key in ir.async_get(hass).issues if domain == "vieneu"}


def notifications(hass: HomeAssistant) -> list[str]:
    return [n["message"].partition(":")[0] for n in hass.data.get(NOTIFICATION, {}).values()]


async def lose(hass: HomeAssistant, site: Site) -> None:
    """End the server, and let the house find out."""
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await until(hass, lambda: "remote_lost" in repairs(hass))


async def find(hass: HomeAssistant, entry: MockConfigEntry, site: Site) -> None:
    """Tell the house where the server is now."""
    house = entry.runtime_data.runtime
    await house.router.set_remote(house.remote({"url": site.url, "token": TOKEN}))
    await entry.runtime_data.async_refresh()


async def test_an_outage_is_told_once_and_taken_back_when_it_is_over(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "vieneu_core")
    entry = await set_up(colab, mode="remote")
    assert repairs(hass) == set()
    assert notifications(hass) == []
    await lose(hass, site)
    assert repairs(hass) == {"remote_lost", "fallback_active"}
    assert notifications(hass) == ["Google Colab is lost"]

    # The admin has read it; what fails again in the same outage is not told anew.
    hass.data[NOTIFICATION].clear()
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await hass.async_block_till_done()
    assert notifications(hass) == []
    assert caplog.text.count("RemoteLost(") == 1

    async with serving(ScriptedBackend()) as other:
        await find(hass, entry, other)
        await until(hass, lambda: not repairs(hass))
        assert caplog.text.count("FailedBack(") == 1
        # The next outage is another one.
        await lose(hass, other)
        assert notifications(hass) == ["Google Colab is lost"]
        async with serving(ScriptedBackend()) as third:
            await find(hass, entry, third)
            await until(hass, lambda: not notifications(hass))
            assert repairs(hass) == set()
            await hass.config_entries.async_unload(entry.entry_id)


async def test_the_admin_is_told_in_the_language_of_the_house(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    await hass.config.async_update(language="vi")
    await set_up(colab, mode="remote")
    await lose(hass, site)

    (notification,) = hass.data[NOTIFICATION].values()
    assert notification["message"].startswith("Mất kết nối Google Colab: ")
    assert "(/config/repairs)" in notification["message"]
    assert "{" not in notification["message"]
    assert "Không kết nối được (" in notification["message"]
    last = hass.states.get("sensor.vieneu_loi_gan_nhat") or hass.states.get(
        "sensor.vieneu_last_error"
    )
    assert last is not None
    assert last.state.startswith("Không kết nối được (")
    issue = ir.async_get(hass).async_get_issue("vieneu", "fallback_active")
    assert issue is not None
    assert issue.translation_placeholders == {"active": "Trong nhà", "chosen": "Google Colab"}


async def test_what_happens_while_voices_are_listed_is_not_forgotten(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = await set_up(colab, mode="remote")
    runtime, listed = entry.runtime_data, asyncio.Event()

    async def slowly() -> tuple[Voice, ...]:
        await listed.wait()
        return (Voice(id="vi-late", name="Muộn", language="vi"),)

    monkeypatch.setattr(runtime.router, "voices", slowly)
    listing = asyncio.ensure_future(runtime.async_refresh_voices())
    await asyncio.sleep(0.05)
    site.server.stop()
    await site.task
    with pytest.raises(BackendError):
        await runtime.router.check("remote")
    await until(hass, lambda: "remote_lost" in repairs(hass))
    listed.set()
    await listing
    assert "remote_lost" in repairs(hass)
    assert notifications(hass) == ["Google Colab is lost"]


async def test_what_is_unloaded_takes_its_repairs_and_its_notification_along(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    entry = await set_up(colab, mode="remote")
    await lose(hass, site)
    assert await hass.config_entries.async_unload(entry.entry_id)

    assert repairs(hass) == set()
    assert notifications(hass) == []


@asynccontextmanager
async def a_house_with(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, **server: Any
) -> AsyncIterator[MockConfigEntry]:
    async with serving(engine, **server) as site:
        entry = await set_up({**EMBEDDED, "colab": {"url": site.url, "token": TOKEN}})
        await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
        await hass.async_block_till_done()
        yield entry
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_session_that_ends_within_half_an_hour_is_told_until_there_is_a_new_one(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend
) -> None:
    events = async_capture_events(hass, "vieneu_event")
    async with (
        a_house_with(hass, set_up, engine, session_limit_s=12 * 3600.0) as entry,
        serving(engine, session_limit_s=29 * 60.0) as ending,
    ):
        assert repairs(hass) == set()
        await find(hass, entry, ending)
        await until(hass, lambda: repairs(hass) == {"session_ending"})
        (event,) = [event for event in events if event.data["type"] == "session_expiring"]
        assert event.data["remaining_minutes"] == 29
        issue = ir.async_get(hass).async_get_issue("vieneu", "session_ending")
        assert issue is not None
        assert issue.translation_placeholders is not None
        end = dt_util.as_local(entry.runtime_data.data.session_end)
        assert issue.translation_placeholders["end"] == end.strftime("%H:%M")
        async with serving(engine, session_limit_s=12 * 3600.0) as other:
            await find(hass, entry, other)
            await until(hass, lambda: not repairs(hass))


async def test_a_session_with_hours_left_is_no_matter(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend
) -> None:
    async with a_house_with(hass, set_up, engine, session_limit_s=31 * 60.0):
        assert repairs(hass) == set()


async def test_an_older_server_is_told_until_it_is_upgraded(
    hass: HomeAssistant,
    set_up: SetUp,
    engine: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_house_with(hass, set_up, engine) as entry:
        assert repairs(hass) == set()
        monkeypatch.setattr("custom_components.vieneu.issues.__version__", "99.0.0")
        await entry.runtime_data.async_refresh()
        assert repairs(hass) == {"server_outdated"}
        monkeypatch.undo()
        await entry.runtime_data.async_refresh()
        assert repairs(hass) == set()


async def test_a_budget_that_is_nearly_used_is_told_until_the_month_is_over(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, tmp_path: Path
) -> None:
    kept = tmp_path / "vieneu/budget.json"
    kept.parent.mkdir()
    month = datetime.now(UTC).strftime("%Y-%m")
    used = {"month": month, "requests": 17_990, "bytes": 0, "told": [0.7]}
    kept.write_text(json.dumps(used))
    events = async_capture_events(hass, "vieneu_event")
    async with a_house_with(hass, set_up, engine) as entry:
        assert repairs(hass) == set()
        assert events == []
        for _ in range(10):
            await press(hass, "test_google_colab")
        await hass.async_block_till_done()
        assert repairs(hass) == {"tunnel_budget"}
        assert [e.data["used_percent"] for e in events] == [90]

        await hass.config_entries.async_unload(entry.entry_id)
        kept.write_text(json.dumps({**used, "requests": 20_000, "month": "2020-01"}))
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert repairs(hass) == set()


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
        "id": "told",
        "alias": "Told",
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
        ("vi", ("Đã đổi nơi đọc", "Mất Google Colab")),
    ],
)
async def test_the_logbook_tells_it_in_the_language_of_the_house(
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


def line(hass: HomeAssistant, event: Event) -> str:
    """Return how the logbook tells an event."""
    domain, describe = hass.data["logbook"].external_events["vieneu_event"]
    described = describe(event)
    assert domain == "vieneu"
    assert described["name"] == "VieNeu"
    return str(described["message"])
