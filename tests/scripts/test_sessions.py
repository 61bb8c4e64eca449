"""The verdict at the end of scripts/test, over real sessions of nox that pass, fail and hang."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from child_process import child

TESTS = Path(__file__).parents[1]
SCRIPTS = TESTS.parent / "scripts"
NOXFILE = """
import nox
nox.options.sessions = ["bad", "good"]

@nox.session(venv_backend="none")
def bad(session):
    session.run("pytest", "-q", "tests/test_bad.py", interrupt_timeout=60.0)

@nox.session(venv_backend="none")
def good(session):
    session.run("pytest", "-q", "tests/test_good.py", *session.posargs)

@nox.session(venv_backend="none", default=False)
def slow(session):
    files = ("tests/test_bad.py", "tests/test_slow.py")
    session.run("pytest", "-q", "-p", "xdist", "-n2", *files, interrupt_timeout=60.0)
"""
HOOKS = (
    "from run_hooks import pytest_collectreport, pytest_runtest_logreport, pytest_sessionstart\n"
)
GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert False\ndef test_too(): raise OSError\ndef test_fine(): pass\n"
SLOW = """
import os, pathlib, subprocess, sys
def test_slow():
    child = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    with subprocess.Popen(child, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        pathlib.Path("begun").write_text(str(process.pid))
"""
CHILD_SIGNALS = """
import subprocess, sys
def test_a_child_can_be_interrupted():
    tell = "print(signal.getsignal(signal.SIGINT), *signal.pthread_sigmask(0, []))"
    told = subprocess.run(
        [sys.executable, "-c", "import signal; " + tell], capture_output=True, text=True
    )
    assert "default_int_handler" in told.stdout
    assert "SIG" not in told.stdout.replace("SIG_", "")
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with such sessions, and the script as it is."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "tests").mkdir()
    shutil.copy(SCRIPTS / "sessions.py", tmp_path / "scripts")
    shutil.copy(TESTS / "support/run_hooks.py", tmp_path / "tests")
    (tmp_path / "noxfile.py").write_text(NOXFILE)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = tests\n")
    (tmp_path / "tests/conftest.py").write_text(HOOKS)
    (tmp_path / "tests/test_good.py").write_text(GOOD)
    (tmp_path / "tests/test_bad.py").write_text(BAD)
    (tmp_path / "tests/test_slow.py").write_text(SLOW)
    return tmp_path


def environment() -> dict[str, str]:
    """Return that of a run of its own, not of a run inside this one."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ours = ("PYTEST_", "COVERAGE_", "VIENEU_FAILED_TESTS")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    # The plug-ins of this repository take most of the time of each start.
    return kept | {"PATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def sessions(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "scripts/sessions.py", *arguments],
        cwd=repository,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def rows(output: str) -> dict[str, list[str]]:
    """Return the table: the first words of a line, and the rest."""
    lines = output.partition("session           result")[2].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines if line.strip()}


def test_all_sessions_pass(repository: Path) -> None:
    done = sessions(repository, "good", "--", "-k", "test_good")

    assert done.returncode == 0
    assert rows(done.stdout)["good"][0] == "passed"
    assert done.stdout.endswith("All 1 sessions passed.\n")


def test_without_a_name_the_default_ones_run_and_one_that_fails_hides_no_other(
    repository: Path,
) -> None:
    done = sessions(repository)

    table = rows(done.stdout)
    assert list(table)[:2] == ["bad", "good"]
    assert done.returncode == 1
    assert (table["bad"][0], table["good"][0]) == ("failed", "passed")
    assert table["bad"][-1] == "s"
    assert "FAILED  bad: tests/test_bad.py::test_bad\n" in done.stdout
    assert "FAILED  bad: tests/test_bad.py::test_too\n" in done.stdout
    assert "test_fine" not in done.stdout.partition("session           result")[2]
    assert done.stdout.endswith("1 of 2 sessions passed.\n")


def test_a_session_that_does_not_exist_fails(repository: Path) -> None:
    assert sessions(repository, "nonsense").returncode == 1


def test_what_follows_two_dashes_goes_to_the_session(repository: Path) -> None:
    assert sessions(repository, "good", "--", "-k", "another").returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_still_ends_with_the_names_of_failed_tests(
    repository: Path, number: signal.Signals
) -> None:
    with child(
        # As a script starts it in the background: with SIGINT ignored.
        [
            "sh",
            "-c",
            "trap '' INT; exec \"$@\"",
            "sh",
            sys.executable,
            "scripts/sessions.py",
            "slow",
            "good",
        ],
        cwd=repository,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        give_up_at = time.monotonic() + 60
        while not (repository / "begun").exists() or "test_bad" not in noted(repository):
            assert time.monotonic() < give_up_at
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.stdout is not None
        output = process.stdout.read()

    table = rows(output)
    assert process.returncode == 130
    assert (table["slow"][0], table["good"][:2]) == ("interrupted", ["not", "run"])
    assert "FAILED  slow: tests/test_bad.py::test_bad\n" in output
    assert output.endswith("0 of 2 sessions passed.\n")
    pid = int((repository / "begun").read_text())
    assert not Path(f"/proc/{pid}").exists(), "no child is left"


def noted(repository: Path) -> str:
    path = repository / ".nox/failed-slow.txt"
    return path.read_text() if path.exists() else ""


def test_children_of_tests_have_default_signal_handling(repository: Path) -> None:
    (repository / "tests/test_signals.py").write_text(CHILD_SIGNALS)
    block = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}); "
    start = "import os, sys; os.execvp('pytest', ['pytest', 'tests/test_signals.py'])"
    done = subprocess.run(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", block + start],
        cwd=repository,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stdout
