"""A VieNeu server on the network that is lost: an admin is told as of a server on Colab."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, until
from homeassistant.components.persistent_notification import DOMAIN as NOTIFICATION
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_outage import notifications, repairs, turn_on_until_end
from server_site import TOKEN, Site, serving

from vieneu_core.errors import (
    BackendBusyError,
    BackendDrainingError,
    BackendError,
    RateLimitedError,
)
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

LOST = "The server on the network is lost"


@pytest.fixture
def lan(site: Site) -> dict[str, Any]:
    """The data of an entry with a server on the network as the local voice."""
    return {"local": {"kind": "server", "url": site.url, "token": TOKEN}}


async def turn_off(
    hass: HomeAssistant, entry: MockConfigEntry, site: Site, key: str = "server_lost"
) -> None:
    """End the server, and let the router find out."""
    site.server.stop()
    await site.task
    with pytest.raises(BackendError):
        await entry.runtime_data.router.check("local")
    await until(hass, lambda: key in repairs(hass))
    await hass.async_block_till_done()


def placeholders(hass: HomeAssistant, key: str) -> dict[str, str]:
    issue = ir.async_get(hass).async_get_issue("vieneu", key)
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders


def message(hass: HomeAssistant) -> str:
    (notification,) = hass.data[NOTIFICATION].values()
    return str(notification["message"])


async def test_an_outage_is_told_once_and_ends_when_the_server_is_back(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site
) -> None:
    events = async_capture_events(hass, "vieneu_event")
    entry = await set_up(lan)
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    assert repairs(hass) == set()
    await turn_off(hass, entry, site)

    assert repairs(hass) == {"server_lost", "fallback_active"}
    assert notifications(hass) == [LOST]
    assert "the active backend is Embedded voice" in message(hass)
    assert hass.states.is_state("binary_sensor.vieneu_fallback_active", "on")
    (lost,) = [event for event in events if event.data["type"] == "local_lost"]
    assert lost.data["reason"]
    assert lost.data["remedy"]
    state = hass.states.get("event.vieneu_backend_event")
    assert state is not None
    assert state.attributes["event_type"] in {"local_lost", "failed_over"}

    await turn_on_until_end(hass, entry, site)


@pytest.mark.usefixtures("no_embedded_voice")
@pytest.mark.parametrize("language", ["en", "vi"])
async def test_where_nothing_else_speaks_nobody_is_promised_a_voice(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site, language: str
) -> None:
    await hass.config.async_update(language=language)
    entry = await set_up(lan)
    await turn_off(hass, entry, site)

    assert repairs(hass) == {"server_lost", "nothing_speaks"}
    nothing = {"en": "nothing can speak", "vi": "không nguồn giọng nào đọc được"}[language]
    assert nothing in placeholders(hass, "server_lost")["speaks"]
    assert nothing in message(hass)
    stated = placeholders(hass, "nothing_speaks")
    assert stated["detail"]
    assert stated["remedy"]
    issue = ir.async_get(hass).async_get_issue("vieneu", "nothing_speaks")
    assert issue is not None
    assert issue.severity is ir.IssueSeverity.CRITICAL

    port = int(site.url.rpartition(":")[2])
    async with serving(ScriptedBackend(), port=port):
        await entry.runtime_data.router.check("local")
        await until(hass, lambda: not repairs(hass))
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_embedded_voice")
async def test_colab_that_is_lost_beside_a_lost_server_promises_no_local_voice(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site
) -> None:
    async with serving(ScriptedBackend(name="colab")) as colab:
        data = {**lan, "colab": {"url": colab.url, "token": TOKEN}}
        entry = await set_up(data, mode="remote")
        await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
        await turn_off(hass, entry, site)
        assert repairs(hass) == {"server_lost"}
        assert "Google Colab, is not affected" in placeholders(hass, "server_lost")["speaks"]
        colab.server.stop()
        await colab.task
        with pytest.raises(BackendError):
            await entry.runtime_data.router.check("remote")
        await until(hass, lambda: "nothing_speaks" in repairs(hass))
        assert repairs(hass) == {"server_lost", "remote_lost", "nothing_speaks"}
        assert placeholders(hass, "remote_lost")["speaks"] == "Without it, nothing can speak."
        assert placeholders(hass, "server_lost")["speaks"] == "Without it, nothing can speak."
        await hass.config_entries.async_unload(entry.entry_id)


async def test_without_automatic_fallback_no_other_voice_is_promised(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site
) -> None:
    entry = await set_up(lan, automatic_fallback=False)
    await turn_off(hass, entry, site)
    assert repairs(hass) == {"server_lost", "nothing_speaks"}
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.vieneu_automatic_fallback"}, blocking=True
    )
    await until(hass, lambda: repairs(hass) == {"server_lost", "fallback_active"})


async def test_a_server_that_was_off_at_the_start_is_told_of_and_used_once_it_is_on(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site
) -> None:
    site.server.stop()
    await site.task
    entry = await set_up(lan)
    assert entry.state is ConfigEntryState.LOADED
    assert repairs(hass) == {"server_lost", "fallback_active"}
    port = int(site.url.rpartition(":")[2])
    async with serving(ScriptedBackend(), port=port):
        await entry.runtime_data.router.check("local")
        await until(hass, lambda: not repairs(hass))
        assert hass.states.is_state("sensor.vieneu_active_backend", "local")
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_embedded_voice")
async def test_an_entry_that_cannot_be_set_up_is_a_repair_until_it_is_or_is_disabled(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], site: Site
) -> None:
    site.server.stop()
    await site.task
    entry = await set_up(lan)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert repairs(hass) == {"nothing_speaks"}
    assert placeholders(hass, "nothing_speaks")["detail"]
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert repairs(hass) == set()

    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert repairs(hass) == {"nothing_speaks"}
    port = int(site.url.rpartition(":")[2])
    async with serving(ScriptedBackend(), port=port):
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        await until(hass, lambda: not repairs(hass))
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_local_engine_that_fails_is_no_server(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(EMBEDDED)
    entry.runtime_data.router.status()

    async def failing() -> None:
        raise BackendError("The model is gone.")

    monkeypatch.setattr("vieneu_core.backends.local.LocalBackend.load", lambda _: failing())
    with pytest.raises(BackendError):
        await entry.runtime_data.router.load_backend("local")
    await until(hass, lambda: repairs(hass) == {"local_lost", "nothing_speaks"})
    assert "The model is gone." in placeholders(hass, "local_lost")["detail"]
    issue = ir.async_get(hass).async_get_issue("vieneu", "local_lost")
    assert issue is not None
    assert issue.data is not None
    assert issue.data["form"] == "menu", "where another voice can be chosen"
    for key in ("local_lost", "nothing_speaks"):
        assert placeholders(hass, key)["remedy"] == "", "nothing promises another backend"
    assert "Another backend" not in message(hass)


async def test_a_last_resort_that_fails_is_a_repair_while_the_server_still_speaks(
    hass: HomeAssistant, set_up: SetUp, lan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an admin learns of it only when the server is lost, and nothing speaks."""
    entry = await set_up(lan)
    router = entry.runtime_data.router
    await until(hass, lambda: "last_resort" in router.status().ready)
    assert repairs(hass) == set()

    async def failing() -> None:
        raise BackendError("The library is gone.")

    with monkeypatch.context() as broken:
        broken.setattr("vieneu_core.backends.local.LocalBackend.load", lambda _: failing())
        with pytest.raises(BackendError):
            await router.load_backend("last_resort")
        await until(hass, lambda: repairs(hass) == {"last_resort_lost"})
    assert placeholders(hass, "last_resort_lost")["detail"].startswith("The library is gone.")
    assert notifications(hass) == []
    await router.load_backend("last_resort")
    await until(hass, lambda: repairs(hass) == set())


@pytest.mark.usefixtures("no_embedded_voice")
@pytest.mark.parametrize("kind", [RateLimitedError, BackendBusyError, BackendDrainingError])
async def test_a_server_that_has_too_much_to_do_is_not_lost(
    hass: HomeAssistant,
    set_up: SetUp,
    lan: dict[str, Any],
    engine: ScriptedBackend,
    kind: type[BackendError],
) -> None:
    entry = await set_up(lan)
    engine.always = ScriptStep(error=kind("too much to do", retry_after_s=30))
    with pytest.raises(kind):
        await entry.runtime_data.router.probe("local")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "paused"))
    assert "server_lost" not in repairs(hass)
    assert notifications(hass) == []


@pytest.mark.usefixtures("no_embedded_voice")
@pytest.mark.parametrize(
    ("issue_id", "step"), [("server_lost", "server"), ("nothing_speaks", "reconfigure")]
)
async def test_the_fix_opens_the_form_that_repairs_it(
    hass: HomeAssistant,
    set_up: SetUp,
    lan: dict[str, Any],
    site: Site,
    hass_client: ClientSessionGenerator,
    issue_id: str,
    step: str,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await turn_off(hass, await set_up(lan), site)
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": "vieneu", "issue_id": issue_id}
    )
    fix = await answer.json()
    assert fix["step_id"] == "confirm"
    assert fix["description_placeholders"]["detail"]
    answer = await client.post(f"/api/repairs/issues/fix/{fix['flow_id']}", json={})
    done = await answer.json()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == step
    assert done["next_flow"] == ["config_flow", flow["flow_id"]]
