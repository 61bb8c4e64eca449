"""Set-up: as an admin goes through the forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import EMBEDDED
from flow_steps import Flow, begin, go_on, loaded
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pydantic import SecretStr
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, Site, serving

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_core.errors import (
    AuthenticationError,
    BackendConnectionError,
    BackendDrainingError,
    BackendLoadingError,
    ConfigurationError,
    InternalServerError,
    MissingExtraError,
    NotVieneuServerError,
    ServerTooNewError,
    ServerTooOldError,
    TunnelOfflineError,
    VieneuError,
)
from vieneu_core.testing.scripted import ScriptedBackend


async def test_the_embedded_voice_is_tried_and_kept(hass: HomeAssistant) -> None:
    flow = await begin(hass)
    assert flow["type"] is FlowResultType.MENU
    assert flow["menu_options"] == ["embedded", "model", "server", "colab"]
    flow = await go_on(hass, flow, {"next_step_id": "embedded"})
    assert flow["type"] is FlowResultType.FORM
    flow = await go_on(hass, flow, {})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == EMBEDDED
    entry = await loaded(hass)
    assert entry.unique_id == "vieneu"

    again = await begin(hass)
    assert (again["type"], again["reason"]) == (FlowResultType.ABORT, "single_instance_allowed")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_engine_that_cannot_be_loaded_is_an_error(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vieneu_core.engines.espeak.create", lambda _: 1 / 0)
    monkeypatch.setattr(
        "custom_components.vieneu.config_flow.embedded_voice", lambda _: Spec("espeak:nothing")
    )
    flow = await begin(hass, "embedded")
    monkeypatch.setattr("custom_components.vieneu.validation.install", none_is_missing)
    flow = await go_on(hass, flow, {})

    assert flow["errors"] == {"base": "engine_failed"}
    assert flow["description_placeholders"]["detail"]


async def none_is_missing(*_: object) -> None:
    return None


def Spec(target: str) -> Any:  # noqa: N802 - stands for a class
    from vieneu_core.worker.spec import EngineSpec

    return EngineSpec(target)


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_a_notebook_that_cannot_be_made_is_an_error_and_tried_again(
    hass: HomeAssistant, site: Site, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    def broken(_: object) -> bytes:
        raise MissingExtraError("Making notebooks", "notebook")

    hass.config.language = language
    flow = await begin(hass, "colab")
    with monkeypatch.context() as without:
        without.setattr("custom_components.vieneu.notebook_view.notebook_file", broken)
        flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["errors"] == {"base": "notebook_failed"}
    assert flow["description_placeholders"]["detail"]
    remedy = {"en": "Reload the integration", "vi": "Hãy tải lại bộ tích hợp"}[language]
    assert flow["description_placeholders"]["remedy"].startswith(remedy)
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["step_id"] == "notebook"


async def test_a_server_on_the_network_is_looked_at_first(hass: HomeAssistant, site: Site) -> None:
    flow = await begin(hass, "server")
    flow = await go_on(hass, flow, {"url": site.url, "token": "a-wrong-token-0123456789"})
    assert flow["errors"] == {"base": "invalid_auth"}
    assert "wrong-token" not in json.dumps(flow["description_placeholders"])
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["data"]["local"] == {"kind": "server", "url": site.url, "token": TOKEN}
    entry = await loaded(hass)
    assert hass.states.get("sensor.vieneu_active_backend").state == "local"  # type: ignore[union-attr]
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (AuthenticationError("x"), "invalid_auth"),
        (TunnelOfflineError("x"), "tunnel_offline"),
        (ServerTooOldError("x"), "server_too_old"),
        (ServerTooNewError("x"), "server_too_new"),
        (NotVieneuServerError("x"), "not_vieneu_server"),
        (BackendLoadingError("x"), "still_loading"),
        (BackendDrainingError("x"), "draining"),
        (BackendConnectionError("x"), "cannot_connect"),
        (ConfigurationError("x"), "invalid_url"),
        (InternalServerError("x"), "cannot_connect"),
        (VieneuError("x"), "unknown"),
    ],
)
async def test_each_failure_has_its_message_and_then_it_goes_on(
    hass: HomeAssistant, site: Site, monkeypatch: pytest.MonkeyPatch, error: VieneuError, key: str
) -> None:
    async def failing(*_: object, **__: object) -> None:
        raise error

    flow = await begin(hass, "server")
    with monkeypatch.context() as broken:
        broken.setattr("custom_components.vieneu.validation.verify_server", failing)
        flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["errors"] == {"base": key}
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_url_that_is_none_is_an_error(hass: HomeAssistant) -> None:
    flow = await begin(hass, "server")
    flow = await go_on(hass, flow, {"url": "my server", "token": TOKEN})
    assert flow["errors"] == {"base": "invalid_url"}


async def test_colab_is_paired_by_pasting_where_home_assistant_is_not_reached(
    hass: HomeAssistant,
    site: Site,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "cloudflared", "domain": "a.ngrok.app"})
    assert flow["errors"] == {"base": "invalid_notebook"}
    assert flow["description_placeholders"]["tunnels"] == "ngrok, pyngrok"
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["menu_options"] == ["paste"]
    # Who opens the dialog again, in another tab say, finds the same notebook there.
    again: Flow = await hass.config_entries.flow.async_configure(flow["flow_id"])  # type: ignore[assignment]
    assert again["step_id"] == "notebook"
    link = flow["description_placeholders"]["link"]
    client = await hass_client()
    answer = await client.get(link, headers={"Authorization": ""})
    notebook = await answer.json(content_type=None)
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert [c["id"] for c in notebook["cells"] if c["cell_type"] == "code"][-1] == "watch"
    other = await client.get("/api/vieneu/notebook/nothing")
    assert other.status == 404
    assert "no longer valid" in (await other.json())["message"]
    stranger = await hass_client_no_auth()
    assert (await stranger.get(link.partition("?")[0])).status == 401
    assert (await stranger.get(link)).status == 200, "the link itself is signed"

    flow = await go_on(hass, flow, {"next_step_id": "paste"})
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"]["colab"] == {"url": site.url, "token": TOKEN}
    assert flow["data"]["local"] == {"kind": "embedded"}
    entry = await loaded(hass)
    assert hass.states.is_state("select.vieneu_backend", "remote"), "who chose Colab hears Colab"
    assert hass.states.is_state("sensor.vieneu_active_backend", "remote")
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("early", [False, True], ids=["waits", "the notebook runs before"])
async def test_colab_is_paired_without_typing_anything(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, engine: ScriptedBackend, early: bool
) -> None:
    hass.config.external_url = "https://house.example"
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["menu_options"] == ["wait", "paste"]
    client = await hass_client()
    answer = await client.get(flow["description_placeholders"]["link"])
    cells = {c["id"]: c["source"] for c in (await answer.json(content_type=None))["cells"]}
    token = cells["access"].partition("token = '")[2].partition("'")[0]
    hook = cells["start"].partition("callback_url='https://house.example")[2].partition("'")[0]
    if not early:
        flow = await go_on(hass, flow, {"next_step_id": "wait"})
        assert flow["type"] is FlowResultType.SHOW_PROGRESS

    async with serving(engine, token=token) as site:
        url = str(client.make_url(hook))
        forger = AddressCallback(url, lambda: SecretStr("another-token-0123456789"))
        with pytest.raises(AddressCallbackError):
            await forger.send(site.url, None)
        await AddressCallback(url, lambda: SecretStr(token)).send(site.url, None)
        await hass.async_block_till_done(wait_background_tasks=True)
        step = {"next_step_id": "wait"} if early else None
        await hass.config_entries.flow.async_configure(flow["flow_id"], step)  # as the dialog does
        (entry,) = hass.config_entries.async_entries("vieneu")
        assert entry.data["colab"] == {"url": site.url, "token": token}
        entry = await loaded(hass)
        # A new address, the next session: sent again, and taken without a reload.
        runtime = entry.runtime_data
        async with serving(engine, token=token) as second:
            await AddressCallback(url, lambda: SecretStr(token)).send(second.url, None)
            await hass.async_block_till_done()
            assert entry.data["colab"]["url"] == second.url
            assert entry.runtime_data is runtime
            # Sent once more: the server is at the same place, and is looked at again.
            await AddressCallback(url, lambda: SecretStr(token)).send(second.url, None)
            await hass.async_block_till_done(wait_background_tasks=True)
            assert hass.states.is_state("sensor.vieneu_google_colab_state", "ready")
            await hass.config_entries.async_unload(entry.entry_id)


async def test_who_pastes_the_address_gets_the_next_one_without_typing(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, engine: ScriptedBackend
) -> None:
    hass.config.external_url = "https://house.example"
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    client = await hass_client()
    (webhook_id,) = hass.data["webhook"]
    flow = await go_on(hass, flow, {"next_step_id": "paste"})
    async with serving(engine) as site:
        flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
        assert flow["type"] is FlowResultType.CREATE_ENTRY
        entry = await loaded(hass)
        async with serving(engine) as second:
            url = str(client.make_url(f"/api/webhook/{webhook_id}"))
            await AddressCallback(url, lambda: SecretStr(TOKEN)).send(second.url, None)
            await hass.async_block_till_done()
            assert entry.data["colab"]["url"] == second.url
            await hass.config_entries.async_unload(entry.entry_id)


async def test_who_closes_the_dialog_waits_no_longer(hass: HomeAssistant) -> None:
    hass.config.external_url = "https://house.example"
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert len(hass.data["webhook"]) == 1, "it waits while the user reads the next steps"
    flow = await go_on(hass, flow, {"next_step_id": "wait"})
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.data["webhook"] == {}
