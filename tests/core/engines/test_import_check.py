from __future__ import annotations

import time
from pathlib import Path

import pytest

from vieneu_core.engines.import_check import import_failure


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in which both this process and its children find packages."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_what_can_be_imported_is_no_failure(packages: Path) -> None:
    (packages / "talks.py").write_text("print('all is lost: ImportError')\n", "utf-8")

    assert import_failure(["json", "talks", "wave"]) == ""


def test_the_first_that_fails_is_named_with_its_reason(packages: Path) -> None:
    (packages / "broken.py").write_text(
        "raise OSError('libgomp.so.1: cannot open\\nshared object file')\n", "utf-8"
    )
    (packages / "half.py").write_text("import not_installed_at_all\n", "utf-8")

    assert import_failure(["json", "broken", "wave"]) == (
        "broken: OSError: libgomp.so.1: cannot open shared object file"
    )
    reported = import_failure(["half"])
    assert reported.startswith("half: ModuleNotFoundError")
    assert "not_installed_at_all" in reported


def test_a_library_that_kills_its_process_is_named(packages: Path) -> None:
    (packages / "fatal.py").write_text("import os; os.kill(os.getpid(), 4)\n", "utf-8")

    assert import_failure(["json", "fatal"]) == "fatal: the process died (SIGILL)"


def test_a_package_that_ends_the_process_is_named(packages: Path) -> None:
    (packages / "ends.py").write_text("raise SystemExit(3)\n", "utf-8")

    assert import_failure(["ends"]).startswith("ends:")


def test_a_file_where_the_user_stands_is_no_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "wave.py").write_text("raise OSError('mine')\n", "utf-8")
    monkeypatch.chdir(tmp_path)

    assert import_failure(["wave"]) == ""


def test_what_takes_too_long_is_left_open(packages: Path) -> None:
    (packages / "slow.py").write_text("import time; time.sleep(600)\n", "utf-8")
    began_s = time.monotonic()

    assert import_failure(["slow"], timeout_s=0.5) == ""
    assert time.monotonic() - began_s < 300
