"""Tests sit where the source sits: each folder of the tests of a package is one of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_OF = {
    "tests/core": "packages/vieneu-core/src/vieneu_core",
    "tests/server": "packages/vieneu-colab-server/src/vieneu_colab_server",
}
WITHOUT_SOURCE = {
    "tests/core/api": "what is true of all public names",
    "tests/core/backends/local": "the module local.py, by behaviour",
}
"""Folders of tests that no folder of the source has, each with its reason."""


def without_source(tests: str, root: Path = ROOT) -> list[str]:
    """Return the folders with tests that the source does not have."""
    folders = {path.parent for path in (root / tests).rglob("test_*.py")}
    source = root / SOURCE_OF[tests]
    return sorted(
        folder.relative_to(root).as_posix()
        for folder in folders
        if not any((source / folder.relative_to(root / tests)).glob("*.py"))
    )


def test_each_folder_of_tests_is_a_folder_of_the_source() -> None:
    found = [folder for tests in SOURCE_OF for folder in without_source(tests)]

    assert found == sorted(WITHOUT_SOURCE), "move the tests, or state the reason"


@pytest.mark.parametrize(("name", "found"), [("audio", []), ("sounds", ["tests/core/sounds"])])
def test_a_folder_that_the_source_does_not_have_is_found(
    tmp_path: Path, name: str, found: list[str]
) -> None:
    for file in (f"tests/core/{name}/test_pcm.py", f"{SOURCE_OF['tests/core']}/audio/pcm.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()

    assert without_source("tests/core", tmp_path) == found
