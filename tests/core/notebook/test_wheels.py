"""A package becomes a wheel: whole, as it is now, and the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vieneu_core import __version__
from vieneu_core.errors import ConfigurationError
from vieneu_core.notebook import Carried, Wheel
from vieneu_core.notebook.packing import pack

ROOT = Path(__file__).parents[3]
PROJECT = """
[project]
name = "vieneu-core"
version = "3.2.1"
description = "Small"
readme = "README.md"
license = "Apache-2.0"
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = ["aiohttp>=3.11"]
[project.optional-dependencies]
more = ["rich>=13"]
most = ["numpy>=2"]
all = ["typer>=0.29", "vieneu-core[more, most]"]
[project.scripts]
vieneu = "vieneu_core:main"
"""


def files_of(wheel: Wheel) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "vieneu-core"
    package = folder / "src/vieneu_core"
    package.mkdir(parents=True)
    for name, text in {"pyproject.toml": PROJECT, "README.md": "# Small", "LICENSE": "Yes"}.items():
        (folder / name).write_text(text)
    (package / "__init__.py").write_text("one = 1\n")
    return folder


def test_a_clone_carries_its_source_trees_as_they_are() -> None:
    carried = Carried.of_installed()

    for wheel, name in ((carried.core, "vieneu-core"), (carried.server, "vieneu-colab-server")):
        source = ROOT / "packages" / name / "src"
        expected = {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        packed = files_of(wheel)
        info = f"{name.replace('-', '_')}-{__version__}.dist-info/"
        assert {n: c for n, c in packed.items() if not n.startswith(info)} == expected
        assert {n.removeprefix(info) for n in packed if n.startswith(info)} == {
            *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
        }
        assert wheel.version == __version__
    assert Carried.of_installed() == carried, "the same bytes each time"


def test_a_record_names_every_file_with_its_digest(project: Path) -> None:
    files = files_of(Wheel.of_project(project))
    record = files.pop("vieneu_core-3.2.1.dist-info/RECORD").decode().splitlines()

    assert record.pop() == "vieneu_core-3.2.1.dist-info/RECORD,,"
    rows = [line.rsplit(",", 2) for line in record]
    assert {name for name, _, _ in rows} == set(files)
    for name, digest, size in rows:
        made = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
        assert (digest, size) == (f"sha256={made}", str(len(files[name])))


def test_an_extra_that_names_others_needs_what_they_need(project: Path) -> None:
    metadata = files_of(Wheel.of_project(project))["vieneu_core-3.2.1.dist-info/METADATA"].decode()

    needed = [line for line in metadata.splitlines() if line.endswith('; extra == "all"')]
    names = ("typer>=0.29", "rich>=13", "numpy>=2")
    assert needed == [f'Requires-Dist: {name}; extra == "all"' for name in names]


def test_what_is_changed_in_the_source_is_in_the_next_wheel(project: Path) -> None:
    before = Wheel.of_project(project)
    (project / "src/vieneu_core/__init__.py").write_text("two = 2\n")
    cache = project / "src/vieneu_core/__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").write_bytes(b"old")
    (project / "src/vieneu_core/.two.py.swp").write_bytes(b"of an editor")
    after = Wheel.of_project(project)

    assert files_of(before)["vieneu_core/__init__.py"] == b"one = 1\n"
    assert files_of(after)["vieneu_core/__init__.py"] == b"two = 2\n"
    assert set(files_of(after)) == set(files_of(before))
    assert after.sha256 != before.sha256


@pytest.mark.parametrize(
    ("spoil", "reported"),
    [
        (lambda folder: (folder / "pyproject.toml").unlink(), "No such file"),
        (lambda folder: (folder / "pyproject.toml").write_text("["), "Invalid"),
        (lambda folder: (folder / "pyproject.toml").write_text("[project]"), "has no 'name'"),
        (lambda folder: (folder / "LICENSE").unlink(), "LICENSE"),
        (shutil.rmtree, "No such file"),
    ],
)
def test_a_source_tree_that_is_not_whole_is_named(
    project: Path, spoil: Callable[[Path], object], reported: str
) -> None:
    spoil(project)

    with pytest.raises(ConfigurationError, match=reported) as caught:
        Wheel.of_project(project)
    assert str(project) in caught.value.detail


def test_what_is_not_installed_is_not_packed() -> None:
    with pytest.raises(ConfigurationError, match="it is not installed here") as caught:
        Wheel.of_installed("vieneu-nothing")
    assert "--wheel" in caught.value.remedy


@pytest.mark.parametrize(
    ("record", "reported"),
    [("gone.py,,\nvieneu_small-1.dist-info/METADATA,,\n", "gone.py"), (None, "not 0")],
    ids=["a file is gone", "nothing is recorded"],
)
def test_an_installation_that_is_not_whole_is_named(
    record: str | None, reported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "vieneu_small-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vieneu-small\nVersion: 1\n")
    if record is not None:
        (info / "RECORD").write_text(record)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ConfigurationError, match=reported) as caught:
        Wheel.of_installed("vieneu-small")
    assert "vieneu-small cannot be packed" in caught.value.detail
    assert "--wheel" in caught.value.remedy


def test_files_without_metadata_are_no_wheel() -> None:
    with pytest.raises(ValueError, match=r"one folder \.dist-info, not 0"):
        pack({"vieneu_core/__init__.py": b""})
