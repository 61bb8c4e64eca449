"""Changes of an entry: a new address, another voice, a refused token, options, a fix."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from flow_steps import go_on, reconfigure
from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pydantic import SecretStr
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, Site, serving
from test_tts import SENTENCES, TEXT, decoded, spoken
from tone_engine import expected, heard, same

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


async def test_a_new_address_needs_one_paste_and_interrupts_nobody(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    entry = await set_up(colab, mode="remote")
    runtime = entry.runtime_data
    hold = asyncio.Event()
    engine.script = [ScriptStep(hold=hold, at_sentence=1)]
    speaking = asyncio.ensure_future(spoken(hass, TEXT, preferred_format="wav"))
    await until(hass, lambda: engine.record.requests)
    async with serving(engine) as other:
        flow = await reconfigure(hass, entry, "paste")
        flow = await go_on(hass, flow, {"url": "https://127.0.0.1:1"})
        assert flow["errors"] == {"base": "cannot_connect"}
        flow = await go_on(hass, flow, {"url": other.url})
        assert flow["reason"] == "reconfigure_successful"
        hold.set()
        rate, pcm = decoded(await speaking)
        assert same(heard(pcm, rate), [expected(sentence) for sentence in SENTENCES])
        await hass.async_block_till_done()
        assert entry.runtime_data is runtime, "no reload"
        assert entry.data["colab"] == {"url": other.url, "token": TOKEN}
        assert hass.states.get("sensor.vieneu_active_backend").state == "remote"  # type: ignore[union-attr]
        rate, pcm = decoded(await spoken(hass, "Phiên mới.", preferred_format="wav"))
        assert same(heard(pcm, rate), [expected("Phiên mới.")])
        await hass.config_entries.async_unload(entry.entry_id)


async def test_who_makes_another_notebook_and_pastes_its_address_gets_the_next_one(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    hass.config.external_url = "https://house.example"
    entry = await set_up({**colab, "webhook_id": "a-webhook"}, mode="remote")
    flow = await reconfigure(hass, entry, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    (webhook_id,) = hass.data["webhook"].keys() - {"a-webhook"}
    flow = await go_on(hass, flow, {"next_step_id": "paste"})
    async with serving(engine) as other:
        flow = await go_on(hass, flow, {"url": other.url, "token": TOKEN})
        assert flow["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.data["webhook_id"] == webhook_id
        assert hass.data["webhook"].keys() == {webhook_id}
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_same_address_once_more_looks_at_it_again(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    entry = await set_up(colab, mode="remote")
    port = int(site.url.rpartition(":")[2])
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "local"))
    async with serving(ScriptedBackend(name="colab"), port=port) as again:
        flow = await reconfigure(hass, entry, "paste")
        flow = await go_on(hass, flow, {"url": again.url})
        assert flow["reason"] == "reconfigure_successful"
        await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "remote"))
        await hass.config_entries.async_unload(entry.entry_id)


async def test_another_local_voice_is_loaded_in_place_of_the_first(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(EMBEDDED)
    runtime = entry.runtime_data
    flow = await reconfigure(hass, entry, "server")
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.runtime_data is not runtime
    rate, pcm = decoded(await spoken(hass, SENTENCES[0], preferred_format="wav"))
    assert same(heard(pcm, rate), [expected(SENTENCES[0])])


async def test_an_entry_that_could_not_be_set_up_is_reconfigured_and_begins(
    hass: HomeAssistant, set_up: SetUp, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.vieneu.has_embedded_voice", lambda: False)
    gone = {"local": {"kind": "server", "url": "http://127.0.0.1:1", "token": TOKEN}}
    entry = await set_up(gone)
    assert entry.state is config_entries.ConfigEntryState.SETUP_RETRY
    flow = await reconfigure(hass, entry, "server")
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is config_entries.ConfigEntryState.LOADED
    assert hass.states.is_state("sensor.vieneu_active_backend", "local")


async def test_colab_is_added_to_a_running_entry(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(EMBEDDED)
    runtime = entry.runtime_data
    assert hass.states.get("sensor.vieneu_tunnel_quota_used") is None
    flow = await reconfigure(hass, entry, "paste")
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
    assert entry.runtime_data is runtime
    assert not hass.states.is_state("sensor.vieneu_tunnel_quota_used", "unknown")


async def test_a_refused_token_is_asked_for_again(
    hass: HomeAssistant, set_up: SetUp, site: Site, hass_client: ClientSessionGenerator
) -> None:
    older = "an-older-token-0123456789"
    data = {**EMBEDDED, "colab": {"url": site.url, "token": older}, "webhook_id": "a-webhook"}
    entry = await set_up(data, mode="remote")
    await until(hass, hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    flow = await go_on(hass, flow, {"token": "still-a-wrong-token-012345"})
    assert flow["errors"] == {"base": "invalid_auth"}
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data["colab"]["token"] == TOKEN
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "remote"))
    # From now on it is this token that must have signed an address update.
    hook = str((await hass_client()).make_url("/api/webhook/a-webhook"))
    with pytest.raises(AddressCallbackError):
        await AddressCallback(hook, lambda: SecretStr(older)).send(site.url, None)
    await AddressCallback(hook, lambda: SecretStr(TOKEN)).send(site.url, None)


async def test_a_token_that_comes_another_way_ends_the_question_for_it(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    data = {**EMBEDDED, "colab": {"url": site.url, "token": "an-older-token-0123456789"}}
    entry = await set_up(data, mode="remote")
    await until(hass, hass.config_entries.flow.async_progress)
    flow = await reconfigure(hass, entry, "paste")
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "remote"))
    await until(hass, lambda: not hass.config_entries.flow.async_progress())


async def test_the_options_are_set_without_a_reload(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote")
    runtime = entry.runtime_data
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"speed": 1.25, "sentence_pause": 0.5, "automatic_fallback": False}
    )
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime
    assert entry.options == {
        "mode": "remote", "speed": 1.25, "sentence_pause": 0.5, "automatic_fallback": False,
        "keep_speech": True,
    }  # fmt: skip


async def test_the_fix_of_a_lost_server_opens_the_form_for_its_address(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await set_up(colab, mode="remote")
    site.server.stop()
    await site.task
    with pytest.raises(Exception, match="127"):
        await press(hass, "test_google_colab")
    await until(hass, lambda: ir.async_get(hass).async_get_issue("vieneu", "remote_lost"))
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": "vieneu", "issue_id": "remote_lost"}
    )
    fix = await answer.json()
    assert fix["step_id"] == "confirm"
    assert "127.0.0.1" in fix["description_placeholders"]["detail"]
    answer = await client.post(f"/api/repairs/issues/fix/{fix['flow_id']}", json={})
    done = await answer.json()
    assert done["type"] == "create_entry"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "paste"
    assert done["next_flow"] == ["config_flow", flow["flow_id"]]
