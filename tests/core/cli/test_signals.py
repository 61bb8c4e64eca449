"""Ctrl-C and SIGTERM at any moment: the exit code that shells expect, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from checkpoint.gguf_model import write_gguf
from child_process import BEFORE_OUR_FIRST_LINE, child, without_coverage
from cli_sandbox import SERVER_TOKEN, SUPPORT, VIENEU, WITHOUT_MODELS, CliSandbox
from guard import GUARD_S
from llama_library import NEEDS_C_INTERFACE

from vieneu_core.cli.stdio import unread

DELAYS_S = [0.02 * 1.35**step for step in range(16)]
"""From before the first line of ours to the end of a short command, and beyond."""
BY_ITSELF = {"status": 0, "mode": 0, "test": 0, "voices": 0, "models": 0, "doctor": 0, "say": 0}
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SAY = ["say", "Xin chào các bạn. Hôm nay trời đẹp.", "-o", "a.wav"]
OURS = re.compile(r'/cli/\w+\.py", line \d+, in (main|_run)\n')
LICENCES = "licence Apache-2.0; its voices: unknown"
INTERRUPTED = "vieneu: Interrupted.\n"


@contextmanager
def running(
    sandbox: CliSandbox, *arguments: str, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own; in the end none of the group is left."""
    options: dict[str, Any] = {
        "stdin": stdin,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": without_coverage(sandbox.environment({})),
        "cwd": sandbox.home,
        "text": True,
        "process_group": 0,
    }
    with child([*sandbox.command, *arguments], **options) as process:
        try:
            yield process
            assert process.poll() is not None
        except BaseException:
            kill_group(process, signal.SIGKILL)
            raise
    left = [p for p in psutil.process_iter() if _in_group(p, process.pid)]
    _, alive = psutil.wait_procs(left, timeout=GUARD_S)
    assert alive == []


def _in_group(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False


def assert_ended_well(
    process: subprocess.Popen[str], number: signal.Signals, by_itself: int
) -> None:
    out, err = process.communicate(timeout=GUARD_S)
    err = BEFORE_OUR_FIRST_LINE.sub("", err)
    if process.returncode in {-number, 1} and not OURS.search(err) and "vieneu:" not in err:
        return  # Python had not come to our first line yet: it ends as it ends for every program
    assert "Traceback" not in err, err
    assert process.returncode in {CODES[number], by_itself}, (out, err)
    assert err in ({"", INTERRUPTED} if process.returncode == 130 else {""}), (out, err)


def kill_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal as a terminal does: to all processes that belong to the command."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("command", BY_ITSELF)
def test_a_signal_at_any_moment(sandbox: CliSandbox, command: str, number: signal.Signals) -> None:
    arguments = SAY if command == "say" else [command]
    if command == "doctor":
        sandbox.command = WITHOUT_MODELS
    # Each moment for each command, with one of the signals; with both where it speaks.
    moments = DELAYS_S if command == "say" else DELAYS_S[number == signal.SIGTERM :: 2]
    for delay_s in moments:
        with running(sandbox, *arguments) as process:
            _wait(process, delay_s)
            kill_group(process, number)
            assert_ended_well(process, number, BY_ITSELF[command])
    assert not list(sandbox.home.glob(".*.part"))


@pytest.mark.slow
@pytest.mark.parametrize(("again_after_s", "first"), [(0.0, 0), (0.02, 1), (0.2, 0)])
def test_twice_in_a_row(sandbox: CliSandbox, again_after_s: float, first: int) -> None:
    for delay_s in DELAYS_S[first::2]:
        with running(sandbox, *SAY) as process:
            _wait(process, delay_s)
            kill_group(process, signal.SIGINT)
            _wait(process, again_after_s)
            process.send_signal(signal.SIGINT)
            assert_ended_well(process, signal.SIGINT, 0)
    assert not list(sandbox.home.glob(".*.part"))


@NEEDS_C_INTERFACE
@pytest.mark.slow
def test_while_a_model_is_made_smaller(sandbox: CliSandbox) -> None:
    write_gguf(sandbox.home / "whole.gguf", n_codes=1024, n_words=3000)
    for delay_s in DELAYS_S[9::3]:
        with running(sandbox, "optimize", "whole.gguf") as process:
            _wait(process, delay_s)
            kill_group(process, signal.SIGINT)
            assert_ended_well(process, signal.SIGINT, 0)
        assert not list(sandbox.home.glob(".whole*"))


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize(
    "arguments",
    [
        ["connect", "http://127.0.0.1:9", "--token-stdin"],
        ["voices", "add", "Ba", "--audio", "-", "--text", "Xin chào."],
        ["say", "-", "-o", "a.wav"],
    ],
)
def test_while_it_reads_standard_input(
    sandbox: CliSandbox, arguments: list[str], number: signal.Signals
) -> None:
    with running(sandbox, *arguments, stdin=subprocess.PIPE) as process:
        _until_it_reads(process)
        process.send_signal(number)
        assert process.wait(GUARD_S) == CODES[number]
        assert process.stderr is not None
        assert process.stderr.read() == (INTERRUPTED if number == signal.SIGINT else "")


def _until_it_reads(process: subprocess.Popen[str]) -> None:
    """Give it something that does not end, and wait until it has taken it."""
    assert process.stdin is not None
    process.stdin.write("abc")
    process.stdin.flush()
    while unread(process.stdin.fileno()):
        _wait(process, 0.02)
        assert process.poll() is None


@pytest.mark.parametrize("number", CODES)
def test_a_prompt_gives_the_terminal_back(sandbox: CliSandbox, number: signal.Signals) -> None:
    screen = sandbox.on_terminal("connect", "http://127.0.0.1:9")
    screen.wait_for("Token: ")
    assert not screen.echoes
    screen.process.send_signal(number)
    screen.wait_until(lambda: screen.process.poll() is not None)
    assert screen.echoes
    assert screen.finish() == CODES[number]
    assert "Traceback" not in screen.shown


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize(
    ("arguments", "noted"),
    [
        (["models", "get", "vieneu-v2-q4"], f"vieneu: vieneu-v2-q4: {LICENCES}\n"),
        (["connect", "URL", "--token-stdin"], ""),
    ],
)
def test_while_a_server_keeps_it_waiting(
    sandbox: CliSandbox, arguments: list[str], noted: str, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(60)
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        sandbox.environ["HF_ENDPOINT"] = url
        arguments = [url if argument == "URL" else argument for argument in arguments]
        with running(sandbox, *arguments, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            process.stdin.write(SERVER_TOKEN + "\n")
            process.stdin.flush()
            taken, _ = mute.accept()
            with taken:
                process.send_signal(number)
                assert process.wait(GUARD_S) == CODES[number]
            assert process.stderr is not None
            ended = INTERRUPTED if number == signal.SIGINT else ""
            assert process.stderr.read() == noted + ended


def test_while_a_model_is_being_loaded(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "local:\n  engine: tone_engine:create\n  options:\n    load_delay_s: 600\n"
        "fallback:\n  enabled: false\n",
        "utf-8",
    )
    sandbox.environ["PYTHONPATH"] = str(SUPPORT)
    sandbox.command = WITHOUT_MODELS  # of which doctor would import all
    for arguments in (SAY, ["test"], ["doctor"], ["status"]):
        with running(sandbox, *arguments) as process:
            _until_a_child_runs(process)
            kill_group(process, signal.SIGINT)
            assert process.wait(GUARD_S) == 130
            assert process.stderr is not None
            assert process.stderr.read() == INTERRUPTED


def _until_a_child_runs(process: subprocess.Popen[str]) -> None:
    while not any("worker.child" in line for line in _command_lines_of_children(process)):
        _wait(process, 0.02)
        assert process.poll() is None


def _command_lines_of_children(process: subprocess.Popen[str]) -> list[str]:
    lines = []
    for one in psutil.Process(process.pid).children():
        with suppress(psutil.Error):  # it has just ended
            lines.append(" ".join(one.cmdline()))
    return lines


def test_a_player_that_heeds_nothing_is_ended(sandbox: CliSandbox) -> None:
    sandbox.put_program(
        "aplay", "#!/bin/sh\ntrap '' INT TERM\necho $$ > $HOME/player\nwhile :; do sleep 1; done\n"
    )
    with running(sandbox, "say", SAY[1] * 20) as process:
        while not (sandbox.home / "player").exists() or not (sandbox.home / "player").read_text():
            _wait(process, 0.02)
        player = psutil.Process(int((sandbox.home / "player").read_text()))
        kill_group(process, signal.SIGINT)
        assert process.wait(GUARD_S) == 130
        psutil.wait_procs([player], timeout=GUARD_S)
        assert not player.is_running()


def test_what_the_parent_ignores_stays_ignored(sandbox: CliSandbox) -> None:
    ignoring = "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
    command = [*VIENEU[:1], "-c", f"{ignoring} os.execv(sys.argv[1], sys.argv[1:])", *VIENEU, *SAY]
    with child(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=sandbox.environment({}),
        cwd=sandbox.home,
        text=True,
    ) as process:
        for _ in range(20):
            _wait(process, 0.1)
            if process.poll() is None and _ignores(process.pid, signal.SIGINT):
                process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=GUARD_S)
    assert (process.returncode, out) == (0, "")
    assert (sandbox.home / "a.wav").exists()


def _ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = [line.split()[1] for line in status if line.startswith("SigIgn")]
    return bool(int(mask, 16) >> (number - 1) & 1)
