"""A server on the network that does not accept the token, and its address as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, until
from custom_components.vieneu.validation import Failure, verify
from flow_steps import begin, go_on, loaded, reconfigure
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from server_outage import notifications, repairs
from server_site import TOKEN, Site, serving

from vieneu_core.errors import AuthenticationError
from vieneu_core.testing.scripted import ScriptedBackend

OLDER = "an-older-token-0123456789"


def with_token(url: str, token: str) -> dict[str, Any]:
    return {"local": {"kind": "server", "url": url, "token": token}}


async def test_the_token_of_a_loaded_entry_is_asked_for(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(with_token(site.url, OLDER))
    assert entry.state is ConfigEntryState.LOADED, "the embedded voice speaks"
    await until(hass, hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_server"
    assert repairs(hass) == {"fallback_active"}, "the dialog for the token says the rest"
    assert notifications(hass) == []
    flow = await go_on(hass, flow, {"token": "still-a-wrong-token-012345"})
    assert flow["errors"] == {"base": "invalid_auth"}
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data["local"] == {"kind": "server", "url": site.url, "token": TOKEN}
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "local"))
    assert repairs(hass) == set()


@pytest.mark.usefixtures("no_embedded_voice")
async def test_at_set_up_it_is_an_error_of_the_token_and_not_retried_for_ever(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(with_token(site.url, OLDER))
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "nothing_speaks"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_server"
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.is_state("sensor.vieneu_active_backend", "local")
    assert repairs(hass) == set()


@pytest.mark.usefixtures("no_embedded_voice")
async def test_it_is_retried_while_another_server_may_come_back(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    colab = {"colab": {"url": "http://127.0.0.1:1", "token": TOKEN}}
    entry = await set_up({**with_token(site.url, OLDER), **colab}, mode="remote")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_server", "of the server that refused it"
    hass.config_entries.flow.async_abort(flow["flow_id"])


@pytest.mark.usefixtures("no_embedded_voice")
async def test_the_token_of_colab_is_asked_for_at_set_up_too(
    hass: HomeAssistant, set_up: SetUp, site: Site, engine: ScriptedBackend
) -> None:
    colab = {"colab": {"url": site.url, "token": OLDER}}
    entry = await set_up({**with_token("http://127.0.0.1:1", TOKEN), **colab}, mode="remote")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    hass.config_entries.flow.async_abort(flow["flow_id"])


async def test_a_token_that_is_right_again_ends_only_the_question_for_it(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    colab = {"colab": {"url": site.url, "token": TOKEN}}
    entry = await set_up({**with_token(site.url, OLDER), **colab}, mode="remote")
    await until(hass, hass.config_entries.flow.async_progress)
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_server", "Colab is ready, and this one is still refused"
    changed = await reconfigure(hass, entry, "server")
    changed = await go_on(hass, changed, {"url": site.url, "token": TOKEN})
    assert changed["reason"] == "reconfigure_successful"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    await until(hass, lambda: not hass.config_entries.flow.async_progress())
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_embedded_voice")
async def test_the_same_token_is_tried_again_once_the_server_accepts_it_again(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(with_token(site.url, TOKEN))
    port = int(site.url.rpartition(":")[2])
    site.server.stop()
    await site.task
    async with serving(ScriptedBackend(), port=port, token=OLDER):
        with pytest.raises(AuthenticationError):
            await entry.runtime_data.router.check("local")
        await until(hass, hass.config_entries.flow.async_progress)
    async with serving(ScriptedBackend(), port=port):
        (flow,) = hass.config_entries.flow.async_progress()
        assert flow["step_id"] == "reauth_server"
        flow = await go_on(hass, flow, {"token": TOKEN})
        assert flow["reason"] == "reauth_successful"
        await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
        assert repairs(hass) == set()
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_embedded_voice")
async def test_with_colab_the_dialog_for_its_token_is_removed(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    colab = {"colab": {"url": site.url, "token": OLDER}}
    entry = await set_up({**with_token(site.url, TOKEN), **colab})
    await until(hass, hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    changed = await go_on(hass, await reconfigure(hass, entry, "remove_colab"), {})
    assert changed["reason"] == "reconfigure_successful"
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.usefixtures("no_embedded_voice")
@pytest.mark.parametrize("moment", ["before", "meanwhile"])
async def test_the_token_of_a_server_that_is_gone_is_not_asked_for(
    hass: HomeAssistant,
    set_up: SetUp,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    entry = await set_up(with_token(site.url, OLDER))
    (flow,) = hass.config_entries.flow.async_progress()

    def replace() -> None:
        hass.config_entries.async_update_entry(entry, data=EMBEDDED)

    async def verify_slowly(hass: HomeAssistant, given: Mapping[str, str]) -> Failure | None:
        failure = await verify(hass, given)
        replace()
        return failure

    if moment == "before":
        replace()
    monkeypatch.setattr("custom_components.vieneu.reauth_flow.verify", verify_slowly)
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["reason"] == "server_removed"
    assert entry.data == EMBEDDED


async def test_a_bare_address_with_its_port_is_understood(hass: HomeAssistant, site: Site) -> None:
    flow = await begin(hass, "server")
    assert flow["description_placeholders"]["server_example"] == "http://192.168.1.20:8000"
    bare = site.url.removeprefix("http://")
    flow = await go_on(hass, flow, {"url": f" {bare}/ ", "token": TOKEN})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"]["local"] == {"kind": "server", "url": site.url, "token": TOKEN}
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_bare_address_of_colab_is_understood(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(EMBEDDED)
    flow = await reconfigure(hass, entry, "paste")
    flow = await go_on(hass, flow, {"url": site.url.removeprefix("http://"), "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    assert entry.data["colab"] == {"url": site.url, "token": TOKEN}
