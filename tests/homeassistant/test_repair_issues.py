"""Repair issues and the notification: created once, deleted by themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from homeassistant.components.persistent_notification import DOMAIN as NOTIFICATION
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from server_outage import find, lose, notifications, repairs
from server_site import TOKEN, Site, serving

from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import BackendError
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.voices import Voice


async def test_an_outage_is_notified_once_and_dismissed_when_it_is_over(
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
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    await lose(hass, site)
    assert repairs(hass) == {"remote_lost", "fallback_active"}
    assert notifications(hass) == ["Google Colab is lost"]

    # The admin has read it; what fails again in the same outage causes no further notification.
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


async def test_messages_are_in_the_language_of_home_assistant(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    await hass.config.async_update(language="vi")
    await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    await lose(hass, site)

    (notification,) = hass.data[NOTIFICATION].values()
    assert notification["message"].startswith("Mất kết nối Google Colab: ")
    assert "(/config/repairs)" in notification["message"]
    assert "{" not in notification["message"]
    assert "Không kết nối được tới 127.0.0.1" in notification["message"]
    last = hass.states.get("sensor.vieneu_last_error")
    assert last is not None
    assert last.state == "Không kết nối được"
    assert last.attributes["backend"] == "remote"
    assert last.attributes["code"] == "connection"
    assert last.attributes["detail"].startswith("Không kết nối được tới 127.0.0.1")
    assert last.attributes["remedy"].startswith("Kiểm tra xem máy chủ còn chạy")
    issue = ir.async_get(hass).async_get_issue("vieneu", "fallback_active")
    assert issue is not None
    assert issue.translation_placeholders == {"active": "Giọng trong nhà", "chosen": "Google Colab"}


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
    listing = asyncio.ensure_future(runtime.coordinator.async_refresh_voices())
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


async def test_a_default_voice_that_the_chosen_backend_lacks_is_an_issue_until_there_is_one(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote", voice="vi-nobody")
    await until(hass, lambda: repairs(hass) == {"default_voice_missing"})
    issue = ir.async_get(hass).async_get_issue("vieneu", "default_voice_missing")
    assert issue is not None
    assert issue.translation_placeholders == {"voice": "vi-nobody", "backend": "Google Colab"}
    for option in ("vi-tone", "default"):
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.vieneu_default_voice", "option": option},
            blocking=True,
        )
        await hass.async_block_till_done()
        assert repairs(hass) == set()
    assert entry.options["voice"] == ""


async def test_a_default_voice_of_the_local_backend_that_is_missing_is_an_issue(
    hass: HomeAssistant,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As the router publishes it: `DefaultVoiceMissing`."""
    caplog.set_level("INFO", "vieneu_core")
    backend = partial(LocalBackend, default_voice="vi-nobody")
    monkeypatch.setattr("custom_components.vieneu.runtime.LocalBackend", backend)
    await set_up(EMBEDDED)
    await until(hass, lambda: repairs(hass) == {"default_voice_missing"})
    assert "DefaultVoiceMissing(backend='local', voice='vi-nobody')" in caplog.text


@asynccontextmanager
async def entry_with(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, **server: Any
) -> AsyncIterator[MockConfigEntry]:
    async with serving(engine, **server) as site:
        entry = await set_up({**EMBEDDED, "colab": {"url": site.url, "token": TOKEN}})
        await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
        await hass.async_block_till_done()
        yield entry
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_session_that_ends_within_half_an_hour_is_an_issue_until_there_is_a_new_one(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend
) -> None:
    events = async_capture_events(hass, "vieneu_event")
    async with (
        entry_with(hass, set_up, engine, session_limit_s=12 * 3600.0) as entry,
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
        end = dt_util.as_local(entry.runtime_data.coordinator.data.session_end)
        assert issue.translation_placeholders["end"] == end.strftime("%H:%M")
        async with serving(engine, session_limit_s=12 * 3600.0) as other:
            await find(hass, entry, other)
            await until(hass, lambda: not repairs(hass))


async def test_a_session_with_hours_left_is_no_matter(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend
) -> None:
    async with entry_with(hass, set_up, engine, session_limit_s=31 * 60.0):
        assert repairs(hass) == set()


async def test_an_older_server_is_an_issue_until_it_is_upgraded(
    hass: HomeAssistant,
    set_up: SetUp,
    engine: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with entry_with(hass, set_up, engine) as entry:
        assert repairs(hass) == set()
        monkeypatch.setattr("custom_components.vieneu.repair_issues.__version__", "99.0.0")
        await entry.runtime_data.coordinator.async_refresh()
        assert repairs(hass) == {"server_outdated"}
        monkeypatch.undo()
        await entry.runtime_data.coordinator.async_refresh()
        assert repairs(hass) == set()


async def test_a_quota_that_is_nearly_used_is_an_issue_until_the_month_is_over(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, tmp_path: Path
) -> None:
    kept = tmp_path / "vieneu/budget.json"
    kept.parent.mkdir()
    month = datetime.now(UTC).strftime("%Y-%m")
    used = {"month": month, "requests": 17_990, "bytes": 0, "told": [0.7]}
    kept.write_text(json.dumps(used))
    events = async_capture_events(hass, "vieneu_event")
    async with entry_with(hass, set_up, engine) as entry:
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
