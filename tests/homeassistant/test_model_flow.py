"""A model on this machine: it has to speak before it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import EMBEDDED, SetUp
from custom_components.vieneu.validation import speak_once
from flow_steps import begin, go_on, loaded, reconfigure, tried
from guard import GUARD_S
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from vieneu_core.router import RouterPolicy
from vieneu_core.worker.spec import EngineSpec, WorkerTimes

Engine = Callable[..., None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let an engine of the tests take the place of each one that is tried."""

    async def none_is_missing(*_: object) -> None:
        return None

    def use(**options: object) -> None:
        def spec(_: Mapping[str, Any]) -> EngineSpec:
            return EngineSpec("tone_engine:create", options)

        monkeypatch.setattr("custom_components.vieneu.model_flow.model_engine", spec)

    monkeypatch.setattr("custom_components.vieneu.validation.install", none_is_missing)
    return use


def workers() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "resource_tracker" not in " ".join(process.cmdline())
    ]


async def test_a_model_speaks_before_it_is_kept_with_its_options(
    hass: HomeAssistant, engine: Engine, tmp_path: Path
) -> None:
    slow = tmp_path / "loaded"
    engine(load_until_file=str(slow))
    flow = await begin(hass, "model")
    licences = flow["description_placeholders"]["licences"]
    assert "vieneu-v2-q4: Apache-2.0 / unknown" in licences, "shown before the download"
    flow = await go_on(hass, flow, {"engine": "gguf", "model": "vieneu-v2-q4"})

    assert flow["type"] is FlowResultType.SHOW_PROGRESS
    assert flow["progress_action"] == "load_model"
    assert hass.config_entries.async_entries("vieneu") == [], "it has not spoken yet"
    slow.touch()
    await tried(hass, flow)
    entry = await loaded(hass)
    assert entry.data["local"] == {
        "kind": "model", "engine": "gguf", "engine_options": {"model": "vieneu-v2-q4"},
    }  # fmt: skip
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_model_that_cannot_be_loaded_is_an_error_and_can_be_corrected(
    hass: HomeAssistant, engine: Engine
) -> None:
    engine(load_error="model")
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": "gguf", "model": "vieneu-v2-q9"})
    flow = await tried(hass, flow)

    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "model")
    assert flow["errors"] == {"base": "engine_failed"}
    assert "tuning fork is missing" in flow["description_placeholders"]["detail"]
    fields = {str(key): key.description for key in flow["data_schema"].schema}
    assert fields["model"] == {"suggested_value": "vieneu-v2-q9"}, "what was entered is kept"
    assert hass.config_entries.async_entries("vieneu") == []

    engine()
    await tried(hass, await go_on(hass, flow, {"engine": "gguf"}))
    await hass.config_entries.async_unload((await loaded(hass)).entry_id)


@pytest.mark.parametrize("word", ["refuse", "silent"])
async def test_a_model_that_loads_but_does_not_speak_is_not_kept(
    hass: HomeAssistant, engine: Engine, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    engine()
    policy = partial(RouterPolicy, probe_text=f"{word}.")
    monkeypatch.setattr("custom_components.vieneu.validation.RouterPolicy", policy)
    flow = await begin(hass, "model")
    flow = await tried(hass, await go_on(hass, flow, {"engine": "gguf"}))

    assert flow["errors"] == {"base": "engine_silent"}
    assert flow["description_placeholders"]["detail"]
    assert hass.config_entries.async_entries("vieneu") == []
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers(), timeout=GUARD_S)
    assert alive == []


async def test_an_error_of_another_kind_ends_the_wait_too(
    hass: HomeAssistant, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("custom_components.vieneu.validation.install", broken)
    flow = await begin(hass, "model")
    flow = await tried(hass, await go_on(hass, flow, {"engine": "gguf"}))
    assert flow["errors"] == {"base": "unknown"}
    assert flow["description_placeholders"]["detail"] == "No space left on device"


async def test_who_closes_the_dialog_leaves_no_process(
    hass: HomeAssistant, engine: Engine, tmp_path: Path
) -> None:
    engine(load_until_file=str(tmp_path / "never"))
    before = asyncio.all_tasks()
    flow = await go_on(hass, await begin(hass, "model"), {"engine": "gguf"})
    assert flow["type"] is FlowResultType.SHOW_PROGRESS
    async with asyncio.timeout(GUARD_S):
        while not workers():
            await asyncio.sleep(0.05)
    begun = workers()
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    _, alive = await asyncio.to_thread(psutil.wait_procs, begun, timeout=GUARD_S)
    assert alive == []
    async with asyncio.timeout(GUARD_S):  # they end after the process
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.05)


async def test_a_model_that_fails_leaves_the_former_voice(
    hass: HomeAssistant, set_up: SetUp, engine: Engine
) -> None:
    entry = await set_up(EMBEDDED)
    engine(load_error="model")
    flow = await go_on(hass, await reconfigure(hass, entry, "model"), {"engine": "gguf"})
    flow = await tried(hass, flow)
    assert flow["errors"] == {"base": "engine_failed"}
    assert entry.data == EMBEDDED

    engine()
    flow = await tried(hass, await go_on(hass, flow, {"engine": "gguf"}))
    assert flow["reason"] == "reconfigure_successful"
    assert entry.data["local"]["engine"] == "gguf"


async def test_a_model_that_begins_later_than_a_worker_may_pause_is_waited_for(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test has a limit of its own: the first sentence of a model takes longest."""
    assert WorkerTimes.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(WorkerTimes.__init__.__kwdefaults__, "stall_s", 0.1)
    assert await speak_once(hass, EngineSpec("tone_engine:create", {"chunk_delay_s": 0.5})) is None


async def test_a_model_that_never_speaks_is_waited_for_only_so_long(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = partial(RouterPolicy, probe_text="hangforever.")
    monkeypatch.setattr("custom_components.vieneu.validation.RouterPolicy", policy)
    monkeypatch.setattr("custom_components.vieneu.validation.TEST_SENTENCE_S", 0.2)
    failure = await speak_once(hass, EngineSpec("tone_engine:create"))
    assert failure is not None
    assert failure.key == "engine_silent"
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers(), timeout=GUARD_S)
    assert alive == []
