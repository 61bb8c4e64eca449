"""Where ik-llama-cpp-python can be installed, and where it runs."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from vieneu_core.engines.ik_llama_wheels import Machine

PYPROJECT = Path(__file__).parents[3] / "packages/vieneu-core/pyproject.toml"
X86 = "processor\t: 0\nflags\t\t: fpu sse4_2 {}\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\nCPU part\t: 0xd0b\n"


@pytest.mark.parametrize(
    ("architecture", "cpu_info", "lacks"),
    [
        ("x86_64", X86.format("avx f16c fma avx2"), set()),
        ("x86_64", X86.format("avx f16c"), {"avx2", "fma"}),
        ("aarch64", ARM.format("asimdhp asimddp"), set()),  # Raspberry Pi 5
        ("aarch64", ARM.format(""), {"asimdhp", "asimddp"}),  # Raspberry Pi 4
        ("x86_64", "flags of nothing", {"avx2", "fma", "f16c"}),
        ("x86_64", None, {"avx2", "fma", "f16c"}),
    ],
)
def test_it_runs_where_the_processor_has_its_instructions(
    tmp_path: Path, architecture: str, cpu_info: str | None, lacks: set[str]
) -> None:
    path = tmp_path / "cpuinfo"
    if cpu_info is not None:
        path.write_text(cpu_info, "utf-8")
    here = Machine("linux", architecture, (3, 12), path)

    assert here.has_wheel
    assert here.missing_instructions() == lacks
    assert here.runs == (not lacks)


def test_every_apple_processor_has_them(tmp_path: Path) -> None:
    assert Machine("darwin", "arm64", (3, 13), tmp_path / "none").runs


@pytest.mark.parametrize(
    ("system", "architecture", "python"),
    list(
        itertools.product(
            ("linux", "darwin", "win32"),
            ("x86_64", "aarch64", "arm64", "armv7l", "AMD64"),
            ((3, 11), (3, 13), (3, 14)),
        )
    ),
)
def test_the_extra_takes_the_one_or_the_other(
    system: str, architecture: str, python: tuple[int, int]
) -> None:
    written = tomllib.loads(PYPROJECT.read_text("utf-8"))
    extra = map(Requirement, written["project"]["optional-dependencies"]["gguf"])
    machine = {
        "sys_platform": system,
        "platform_machine": architecture,
        "python_version": f"{python[0]}.{python[1]}",
    }

    taken = {each.name for each in extra if each.marker and each.marker.evaluate(machine)}

    has_wheel = Machine(system, architecture, python).has_wheel
    assert taken == {"ik-llama-cpp-python" if has_wheel else "llama-cpp-python"}
