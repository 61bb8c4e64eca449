from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, requires
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from packaging.requirements import Requirement

from vieneu_core import installation
from vieneu_core.errors import MissingExtraError
from vieneu_core.installation import (
    extra_command,
    has_module,
    install_command,
    requirements_of,
)

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "packages/vieneu-core/pyproject.toml").read_text("utf-8"))[
    "project"
]["optional-dependencies"]

UNPUBLISHED = "from vieneu_core import installation; installation.PUBLISHED = False;"


def names(requirements: tuple[str, ...] | list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", each)[0].lower() for each in requirements}


def applies_here(requirement: str) -> bool:
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate()


def install_in(home: Path, package: str, noted: object, requires_dist: str) -> None:
    """Leave what an installer leaves of a package, for a Python that finds it there."""
    info = home / f"{package.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {package}\nVersion: 0.1.0\n{requires_dist}", "utf-8"
    )
    (info / "direct_url.json").write_text(json.dumps(noted), "utf-8")


@pytest.fixture
def unpublished(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before the first release, whatever is true today."""
    monkeypatch.setattr(installation, "PUBLISHED", False)


def test_the_command_names_the_environment_of_this_process() -> None:
    words = shlex.split(install_command("some-package>=1", "other"))

    assert sys.executable in words
    assert words[-2:] == ["some-package>=1", "other"]
    assert "install" in words


def test_the_command_is_one_that_is_here() -> None:
    """This environment was made by uv: it may have no pip."""
    command = install_command("--dry-run", "vieneu-core")

    done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True)  # noqa: S602 - our own line

    assert done.returncode == 0, done.stderr


def test_without_pip_and_uv_the_command_brings_pip_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_in(tmp_path, "vieneu-core", {"url": "file:///gone", "dir_info": {}}, "")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    first, _, second = install_command("a").partition(" && ")

    assert first == shlex.join([sys.executable, "-m", "ensurepip"])
    assert second == shlex.join([sys.executable, "-m", "pip", "install", "a"])


@pytest.mark.usefixtures("unpublished")
@pytest.mark.parametrize("editable", [True, False])
def test_an_extra_comes_from_the_clone_that_the_package_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, editable: bool
) -> None:
    clone = tmp_path / "my clone/packages/vieneu-core"
    clone.mkdir(parents=True)
    (clone / "pyproject.toml").touch()
    noted = {"url": clone.as_uri(), "dir_info": {"editable": True} if editable else {}}
    install_in(tmp_path / "site", "vieneu-core", noted, "")
    monkeypatch.syspath_prepend(tmp_path / "site")

    words = shlex.split(extra_command("espeak"))

    assert words[-1] == f"{clone}[espeak]"
    assert (words[-2] == "-e") is editable


@pytest.mark.parametrize(
    "noted",
    [
        {"url": "file:///nowhere/packages/vieneu-core", "dir_info": {"editable": True}},
        {"url": "file:///dist/vieneu_core-0.1.0-py3-none-any.whl", "archive_info": {}},
        {},
    ],
    ids=["a clone that was deleted", "a wheel", "nothing noted"],
)
@pytest.mark.usefixtures("unpublished")
def test_without_a_clone_an_extra_is_named_by_what_it_brings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, noted: object
) -> None:
    lines = [f"Requires-Dist: {line}" for line in requires("vieneu-core") or ()]
    install_in(tmp_path, "vieneu-core", noted, "\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)

    words = shlex.split(extra_command("gguf-prebuilt"))

    assert names(words[-4:]) == {"huggingface-hub", "onnxruntime", "sea-g2p", "xllamacpp"}
    assert not [word for word in words if word.startswith("vieneu")], "a stranger may have the name"


def test_once_published_an_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PUBLISHED", True)

    assert extra_command("gguf").endswith(" 'vieneu-core[gguf]'")
    assert "'vieneu-colab-server[ngrok]'" in str(
        MissingExtraError("The tunnel ngrok", "ngrok", package="vieneu-colab-server")
    )


def test_what_an_extra_brings_is_what_its_package_says() -> None:
    for extra, brought in EXTRAS.items():
        own = [each for each in brought if each.startswith("vieneu-core[")]
        extras = [name for each in own for name in each.partition("[")[2].rstrip("]").split(",")]
        inner = [name for each in extras for name in EXTRAS[each]]

        here = [each for each in (*brought, *inner) if applies_here(each)]
        assert names(requirements_of(extra)) == names(here) - {"vieneu-core"}, extra


def test_what_is_meant_for_another_machine_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = (
        "always",
        "never; sys_platform == 'plan9'",
        "here; sys_platform != 'plan9'",
        "for-all; extra == 'gguf'",
        "for-none; python_version < '3' and extra == 'gguf'",
        "for-us; (python_version >= '3' or os_name == 'x') and extra == 'gguf'",
    )
    text = "\n".join(f"Requires-Dist: {line}" for line in lines)
    install_in(tmp_path, "vieneu-core", {}, text)
    monkeypatch.syspath_prepend(tmp_path)

    assert requirements_of("") == ("always", "here")
    assert requirements_of("gguf") == ("for-all", "for-us")


def test_the_folder_that_a_removed_package_left_is_no_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "left_over/inside").mkdir(parents=True)
    (tmp_path / "whole.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert not has_module("left_over")
    assert not has_module("not_there_at_all")
    assert has_module("whole")


def test_a_source_tree_that_is_not_installed_is_the_clone(tmp_path: Path) -> None:
    """No metadata, only a path: no name is left to a stranger."""
    program = f"{UNPUBLISHED} print(installation.extra_command('espeak'))"
    said = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PATH": "/nowhere", "PYTHONPATH": str(ROOT / "packages/vieneu-core/src")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert f"-e {ROOT / 'packages/vieneu-core'}[espeak]" in said.replace("'", "")


def test_missing_extras_are_told_with_the_command(tmp_path: Path) -> None:
    """Of a process whose folder and variables are another's: the command can be pasted anywhere."""
    raised = "MissingExtraError('The engine x', 'espeak')"
    program = f"{UNPUBLISHED} from vieneu_core.errors import *; print({raised})"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PATH": "/nowhere"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert "the extra espeak of vieneu-core" in said
    clone = unquote(
        urlsplit(
            json.loads(distribution("vieneu-core").read_text("direct_url.json") or "")["url"]
        ).path
    )
    assert f"{clone}[espeak]" in said
