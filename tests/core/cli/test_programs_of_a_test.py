"""What the command of a test finds on its PATH: no program of the machine that runs the test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_sandbox import CliSandbox
from programs import put_program


def test_a_player_of_the_machine_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path / "machine", "ffplay", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path / "machine"), prepend=":")
    assert shutil.which("ffplay")

    home = tmp_path / "home"
    path = CliSandbox(home).environment({})["PATH"]
    assert shutil.which("ffplay", path=path) is None
