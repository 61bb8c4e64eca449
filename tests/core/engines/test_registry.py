from __future__ import annotations

import re
import sys
import tomllib
from importlib import invalidate_caches
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pydantic import BaseModel

from vieneu_core.engines import registry
from vieneu_core.engines.gguf import GgufOptions
from vieneu_core.engines.ik_llama_wheels import Machine
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.pytorch import PytorchOptions
from vieneu_core.engines.registry import (
    ENGINE_CHOICES,
    ENGINES,
    EngineNeeds,
    candidates,
    check_installed,
    has_compiler,
    model_option,
    needs_of,
)
from vieneu_core.engines.sdk.options import SdkOptions
from vieneu_core.errors import MissingExtraError
from vieneu_core.installation import requirements_of

ROOT = Path(__file__).parents[3]
CODE = ROOT / "packages/vieneu-core/src/vieneu_core"
EXTRAS = [(needs, extra) for needs in ENGINES for extra in needs.extras]
IMPORTED_ELSEWHERE = {"gguf", "lmdeploy"}
"""Modules that the engines' folders import, and that another extra brings, or no extra of ours."""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_of(requirements: tuple[str, ...]) -> set[str]:
    wanted = {normalized(re.split(r"[\[<>=!~; ]", each)[0]) for each in requirements}
    return {
        module
        for module, brought_by in packages_distributions().items()
        if any(normalized(name) in wanted for name in brought_by) and module.isidentifier()
    }


@pytest.mark.parametrize(("needs", "extra"), EXTRAS, ids=lambda each: str(each)[:20])
def test_an_engine_needs_all_that_its_extra_brings(needs: EngineNeeds, extra: str) -> None:
    for requirement in requirements_of(extra):
        brought = modules_of((requirement,))
        if not brought and requirement.startswith("llama-cpp-python"):
            continue  # not on a machine without a compiler; it brings `llama_cpp`, where it is
        assert brought & {*needs.modules, *needs.either}, requirement


def test_an_engine_needs_all_that_its_code_imports() -> None:
    texts = [
        path.read_text("utf-8")
        for folder in ("engines", "models", "text")
        for path in (CODE / folder).rglob("*.py")
    ]
    imported = {
        name.partition(".")[0]
        for text in texts
        for name in re.findall(r"import_module\(\s*[\"']([\w.]+)[\"']", text)
    }
    known = {name for needs in ENGINES for name in (*needs.modules, *needs.either)}

    assert len(imported) > 8
    assert {name for name in imported if name != "vieneu_utils"} <= known | IMPORTED_ELSEWHERE


def test_every_engine_that_can_be_chosen_is_an_entry_point() -> None:
    written = tomllib.loads((ROOT / "packages/vieneu-core/pyproject.toml").read_text("utf-8"))

    assert set(ENGINE_CHOICES) == set(written["project"]["entry-points"]["vieneu_core.engines"])


def test_no_extra_of_an_engine_is_unknown() -> None:
    written = tomllib.loads((ROOT / "packages/vieneu-core/pyproject.toml").read_text("utf-8"))

    assert {extra for _, extra in EXTRAS} <= set(written["project"]["optional-dependencies"])


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("gguf", GgufOptions),
        ("piper", PiperOptions),
        ("pytorch", PytorchOptions),
        ("sdk", SdkOptions),
    ],
)
def test_an_engine_has_the_option_that_names_its_model(
    engine: str, options: type[BaseModel]
) -> None:
    assert model_option(engine) in options.model_fields
    assert (model_option(engine) == "voice") is (engine == "piper")
    assert model_option("module:attribute") == "model"


@pytest.fixture
def leftovers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folders as uninstalling leaves them where a program had written into the package's."""
    for name in ("gone_engine", "gone_binding"):
        (tmp_path / name / "cache").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_folder_of_a_removed_package_is_no_engine(leftovers: Path) -> None:
    needs = EngineNeeds(
        engine="x", label="x", extra="x", modules=("gone_engine", "json"), either=("gone_binding",)
    )

    assert leftovers.is_dir()
    assert needs.missing() == ("gone_engine", "gone_binding")
    assert candidates(gpu=True, engines=[needs]) == []


def programs(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n", "utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("names", "there"),
    [((), False), (("cc",), False), (("cc", "c++"), True), (("clang", "clang++"), True)],
)
def test_a_compiler_is_one_for_c_and_one_for_cpp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: tuple[str, ...], *, there: bool
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", programs(tmp_path, *names))

    assert has_compiler() is there


OLD_PROCESSOR = "flags\t\t: fpu sse4_2 avx\n"
PROCESSOR = "flags\t\t: fpu sse4_2 avx f16c fma avx2\n"


@pytest.mark.parametrize(
    ("there", "python", "cpu", "compiler", "chosen", "extra", "missing"),
    [
        ((), (3, 13), PROCESSOR, True, None, "gguf", ("ik_llama_cpp",)),
        ((), (3, 13), PROCESSOR, False, None, "gguf", ("ik_llama_cpp",)),
        ((), (3, 13), OLD_PROCESSOR, True, None, "gguf-compiled", ("llama_cpp",)),
        ((), (3, 13), OLD_PROCESSOR, False, None, "gguf-prebuilt", ("xllamacpp",)),
        ((), (3, 14), PROCESSOR, True, None, "gguf-compiled", ("llama_cpp",)),
        ((), (3, 14), PROCESSOR, False, None, "gguf-prebuilt", ("xllamacpp",)),
        (("ik_llama_cpp", "llama_cpp"), (3, 13), PROCESSOR, True, "ik_llama_cpp", "gguf", ()),
        (
            ("ik_llama_cpp", "xllamacpp"),
            (3, 13),
            OLD_PROCESSOR,
            True,
            "xllamacpp",
            "gguf-prebuilt",
            (),
        ),
        (("llama_cpp", "xllamacpp"), (3, 14), PROCESSOR, False, "llama_cpp", "gguf-compiled", ()),
        (("xllamacpp",), (3, 13), PROCESSOR, True, "xllamacpp", "gguf-prebuilt", ()),
    ],
)
def test_llama_cpp_is_one_that_runs_and_can_be_installed_here(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: tuple[str, ...],
    python: tuple[int, int],
    cpu: str,
    chosen: str | None,
    extra: str,
    missing: tuple[str, ...],
    *,
    compiler: bool,
) -> None:
    (tmp_path / "cpuinfo").write_text(cpu, "utf-8")
    here = Machine("linux", "x86_64", python, tmp_path / "cpuinfo")
    monkeypatch.setattr(registry, "Machine", lambda: here)
    bindings = {"ik_llama_cpp", "llama_cpp", "xllamacpp"}
    monkeypatch.setattr(registry, "has_module", lambda name: name in there or name not in bindings)
    monkeypatch.setattr(registry, "has_compiler", lambda: compiler)

    needs = needs_of("gguf")

    assert (needs.chosen, needs.extra_here, needs.missing()) == (chosen, extra, missing)


def test_nothing_that_compiles_for_minutes_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "has_compiler", lambda: True)
    for python, extra in (((3, 13), "gguf"), ((3, 14), "gguf-prebuilt")):
        apple = Machine("darwin", "arm64", python)
        monkeypatch.setattr(registry, "Machine", lambda: apple)  # noqa: B023 - called in this turn

        assert needs_of("gguf").quick_extra == extra


@pytest.mark.parametrize("engine", ["gguf", "pytorch"])
def test_what_is_missing_first_does_not_name_the_extra(
    monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """A hub that cannot be asked is told as the engine's extra, not as ``[model]``."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(MissingExtraError, match=r"the extra (gguf|gguf-prebuilt|torch) of"):
        check_installed(engine)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of installed packages, before all others."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def installed(site: Path, name: str, version: str) -> None:
    """Install a version of a package, as far as its metadata says."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    invalidate_caches()


def bounds(engine: str) -> list[tuple[str, str, str]]:
    """Return engine, package and a version below its lower bound, for each requirement."""
    (needs,) = [each for each in ENGINES if each.engine == engine]
    found = map(Requirement, requirements_of(needs.extra_here))
    return [(engine, each.name, "0.0.1") for each in found if each.specifier]


TOO_OLD = [case for each in ENGINES if each.modules for case in bounds(each.engine)]


@pytest.mark.parametrize(("engine", "package", "version"), TOO_OLD)
def test_an_engine_with_an_old_package_is_not_installed(
    engine: str, package: str, version: str, site: Path
) -> None:
    (needs,) = [each for each in ENGINES if each.engine == engine]
    assert needs.installed

    installed(site, package.replace("-", "_"), version)

    assert not needs.installed
    assert needs.missing() == ()
    assert [each.name for each in needs.wrong_versions()] == [package]
    assert engine not in candidates(gpu=True)
    with pytest.raises(MissingExtraError, match=rf"{package}\S+ \({version}\)"):
        check_installed(engine)


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("2.6.9", False),
        ("2.7", True),
        ("2.11.0+cu128", True),
        ("2.13.1+cpu", True),
        ("2.14.0", False),
        ("2.14.0.dev20260901+cu128", False),
        ("3.0", False),
    ],
)
def test_versions_of_torch_are_compared_as_versions(version: str, fits: bool, site: Path) -> None:
    installed(site, "torch", version)
    (needs,) = [each for each in ENGINES if each.engine == "pytorch"]

    assert needs.installed is fits


def test_the_embedded_voice_is_there_while_one_of_its_voices_is(site: Path) -> None:
    installed(site, "sanotts", "99")
    there = {each.engine: each.installed for each in ENGINES}

    assert (there["sano"], there["espeak"], there["embedded"]) == (False, True, True)
