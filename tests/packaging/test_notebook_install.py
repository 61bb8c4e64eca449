"""What the notebook's cells install: the packages that it carries, and nothing of a stranger."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributions import call
from notebook_kernel import MakeNotebook, opened
from package_index import NAMES, Index, made_wheel

from vieneu_core import __version__

ROOT = Path(__file__).parents[2]
STRANGER = "raise SystemExit('a stranger runs code')\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def carried_in(notebook: dict[str, Any]) -> dict[str, bytes]:
    """Return the wheels in a notebook, by file name."""
    (source,) = [cell["source"] for cell in notebook["cells"] if cell["id"] == "server"]
    (found,) = re.findall(r"^WHEELS = (\{.*?^\})$", source, re.DOTALL | re.MULTILINE)
    return {
        name: base64.b64decode(packed) for name, (_, _, packed) in ast.literal_eval(found).items()
    }


def package_files(wheel: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


def assert_installed(notebook: dict[str, Any], home: Path) -> None:
    """Assert that an environment has the bytes that a notebook carries."""
    (site,) = home.glob("lib/*/site-packages")
    for wheel in carried_in(notebook).values():
        for name, content in package_files(wheel).items():
            assert (site / name).read_bytes() == content


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Index]:
    """Serve a stranger's packages under our names: of this version, and of a later one."""
    index = Index(tmp_path / "index")
    for name in NAMES:
        folder = index.folder / name.replace("_", "-")
        folder.mkdir()
        for version in (__version__, "99.0"):
            wheel = made_wheel(name, version, code=STRANGER)
            (folder / wheel.name).write_bytes(wheel.content)
    yield index
    index.close()


async def test_a_strangers_packages_are_neither_asked_for_nor_left(
    make_runtime: Callable[[], Path],
    make_notebook: MakeNotebook,
    hostile: Index,
    tmp_path: Path,
) -> None:
    home = make_runtime()
    (site,) = home.glob("lib/*/site-packages")
    pip = (home / "bin/python", "-m", "pip", "install", "--quiet", f"--index-url={hostile.url}")
    call(*pip, *(f"{name}=={__version__}" for name in NAMES))
    assert (site / "vieneu_core/__init__.py").read_text() == STRANGER, "the index has our names"
    hostile.asked.clear()

    notebook = make_notebook("--lang=en", "--engine=espeak")
    async with opened(notebook, home, tmp_path, PIP_EXTRA_INDEX_URL=hostile.url) as running:
        assert "Engine: espeak" in await running.run("server")

    assert_installed(notebook, home)
    assert not list(home.glob("lib/*/site-packages/vieneu_*-99.0.dist-info"))
    assert hostile.asked, "pip has this index"
    assert [path for path in hostile.asked if path.endswith(".whl")] == []


async def test_a_sample_installs_as_it_is(runtime: Path, tmp_path: Path) -> None:
    notebook = json.loads((ROOT / "notebooks/vieneu_relay.vi.ipynb").read_text("utf-8"))
    async with opened(notebook, runtime, tmp_path) as running:
        form = running.notebook.cells[running.index("server")]
        form.source = form.source.replace("ENGINE = 'auto'", "ENGINE = 'espeak'")
        assert "Công cụ đọc: espeak" in await running.run("server")
    assert_installed(notebook, runtime)


def test_a_clone_carries_its_source_as_it_is_now(uv: str, tmp_path: Path) -> None:
    """Set up as scripts/speak does it, with the extra that notebooks need; no server."""
    clone = tmp_path / "clone"
    left_out = shutil.ignore_patterns(".git", ".venv", ".tools", ".nox", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, clone, ignore=left_out)
    sync = (uv, "sync", "--quiet", "--frozen", "--no-default-groups", "--package=vieneu-core")
    extras = ("--extra=cli", "--extra=espeak", "--extra=notebook")
    call(*sync, *extras, f"--python={sys.executable}", f"--project={clone}", cwd=clone)
    environment = clone / ".venv"
    make = (environment / "bin/vieneu", "notebook", "-o", tmp_path / "colab.ipynb")

    def made() -> dict[str, bytes]:
        call(*make, cwd=tmp_path)
        return carried_in(json.loads((tmp_path / "colab.ipynb").read_text("utf-8")))

    assert not list(environment.glob("lib/*/site-packages/vieneu_colab_server*"))
    first = made()
    for name in NAMES:
        module = next(clone.glob(f"packages/*/src/{name}/__init__.py"))
        module.write_text(module.read_text("utf-8") + "\nCHANGED = True\n", "utf-8")
    second = made()
    for name in NAMES:
        wheel = f"{name}-{__version__}-py3-none-any.whl"
        assert b"CHANGED" not in package_files(first[wheel])[f"{name}/__init__.py"]
        assert b"CHANGED" in package_files(second[wheel])[f"{name}/__init__.py"]

    home = tmp_path / "runtime"
    call(uv, "venv", "--quiet", "--python", sys.executable, home)
    files = []
    for name, content in second.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    call(uv, "pip", "install", "--quiet", "--python", home, *files)
    call(home / "bin/vieneu-server", "--version")
