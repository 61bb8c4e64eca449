"""What the notebook installs into the packages of a real Colab runtime, by Colab's published list.

Nothing is installed: uv resolves as pip does, for which an installed version that fits stays.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from distributions import call

from vieneu_colab_server.colab.prepare import KEPT
from vieneu_core.engines.registry import ENGINES
from vieneu_core.notebook.sources import SERVER_EXTRAS

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "tests/support/fixtures/colab"
PYTHON, PLATFORM = "3.13", "x86_64-manylinux_2_35"
EXTRAS = [needs.quick_extra for needs in ENGINES]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def installed(name: str) -> dict[str, str]:
    """Return the versions of a published list, without local versions (``+cu128``)."""
    text = (LISTS / name).read_text("utf-8")
    found = re.findall(r"^([\w.-]+)==([^\s+]+)", text, re.MULTILINE)
    found += re.findall(r"^([\w.-]+) @ \S+?-([\d.]+)(?:%2B\w+)?-cp", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", key).lower(): version for key, version in found}


def resolved(uv: str, folder: Path, extra: str, before: dict[str, str]) -> dict[str, str]:
    """Return the versions after an installation of server and engine over those before."""
    core, server = (ROOT / f"packages/vieneu-{name}" for name in ("core", "colab-server"))
    wanted, out = folder / "wanted.in", folder / "out.txt"
    kept = "\n".join(name for name in KEPT if name in before)
    wanted.write_text(
        f"vieneu-core[{extra}] @ {core.as_uri()}\n"
        f"vieneu-colab-server{SERVER_EXTRAS} @ {server.as_uri()}\n{kept}\n"
    )
    out.write_text("".join(f"{name}=={version}\n" for name, version in before.items()))
    how = ("--quiet", "--no-header", "--no-annotate")
    where = ("--python-version", PYTHON, "--python-platform", PLATFORM)
    call(uv, "pip", "compile", *how, *where, wanted, "-o", out, cwd=folder)
    return dict(re.findall(r"^([\w.-]+)==(\S+)", out.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("listed", ["pip-freeze.gpu.txt", "pip-freeze.txt"])
@pytest.mark.parametrize("extra", EXTRAS)
def test_what_colab_is_built_on_stays_as_it_is(
    extra: str, listed: str, uv: str, tmp_path: Path
) -> None:
    before = installed(listed)
    assert len(before) > 500
    assert set(KEPT) < set(before)

    after = resolved(uv, tmp_path, extra, before)

    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert after.get("transformers", before["transformers"]) == before["transformers"]


def test_the_engine_for_the_gpu_replaces_the_torchao_of_colab_alone(
    uv: str, tmp_path: Path
) -> None:
    before = installed("pip-freeze.gpu.txt")

    base, after = (resolved(uv, tmp_path, extra, before) for extra in ("sano", "torch"))

    replaced = {name for name in after if name in before and after[name] != before[name]}
    by_the_server = {name for name in base if name in before and base[name] != before[name]}
    assert before["torchao"] == "0.10.0"
    assert replaced - by_the_server == {"torchao"}
