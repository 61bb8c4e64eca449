"""Setting up, reconfiguring, a refused token, options: as an admin goes through the forms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from packaging.requirements import Requirement
from pydantic import SecretStr
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, Site, serving
from test_tts import SENTENCES, TEXT, decoded, spoken
from tone_engine import expected, heard, same

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_core import __version__
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
from vieneu_core.pairing import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.version import WIRE_VERSION

Flow = dict[str, Any]


async def begin(hass: HomeAssistant, *choices: str) -> Flow:
    """Open the dialog, and choose in its menus."""
    flow: Flow = await hass.config_entries.flow.async_init(  # type: ignore[assignment]
        "vieneu", context={"source": config_entries.SOURCE_USER}
    )
    for choice in choices:
        flow = await go_on(hass, flow, {"next_step_id": choice})
    return flow


async def go_on(hass: HomeAssistant, flow: Flow, given: dict[str, Any]) -> Flow:
    result: Flow = await hass.config_entries.flow.async_configure(  # type: ignore[assignment]
        flow["flow_id"], given
    )
    return result


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, *choices: str) -> Flow:
    flow: Flow = await entry.start_reconfigure_flow(hass)  # type: ignore[assignment]
    for choice in choices:
        flow = await go_on(hass, flow, {"next_step_id": choice})
    return flow


async def loaded(hass: HomeAssistant) -> config_entries.ConfigEntry[Any]:
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_loaded_entries("vieneu")
    return entry


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


async def test_an_engine_that_cannot_be_loaded_is_told(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vieneu_core.engines.espeak.create", lambda _: 1 / 0)
    monkeypatch.setattr(
        "custom_components.vieneu.config_flow.EngineSpec", lambda _: Spec("espeak:nothing")
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


@pytest.fixture
def pip(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """Home Assistant's installer, and what it finds installed, as these tests want it."""
    hass.config.skip_pip = False
    pip = Pip()
    monkeypatch.setattr("custom_components.vieneu.installing.install_package", pip.install)
    monkeypatch.setattr("custom_components.vieneu.installing.is_installed", pip.has)
    return pip


@dataclass
class Pip:
    absent: set[str] = field(default_factory=set)
    works: bool = True
    asked: list[str] = field(default_factory=list)

    def install(self, requirement: str, **options: object) -> bool:
        assert Path(str(options["constraints"])).is_file()
        self.asked.append(requirement)
        if self.works:
            self.absent.clear()
        return self.works

    def has(self, requirement: str) -> bool:
        return Requirement(requirement).name not in self.absent


@pytest.mark.parametrize(
    ("engine", "extra", "absent"),
    [
        ("auto", "gguf-prebuilt", {"xllamacpp", "llama-cpp-python"}),
        ("gguf", "gguf-prebuilt", {"sea-g2p", "onnxruntime"}),
        ("pytorch", "torch", {"neucodec"}),
        ("sdk", "sdk", {"vieneu"}),
    ],
)
async def test_an_engine_that_cannot_be_installed_is_named_and_can_be_tried_again(
    hass: HomeAssistant, pip: Pip, engine: str, extra: str, absent: set[str]
) -> None:
    pip.absent, pip.works = set(absent), False
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": engine})

    assert flow["errors"] == {"base": "engine_not_installed"}
    for name in absent - {"llama-cpp-python"}:  # either of the two is enough
        assert name in flow["description_placeholders"]["detail"]
    assert pip.asked == [f"vieneu-core[{extra}]=={__version__}"]
    pip.works = True
    flow = await go_on(hass, flow, {"engine": engine})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_is_there_is_not_installed_again(hass: HomeAssistant, pip: Pip) -> None:
    pip.absent = {"xllamacpp"}
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": "gguf"})  # llama-cpp-python is enough

    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert pip.asked == []
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_where_pip_may_not_run_nothing_is_installed(hass: HomeAssistant, pip: Pip) -> None:
    pip.absent = {"espeakng-loader"}
    hass.config.skip_pip = True
    flow = await begin(hass, "embedded")
    flow = await go_on(hass, flow, {})

    assert flow["errors"] == {"base": "engine_not_installed"}
    assert pip.asked == []


async def test_what_is_still_missing_at_set_up_is_a_repair_until_it_comes(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"xllamacpp", "llama-cpp-python", "espeakng-loader"}, False
    model = {"local": {"kind": "model", "engine": "gguf", "engine_options": {}}}
    entry = await set_up(model)
    issue = ir.async_get(hass).async_get_issue("vieneu", "engine_missing")
    assert issue is not None
    assert "xllamacpp" in str(issue.translation_placeholders)
    assert sorted(pip.asked) == [
        f"vieneu-core[{extra}]=={__version__}" for extra in ("espeak", "gguf-prebuilt")
    ]
    pip.works = True
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is None


async def test_on_home_assistant_os_a_start_tries_nothing_that_is_not_published(
    hass: HomeAssistant, set_up: SetUp, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_config_var", lambda _: "cpython-314-x86_64-linux-musl")
    pip.absent, pip.works = {"espeakng-loader"}, False
    await set_up(EMBEDDED)

    assert pip.asked == []
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is not None


async def test_the_model_of_the_automatic_choice_is_that_of_its_engine(
    hass: HomeAssistant, pip: Pip
) -> None:
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": "auto", "model": "vieneu-v2-q4"})

    assert flow["data"]["local"]["engine_options"] == {"gguf": {"model": "vieneu-v2-q4"}}
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_a_notebook_that_cannot_be_made_is_told_and_tried_again(
    hass: HomeAssistant, site: Site, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    def broken(_: object) -> dict[str, Any]:
        raise MissingExtraError("Making notebooks", "notebook")

    hass.config.language = language
    flow = await begin(hass, "colab")
    with monkeypatch.context() as without:
        without.setattr("custom_components.vieneu.notebook_view.render_notebook", broken)
        flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["errors"] == {"base": "notebook_failed"}
    assert flow["description_placeholders"]["detail"]
    assert "pip" not in flow["description_placeholders"]["remedy"]
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["step_id"] == "notebook"


async def test_a_model_is_kept_with_its_options(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.vieneu.config_flow.install", none_is_missing)
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": "gguf", "model": "vieneu-v2-q4"})

    assert flow["data"]["local"] == {
        "kind": "model", "engine": "gguf", "engine_options": {"model": "vieneu-v2-q4"},
    }  # fmt: skip
    entry = await loaded(hass)  # the last resort speaks while the model cannot be had
    await hass.config_entries.async_unload(entry.entry_id)


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


async def test_a_url_that_is_none_is_told(hass: HomeAssistant) -> None:
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


async def test_colab_is_paired_without_typing_anything(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, engine: ScriptedBackend
) -> None:
    hass.config.external_url = "https://house.example"
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    assert flow["menu_options"] == ["wait", "paste"]
    client = await hass_client()
    answer = await client.get(flow["description_placeholders"]["link"])
    start = next(
        c["source"] for c in (await answer.json(content_type=None))["cells"] if c["id"] == "start"
    )
    token = start.partition("token='")[2].partition("'")[0]
    hook = start.partition("callback_url='https://house.example")[2].partition("'")[0]
    flow = await go_on(hass, flow, {"next_step_id": "wait"})
    assert flow["type"] is FlowResultType.SHOW_PROGRESS

    async with serving(engine, token=token) as site:
        url = str(client.make_url(hook))
        forger = AddressCallback(url, lambda: SecretStr("another-token-0123456789"))
        with pytest.raises(AddressCallbackError):
            await forger.announce(site.url, None)
        await AddressCallback(url, lambda: SecretStr(token)).announce(site.url, None)
        await hass.async_block_till_done(wait_background_tasks=True)
        await hass.config_entries.flow.async_configure(flow["flow_id"])  # as the dialog does
        (entry,) = hass.config_entries.async_entries("vieneu")
        assert entry.data["colab"] == {"url": site.url, "token": token}
        entry = await loaded(hass)
        # A new address, the next session: announced again, and taken without a reload.
        runtime = entry.runtime_data
        async with serving(engine, token=token) as second:
            await AddressCallback(url, lambda: SecretStr(token)).announce(second.url, None)
            await hass.async_block_till_done()
            assert entry.data["colab"]["url"] == second.url
            assert entry.runtime_data is runtime
            # Announced once more: the server is at the same place, and is looked at again.
            await AddressCallback(url, lambda: SecretStr(token)).announce(second.url, None)
            await hass.async_block_till_done(wait_background_tasks=True)
            assert hass.states.is_state("sensor.vieneu_google_colab_state", "ready")
            await hass.config_entries.async_unload(entry.entry_id)


async def test_who_closes_the_dialog_waits_no_longer(hass: HomeAssistant) -> None:
    hass.config.external_url = "https://house.example"
    flow = await begin(hass, "colab")
    flow = await go_on(hass, flow, {"tunnel": "ngrok"})
    flow = await go_on(hass, flow, {"next_step_id": "wait"})
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.data["webhook"] == {}


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


async def test_a_house_that_could_not_be_set_up_is_reconfigured_and_begins(
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


async def test_colab_is_added_to_a_house_that_speaks(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(EMBEDDED)
    runtime = entry.runtime_data
    assert hass.states.is_state("sensor.vieneu_tunnel_budget_used", "unknown")
    flow = await reconfigure(hass, entry, "paste")
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
    assert entry.runtime_data is runtime
    assert not hass.states.is_state("sensor.vieneu_tunnel_budget_used", "unknown")


async def test_a_refused_token_is_asked_for_again(
    hass: HomeAssistant, set_up: SetUp, site: Site, hass_client: ClientSessionGenerator
) -> None:
    older = "an-older-token-0123456789"
    data = {**EMBEDDED, "colab": {"url": site.url, "token": older}, "webhook_id": "an-ear"}
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
    # From now on it is this token that must have signed an announcement.
    hook = str((await hass_client()).make_url("/api/webhook/an-ear"))
    with pytest.raises(AddressCallbackError):
        await AddressCallback(hook, lambda: SecretStr(older)).announce(site.url, None)
    await AddressCallback(hook, lambda: SecretStr(TOKEN)).announce(site.url, None)


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


async def test_an_announcement_may_come_in_pieces(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await set_up({**colab, "webhook_id": "an-ear"}, mode="remote")
    client = await hass_client()
    async with serving(engine) as other:
        body = AddressUpdate(
            endpoint_url=other.url,
            server_version=__version__,
            wire_version=WIRE_VERSION,
            timestamp=datetime.now(UTC),
        ).body()
        headers = {SIGNATURE_HEADER: signature(body, SecretStr(TOKEN))}

        async def pieces() -> AsyncGenerator[bytes]:
            for at in range(0, len(body), 20):
                yield body[at : at + 20]
                await asyncio.sleep(0.01)

        answer = await client.post("/api/webhook/an-ear", data=pieces(), headers=headers)
        assert answer.status == 200
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["colab"]["url"] == other.url
        await hass.config_entries.async_unload(entry.entry_id)


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
    assert flow["step_id"] == "reconfigure"
