"""The distributions of all packages, built once for all processes that test them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributions import Built, call
from guard import GUARD_S
from shared_folders import SharedFolders

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def uv() -> str:
    program = shutil.which("uv") or next(map(str, ROOT.glob(".tools/uv-*/bin/uv")), None)
    if program is None:
        pytest.fail("uv is not here; run scripts/test, which gets it.")
    return program


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedFolders:
    return SharedFolders.of_this_run(tmp_path_factory)


@pytest.fixture(scope="session")
def built(uv: str, shared: SharedFolders) -> Built:
    """Build every package: the sdist from its source, the wheel from that sdist."""

    def make(out: Path) -> None:
        build = (uv, "build", "--quiet", "--all-packages", "--python", sys.executable)
        call(*build, "--out-dir", out, cwd=ROOT)

    out = shared.made("dist", make)
    return Built(tuple(sorted(out.glob("*.whl"))), tuple(sorted(out.glob("*.tar.gz"))))


@pytest.fixture(scope="session")
def make_runtime(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make what a fresh runtime of Colab has: a Python with pip and a kernel."""

    def make() -> Path:
        home = tmp_path_factory.mktemp("runtime") / "env"
        call(uv, "venv", "--quiet", "--seed", "--python", sys.executable, home)
        call(uv, "pip", "install", "--quiet", "--python", home, "ipykernel")
        return home

    return make


@pytest.fixture(scope="session")
def runtime(make_runtime: Callable[[], Path]) -> Path:
    """Lend one runtime to all tests whose notebooks work."""
    return make_runtime()


@pytest.fixture(scope="session")
def core_alone(uv: str, built: Built, shared: SharedFolders) -> Path:
    """Make an environment that has the core with its command, and no server."""
    (wheel,) = [each for each in built.wheels if each.name.startswith("vieneu_core-")]

    def make(home: Path) -> None:
        call(uv, "venv", "--quiet", "--python", sys.executable, home)
        call(uv, "pip", "install", "--quiet", "--python", home, f"{wheel}[cli,notebook]")

    home = shared.made("core-alone", make)
    assert not list(home.glob("lib/*/site-packages/vieneu_colab_server*"))
    return home


@pytest.fixture
def make_notebook(core_alone: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Make notebooks with `vieneu notebook` of the core that is installed alone."""

    def make(*options: str) -> dict[str, Any]:
        path = tmp_path / "made.ipynb"
        subprocess.run(
            [core_alone / "bin/vieneu", "notebook", "-o", path, *options],
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=GUARD_S,
        )
        made: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return made

    return make
