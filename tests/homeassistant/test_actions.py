"""The actions, the buttons, and what a report of a fault holds."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import COMPONENT, EMBEDDED, SetUp, press
from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, Site

from vieneu_core.errors import MissingExtraError, SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


async def act(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        "vieneu",
        action,
        data,
        blocking=True,
        return_response=hass.services.supports_response("vieneu", action)
        is not SupportsResponse.NONE,
    )


async def test_without_an_entry_each_action_says_so(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(EMBEDDED)
    await hass.config_entries.async_remove(entry.entry_id)
    hass.states.async_set("media_player.kitchen", "idle")
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "announce", entity_id="media_player.kitchen", text="Cơm chín rồi.")
    assert caught.value.translation_key == "not_set_up"
    with pytest.raises(ServiceValidationError):
        await act(hass, "warm")


async def test_a_voice_that_was_removed_from_the_registry_is_an_error(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up(EMBEDDED)
    er.async_get(hass).async_remove("tts.vieneu_voice")
    hass.states.async_set("media_player.kitchen", "idle")
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "announce", entity_id="media_player.kitchen", text="Cơm chín rồi.")
    assert caught.value.translation_key == "not_set_up"


def speech_like(path: Path, seconds: float = 4.0) -> None:
    """Write a clip with the loudness of speech in it, and its pauses."""
    rate = 16_000
    at = np.arange(round(seconds * rate)) / rate
    voice = np.sin(2 * np.pi * 180 * at) * (np.sin(2 * np.pi * 3 * at) > -0.3)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((voice * 12_000).astype("<i2").tobytes())


async def test_an_added_voice_is_there_without_a_reload_and_spoken_with(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    tmp_path: Path,
) -> None:
    entry = await set_up(colab, mode="remote")
    clip = tmp_path / "ba.wav"
    speech_like(clip)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "add_voice", name="Bà", path="/etc/hostname", transcript="Chào con.")
    assert caught.value.translation_key == "path_not_allowed"
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    with pytest.raises(ServiceValidationError):
        await act(hass, "add_voice", name="Bà", path=str(tmp_path / "x.wav"), transcript="Chào.")
    answer = await act(
        hass, "add_voice", name="Bà Ngoại", path=str(clip), transcript="Chào con của bà nhé."
    )

    assert answer == {"voice": "ba-ngoai"}
    await hass.async_block_till_done()
    assert "ba-ngoai" in [voice.id for voice in entry.runtime_data.coordinator.data.voices]
    listed = hass.states.get("select.vieneu_default_voice")
    assert listed is not None
    assert "ba-ngoai" in listed.attributes["options"]
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "add_voice", name="Bà", path=str(clip), transcript="  ")
    assert refused.value.translation_key == "voice_not_added"


async def test_the_notebook_is_offered_without_the_token(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    await set_up(EMBEDDED)
    answer = await act(hass, "generate_notebook", tunnel="cloudflared", engine="gguf")
    client = await hass_client()
    got = await client.get(answer["url"])
    notebook = await got.text()
    assert "TUNNEL = 'cloudflared'" in notebook
    assert "token = None or asked(" in notebook
    for tunnel, domain, fields in (
        ("none", "a.ngrok.app", "domain, engine, tunnel"),
        ("ngrok", "no domain", "domain"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, "generate_notebook", tunnel=tunnel, domain=domain)
        assert caught.value.translation_key == "notebook_wrong"
        assert caught.value.translation_placeholders == {
            "fields": fields,
            "tunnels": "ngrok, pyngrok",
        }


async def test_a_notebook_that_cannot_be_made_is_an_error_in_words(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> bytes:
        raise MissingExtraError("Making notebooks", "notebook")

    await set_up(EMBEDDED)
    monkeypatch.setattr("custom_components.vieneu.notebook_view.notebook_file", broken)
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "generate_notebook")
    assert caught.value.translation_key == "notebook_failed"
    assert "Making notebooks" in str(caught.value.translation_placeholders)


async def test_only_the_newest_notebooks_are_kept(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(EMBEDDED)
    links = [(await act(hass, "generate_notebook"))["url"] for _ in range(10)]
    assert len(set(links)) == 10
    assert len(hass.data["vieneu_notebooks"]) == 8


async def test_warming_speaks_unheard_and_tells_what_is_wrong(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], engine: ScriptedBackend
) -> None:
    await set_up(colab, mode="remote")
    assert (await act(hass, "warm", backend="remote"))["seconds"] > 0.2
    engine.always = ScriptStep(error=SynthesisFailedError("no more"))
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "warm", backend="remote")
    assert caught.value.translation_key == "not_spoken"


async def test_an_entry_that_is_not_loaded_differs_from_one_that_is_not_there(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(EMBEDDED)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "warm")
    assert caught.value.translation_key == "not_loaded"


async def test_the_local_model_is_unloaded_and_loaded_and_the_server_let_go(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    await set_up(colab, mode="remote")

    def state(entity_id: str) -> str:
        found = hass.states.get(entity_id)
        assert found is not None
        return found.state

    await press(hass, "unload_local_model")
    assert state("sensor.vieneu_local_state") == "unloaded"
    await press(hass, "load_local_model")
    assert state("sensor.vieneu_local_state") == "ready"
    await press(hass, "disconnect_google_colab")
    assert state("sensor.vieneu_google_colab_state") == "unloaded"
    assert state("sensor.vieneu_active_backend") == "local"
    await press(hass, "test_google_colab")
    assert state("sensor.vieneu_google_colab_state") == "ready"
    assert state("sensor.vieneu_active_backend") == "remote"


async def test_a_report_holds_no_secret_and_no_address(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    hass_client: ClientSessionGenerator,
) -> None:
    await async_setup_component(hass, "diagnostics", {})
    entry = await set_up({**colab, "webhook_id": "a-secret-webhook"}, mode="remote")
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    report = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    text = json.dumps(report)

    assert report["entry"]["data"]["colab"] == {"url": REDACTED, "token": REDACTED}
    assert report["status"]["mode"] == "remote"
    for secret in (TOKEN, site.url.removeprefix("http://"), "a-secret-webhook"):
        assert secret not in text


async def test_diagnostics_of_an_entry_that_cannot_be_set_up(
    hass: HomeAssistant,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.vieneu.has_embedded_voice", lambda: False)
    await async_setup_component(hass, "diagnostics", {})
    gone = {"local": {"kind": "server", "url": "http://LocalHost:1", "token": TOKEN}}
    entry = await set_up(gone)
    report = await get_diagnostics_for_config_entry(hass, hass_client, entry)

    assert report["reason"]
    assert "status" not in report
    assert "localhost" not in json.dumps(report).lower()
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    done = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"speed": 1.25, "sentence_pause": 0.5, "automatic_fallback": False}
    )
    assert done["type"] == "create_entry"
    assert entry.options["speed"] == 1.25


async def test_the_page_of_system_information(hass: HomeAssistant, set_up: SetUp) -> None:
    await async_setup_component(hass, "system_health", {})
    removed = await set_up(EMBEDDED)
    await hass.config_entries.async_remove(removed.entry_id)
    await hass.async_block_till_done()

    assert set(await get_system_health_info(hass, "vieneu")) == {"version"}
    await set_up(EMBEDDED)
    facts = await get_system_health_info(hass, "vieneu")
    assert facts["active"] == "local"
    texts = json.loads((COMPONENT / "translations/en.json").read_text("utf-8"))
    assert set(facts) <= set(texts["system_health"]["info"])
