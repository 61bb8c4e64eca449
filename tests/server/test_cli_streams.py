"""The command with broken standard streams, and signals while it starts and serves."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from child_process import BEFORE_OUR_FIRST_LINE, child, without_coverage
from guard import GUARD_S
from server_process import TOKEN

UNTIL_IT_LISTENS = "until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done; "


def in_shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vieneu_colab_server", *arguments]
    return subprocess.run(
        ["bash", "-c", script, "bash", *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "VIENEU_SERVER_TOKEN": TOKEN},
    )


@pytest.mark.parametrize("arguments", [["--port=0", "--engine=espeak"], ["--version"], ["--help"]])
def test_a_full_disk_behind_standard_output_is_named(arguments: list[str]) -> None:
    done = in_shell('"$@" >/dev/full', *arguments)

    assert done.returncode == 3
    assert done.stderr == (
        "error: Standard output cannot be written: No space left on device. Free space on the disk,"
        " or send the output elsewhere.\n"
    )


@pytest.mark.parametrize("redirect", [">&-", "2>&-", "2>/dev/full", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_not_there_stop_no_server(redirect: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    script = f'"$@" {redirect} & ' + UNTIL_IT_LISTENS.format(port=port) + "kill -TERM $!; wait $!"
    done = in_shell(script, f"--port={port}", "--engine=espeak")

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_as_soon_as_the_url_is_told_stops_it_gracefully() -> None:
    program = """if True:
        import os, signal
        from vieneu_colab_server import launch
        from vieneu_colab_server.settings import ServerSettings
        from vieneu_core.backends.local import LocalBackend
        settings = ServerSettings(port=0, token="t" * 32)
        launch.launch(settings, LocalBackend("espeak"), lambda url: os.kill(0, signal.SIGTERM))
        """
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=GUARD_S,
    )

    assert (done.returncode, done.stderr) == (0, "")


ENDS_WITHIN_S = GUARD_S / 4
"""A server that still runs then has not got the signal."""


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_ends_it_without_a_traceback(sign: signal.Signals) -> None:
    for step in range(sign == signal.SIGTERM, 16, 2):  # each moment with one of the signals
        with child(
            [sys.executable, "-m", "vieneu_colab_server", "--port=0", "--engine=espeak"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=without_coverage(os.environ),
        ) as process:
            try:
                process.wait(0.02 * 1.35**step)
            except subprocess.TimeoutExpired:
                process.send_signal(sign)
            try:
                _, errors = process.communicate(timeout=ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=GUARD_S)
                assert BEFORE_OUR_FIRST_LINE.match(errors), errors
                continue
        ours = re.search(r'__main__\.py", line \d+, in main', errors)
        before_our_first_line = process.returncode in {-sign, 1} and ours is None
        assert before_our_first_line or "Traceback" not in errors, errors
        assert before_our_first_line or process.returncode in {0, 128 + sign}, errors
