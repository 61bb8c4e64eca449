"""The command vieneu-relay, as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from guard import GUARD_S

COMMAND = (sys.executable, "-m", "vieneu_colab_server.relay")


class RelayProcess:
    """A relay with a folder of its own, started on any free port."""

    def __init__(self, folder: Path, *options: str) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("VIENEU_")}
        self.process = subprocess.Popen(
            [*COMMAND, "--port=0", f"--state={folder / 'state'}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environ, "HOME": str(folder), "VIENEU_CONFIG": str(folder / "config.yaml")},
        )

    def lines(self, last: str) -> list[str]:
        """Return what it prints, up to the line that begins so."""
        assert self.process.stdout is not None
        found: list[str] = []
        for line in self.process.stdout:
            found.append(line.rstrip("\n"))
            if line.startswith(last):
                return found
        raise AssertionError(self.process.communicate(timeout=GUARD_S)[1])

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=GUARD_S)
        return self.process.returncode, out + err


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RelayProcess]]:
    started: list[RelayProcess] = []

    def start(*options: str) -> RelayProcess:
        started.append(RelayProcess(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate(timeout=GUARD_S)


def test_the_first_start_prints_a_code_and_the_token_and_later_ones_only_a_code(
    start: Callable[..., RelayProcess], tmp_path: Path
) -> None:
    first = start()
    lines = first.lines("Log in once")
    assert any(line.startswith("Admin token (shown this once): ") for line in lines)
    assert re.search(r"http://127\.0\.0\.1:\d+/relay/#code=\S{16,}$", lines[-1])
    code, rest = first.end()
    assert code == 0
    token = lines[2].rpartition(" ")[2]
    speech_token = (tmp_path / "state" / "relay-token").read_text().strip()
    assert token not in rest
    assert speech_token not in "\n".join(lines) + rest

    second = start()
    again = second.lines("Log in once")
    assert not any("Admin token" in line for line in again)
    assert second.end()[0] == 0


def test_a_settings_file_that_is_not_there_yet_is_made_by_the_first_change(
    start: Callable[..., RelayProcess], tmp_path: Path
) -> None:
    relay = start(f"--config={tmp_path / 'new.yaml'}")
    relay.lines("Log in once")
    assert relay.end()[0] == 0
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize(
    ("options", "content", "words"),
    [
        (("--config=/nowhere/config.yaml",), "", "/nowhere"),
        ((), "backend_mode: moon\n", "backend_mode"),
        (("--host=256.1.1.1",), "", "256.1.1.1"),
        (("--state=/proc/nothing",), "", "--state"),
    ],
)
def test_wrong_settings_end_it_with_a_clear_error(
    start: Callable[..., RelayProcess],
    tmp_path: Path,
    options: tuple[str, ...],
    content: str,
    words: str,
) -> None:
    if content:
        (tmp_path / "config.yaml").write_text(content)
    relay = start(*options)
    _, err = relay.process.communicate(timeout=GUARD_S)
    assert relay.process.returncode == 3, err
    assert words in err
    assert "Traceback" not in err


def test_it_keeps_nothing_in_the_settings_file_but_what_was_chosen(
    start: Callable[..., RelayProcess], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("backend_mode: local # mine\n")
    relay = start()
    relay.lines("Log in once")
    relay.end()
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"backend_mode": "local"}
