"""What several processes of the tests make once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from shared_folders import SharedFolders


def test_those_who_ask_at_once_get_one_folder_that_was_made_once(tmp_path: Path) -> None:
    made, together = list[Path](), Barrier(3)

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "wheel").write_text("whole")

    def ask(_: int) -> Path:
        together.wait()
        return SharedFolders(tmp_path).made("dist", make)

    with ThreadPoolExecutor(3) as pool:
        given = set(pool.map(ask, range(3)))

    assert len(made) == 1
    assert given == set(made)
    assert (made[0] / "wheel").read_text() == "whole"


def test_a_folder_whose_making_failed_is_made_anew(tmp_path: Path) -> None:
    shared = SharedFolders(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        shared.made("env", fail)

    assert list(shared.made("env", lambda home: (home / "whole").touch()).iterdir()) == [
        tmp_path / "env/whole"
    ]


def test_the_processes_of_one_run_share_them(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path_factory.getbasetemp()
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert SharedFolders.of_this_run(tmp_path_factory).root.parent == base
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert SharedFolders.of_this_run(tmp_path_factory).root.parent == base.parent
