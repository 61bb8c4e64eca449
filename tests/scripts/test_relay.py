"""`scripts/relay`: the relay's lines are shown, and its page is opened where there is a display."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from child_process import child
from guard import GUARD_S

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
case "$*" in
"-m webbrowser "*) echo "$3" >"$HOME/opened.part"; mv "$HOME/opened.part" "$HOME/opened" ;;
*sys.executable*) echo "$0" ;;
esac
"""
RELAY = """#!/bin/sh
echo "arguments: $*"
echo "Listening on http://127.0.0.1:8123"
echo "Log in once within an hour: http://127.0.0.1:8123/relay/#code=secret"
while [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ ! -e "$HOME/opened" ]; do sleep 0.05; done
echo "error: enough" >&2
exit 3
"""
RELAY_THAT_WAITS = """#!/bin/sh
trap 'sleep 0.3; echo finished what was spoken; exit 0' INT
echo "Listening on http://127.0.0.1:8123"
while :; do sleep 0.1; done
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment is there, with a relay that ends by itself."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    bootstrap = (folder / "scripts/bootstrap.sh").read_text("utf-8")
    (version,) = re.findall(r"^UV_VERSION=(\S+)$", bootstrap, re.MULTILINE)
    for name, text in {
        f"clone/.tools/uv-{version}/bin/uv": '#!/bin/sh\necho "$@" >"$HOME/synced"\n',
        "clone/.venv/bin/vieneu-relay": RELAY,
        "python": PYTHON,
    }.items():
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    return folder


def start(clone: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    home = clone.parent
    return subprocess.run(
        [clone / "scripts/relay", "--port", "8123"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHON": str(home / "python"), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_the_page_is_opened_where_there_is_a_display(clone: Path, variable: str) -> None:
    done = start(clone, **{variable: ":0"})

    assert (clone.parent / "opened").read_text() == "http://127.0.0.1:8123/\n", "without a secret"
    assert "/relay/#code=secret" in done.stdout


def test_without_a_display_the_lines_are_shown_and_nothing_is_opened(clone: Path) -> None:
    done = start(clone)

    assert done.stdout.splitlines() == [
        "arguments: --port 8123",
        "Listening on http://127.0.0.1:8123",
        "Log in once within an hour: http://127.0.0.1:8123/relay/#code=secret",
    ]
    assert (done.returncode, done.stderr) == (3, "error: enough\n")
    assert not (clone.parent / "opened").exists()


def test_the_extra_of_the_relay_is_installed_as_the_lock_says(clone: Path) -> None:
    start(clone)

    synced = (clone.parent / "synced").read_text().split()
    assert {"sync", "--frozen", "--package", "vieneu-colab-server", "relay"} <= set(synced)


def test_ctrl_c_stops_it_and_its_last_lines_are_shown(clone: Path) -> None:
    (clone / ".venv/bin/vieneu-relay").write_text(RELAY_THAT_WAITS)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(clone.parent)}
    with child(
        ["bash", clone / "scripts/relay"],
        stdout=subprocess.PIPE,
        env={**environ, "PYTHON": str(clone.parent / "python")},
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Listening on http://127.0.0.1:8123\n"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that belong to it
        rest, _ = process.communicate(timeout=GUARD_S)
    assert (process.returncode, rest) == (0, "finished what was spoken\n")


def test_help_says_what_it_does(clone: Path) -> None:
    done = subprocess.run(
        [clone / "scripts/relay", "--help"], capture_output=True, text=True, check=True
    )
    assert "opens its page" in done.stdout
    assert not (clone.parent / "synced").exists()
