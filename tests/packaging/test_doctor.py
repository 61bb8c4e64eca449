"""What ``vieneu doctor`` prints works in the environment that it runs in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import NOT_THE_PROJECT, Built

from vieneu_core.engines.registry import needs_of

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def run(*command: str | Path, cwd: Path, path: str | None = None) -> str:
    """Run a command as a user whose home is that folder, and who has an empty PATH if need be."""
    # LD_LIBRARY_PATH: libraries that scripts/test lends to the other tests.
    lent = ("VIENEU", "COVERAGE", "LD_LIBRARY_PATH")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(lent)}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**environ, "HOME": str(cwd), "PATH": os.environ["PATH"] if path is None else path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout


def engine_of(report: str, engine: str) -> tuple[str, str]:
    """Return what a report says of an engine: its mark and the command below it, "" without one."""
    found = re.search(rf"^(.)  Engine +{engine}\b[^→✓·✗]*(?:→ (.*))?", report, re.MULTILINE)
    assert found is not None, report
    return found[1], found[2] or ""


LACKS_OPENMP = "apt-get install libgomp1"
"""What is left to do on a minimal system."""


def mend(environment: Path, home: Path) -> None:
    """Take doctor at its word: the engine gguf is not there, then it is."""
    nowhere = home / "empty"  # no compiler, and nothing else either
    nowhere.mkdir()
    doctor = (environment / "bin/vieneu", "doctor")

    mark, command = engine_of(run(*doctor, cwd=home, path=str(nowhere)), "gguf")
    assert mark == "·"
    extra = needs_of("gguf").quick_extra  # that of this Python and this processor
    package = {"gguf": "ik-llama-cpp-python", "gguf-prebuilt": "xllamacpp"}[extra]
    assert package in command or f"[{extra}]" in command
    run("bash", "-euc", command, cwd=home)
    mark, command = engine_of(run(*doctor, cwd=home, path=str(nowhere)), "gguf")

    assert (mark, command) == ("✓", "") or command.endswith(LACKS_OPENMP)


def test_in_the_environment_that_scripts_speak_makes(tmp_path: Path) -> None:
    """It has no pip, and uv lies in the clone."""
    clone = tmp_path / "a clone"
    shutil.copytree(ROOT, clone, ignore=NOT_THE_PROJECT)
    # As on a machine without uv: the script gets one into the clone.
    folders = os.environ["PATH"].split(":")
    path = ":".join(folder for folder in folders if not (Path(folder) / "uv").exists())
    speak = ("env", f"PYTHON={sys.base_prefix}/bin/python3", clone / "scripts/speak")
    run(*speak, "Xin chào.", "-o", "xin-chao.wav", cwd=tmp_path, path=path)
    assert list((clone / ".tools").glob("uv-*/bin/uv"))
    assert (tmp_path / "xin-chao.wav").stat().st_size > 1000
    assert not list((clone / ".venv/bin").glob("pip*"))

    mend(clone / ".venv", tmp_path)

    run(*speak, "Xin chào.", "-o", "again.wav", cwd=tmp_path, path=path)
    mark, command = engine_of(run(clone / ".venv/bin/vieneu", "doctor", cwd=tmp_path), "gguf")
    assert mark == "✓" or command.endswith(LACKS_OPENMP)


def test_in_an_environment_of_wheels_with_pip(uv: str, built: Built, tmp_path: Path) -> None:
    home = tmp_path / "env"
    (core,) = [wheel for wheel in built.wheels if wheel.name.startswith("vieneu_core-")]
    run(uv, "venv", "--quiet", "--seed", "--python", sys.executable, home, cwd=tmp_path)
    run(home / "bin/pip", "install", "--quiet", f"{core}[cli,embedded]", cwd=tmp_path)

    mend(home, tmp_path)
