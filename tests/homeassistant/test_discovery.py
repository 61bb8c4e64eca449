"""Discovery of the app: Supervisor hands it over, and one click sets it up."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, until
from discovered import INVALID, OTHER_TOKEN, SLUG, aborted, discover, handed_over, server_at
from flow_steps import begin, go_on, loaded
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry
from server_site import TOKEN, Site, serving

from vieneu_core.testing.scripted import ScriptedBackend

FORM = FlowResultType.FORM


async def test_an_app_is_set_up_by_one_click(
    hass: HomeAssistant, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    flow = await discover(hass, handed_over(site.url))
    assert (flow["type"], flow["step_id"]) == (FORM, "hassio_confirm")
    assert flow["data_schema"] is None, "nothing is typed"
    assert flow["description_placeholders"]["app"] == "VieNeu Relay"
    (waiting,) = hass.config_entries.flow.async_progress()
    assert waiting["context"]["title_placeholders"] == {"name": "VieNeu Relay"}
    assert waiting["context"]["configuration_url"] == f"homeassistant://hassio/addon/{SLUG}/info"  # type: ignore[typeddict-item]

    flow = await go_on(hass, flow, {})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == server_at(site.url, app=SLUG)
    entry = await loaded(hass)
    assert entry.unique_id == "vieneu"
    assert hass.states.get("sensor.vieneu_active_backend").state == "local"  # type: ignore[union-attr]
    assert TOKEN not in caplog.text
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_app_that_does_not_answer_is_an_error_and_tried_again(hass: HomeAssistant) -> None:
    async with serving(ScriptedBackend(name="app")) as site:
        found = handed_over(site.url)
    flow = await go_on(hass, await discover(hass, found), {})
    assert flow["errors"] == {"base": "cannot_connect"}
    assert TOKEN not in json.dumps(flow["description_placeholders"])


async def test_an_app_that_is_found_twice_is_offered_once(hass: HomeAssistant, site: Site) -> None:
    """The later message has the token of now."""
    await discover(hass, handed_over(site.url, token=OTHER_TOKEN))
    flow = await discover(hass, handed_over(site.url))
    (opened,) = hass.config_entries.flow.async_progress()
    assert opened["flow_id"] == flow["flow_id"]
    assert (await go_on(hass, flow, {}))["type"] is FlowResultType.CREATE_ENTRY
    await hass.config_entries.async_unload((await loaded(hass)).entry_id)


async def test_an_app_that_the_admin_ignores_is_not_offered_again(
    hass: HomeAssistant, site: Site
) -> None:
    flow = await discover(hass, handed_over(site.url))
    assert flow["type"] is FORM
    await hass.config_entries.flow.async_init(
        "vieneu",
        context={"source": SOURCE_IGNORE},
        data={"unique_id": "1234", "title": "VieNeu Relay"},
    )
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    assert (await begin(hass))["type"] is FlowResultType.MENU, "it can still be set up by hand"


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "evil.example"},  # the token would cross the internet
        {"host": "a b"},
        {"host": None},
        {"port": "8000"},
        {"port": 0},
        {"port": 99_999},
        {"token": ""},
        {"token": "two words"},
        {"token": "x" * 5_000},
        {"token": None},
    ],
)
async def test_a_message_that_cannot_be_used_changes_nothing(
    hass: HomeAssistant, site: Site, changes: dict[str, Any]
) -> None:
    assert aborted(await discover(hass, handed_over(site.url, **changes))) == INVALID


async def test_an_address_of_ipv6_is_understood(hass: HomeAssistant, site: Site) -> None:
    flow = await discover(hass, handed_over(site.url, host="fd00::7"))
    assert flow["step_id"] == "hassio_confirm"


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_new_address_and_token_of_the_app_heal_the_entry(
    hass: HomeAssistant, site: Site, set_up: SetUp, *, is_loaded: bool
) -> None:
    data = server_at(site.url, OTHER_TOKEN, app=SLUG)
    if is_loaded:
        entry = await set_up(data)
    else:
        entry = MockConfigEntry(domain="vieneu", data=data, unique_id="vieneu")
        entry.add_to_hass(hass)
    async with serving(ScriptedBackend(name="app")) as moved:
        assert aborted(await discover(hass, handed_over(moved.url))) == "already_configured"
        assert entry.data == server_at(moved.url, app=SLUG)
        await until(hass, lambda: entry.state.value == "loaded")
        await until(
            hass, lambda: hass.states.get("sensor.vieneu_active_backend").state == "local"  # type: ignore[union-attr]
        )  # fmt: skip
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_same_again_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url, app=SLUG))
    runtime = entry.runtime_data
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime, "it was not loaded again"


async def test_an_app_that_was_entered_by_hand_is_known_by_its_token(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url))
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    assert entry.data == server_at(site.url, app=SLUG)


async def test_another_app_does_not_take_over_without_a_click(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    data = server_at(site.url, app="other_vieneu")
    entry = await set_up(data)
    flow = await discover(hass, handed_over(site.url, token=OTHER_TOKEN))
    assert flow["type"] is FORM
    flow = await go_on(hass, flow, {})
    assert flow["errors"] == {"base": "app_refuses"}
    assert entry.data == data


async def test_the_app_takes_the_place_of_another_local_voice_and_colab_stays(
    hass: HomeAssistant, site: Site, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    assert entry.data["local"] == EMBEDDED["local"]
    async with serving(ScriptedBackend(name="app")) as app:
        flow = await go_on(hass, await discover(hass, handed_over(app.url)), {})
        assert aborted(flow) == "local_replaced"
        assert entry.data == {**colab, **server_at(app.url, app=SLUG)}
        await until(hass, lambda: entry.state.value == "loaded")
        await hass.config_entries.async_unload(entry.entry_id)
