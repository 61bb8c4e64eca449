"""A sandbox for each test, and a real server for those that share one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from child_process import without_coverage
from cli_sandbox import SERVER_TOKEN, SUPPORT, WITHOUT_MODELS, CliSandbox, StartServer
from guard import GUARD_S


@pytest.fixture
def sandbox(tmp_path: Path) -> CliSandbox:
    return CliSandbox(tmp_path)


@pytest.fixture
def without_models(sandbox: CliSandbox) -> None:
    """No large extras are installed: as for most users, and fast."""
    sandbox.command = WITHOUT_MODELS


@pytest.fixture
def in_process(sandbox: CliSandbox) -> None:
    """`CliSandbox.run` starts no Python: for what is no matter of a process of its own."""
    sandbox.in_process = True


@pytest.fixture
def one_voice(sandbox: CliSandbox) -> None:
    """Settings with which a command starts one worker, eSpeak's, instead of two."""
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text("local:\n  engine: espeak\nfallback:\n  enabled: false\n", "utf-8")
    sandbox.config.chmod(0o600)


@pytest.fixture(scope="module")
def start_server() -> Iterator[StartServer]:
    """Starts real servers, eSpeak's where nothing is said; the answer is the process and its URL.

    A server may still be loading its engine, as it may when a user goes on.
    """
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "vieneu_colab_server", "--port=0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **without_coverage(os.environ),
                "VIENEU_SERVER_TOKEN": SERVER_TOKEN,
                "PYTHONPATH": str(SUPPORT),  # engines of the tests
            },
        )
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Listening on "):
                return process, line.removeprefix("Listening on ").strip()
        raise AssertionError("The server did not start.")

    yield start
    for process in started:
        process.terminate()
        process.wait(GUARD_S)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def server_url(start_server: StartServer) -> str:
    """Return the URL of a server that has loaded its engine."""
    url = start_server()[1]
    give_up_at = time.monotonic() + GUARD_S
    while not _is_ready(url):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    return url


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=GUARD_S):  # noqa: S310 - our own server
            return True
    except HTTPError as answer:
        answer.close()
        return False


@pytest.fixture
def connected(sandbox: CliSandbox, server_url: str) -> CliSandbox:
    """A sandbox in remote mode."""
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "# mine\nbackend_mode: remote\ncolab:\n  enabled: true # yes\n"
        f"  endpoint_url: {server_url}\n  auth_token: {SERVER_TOKEN}\n",
        "utf-8",
    )
    sandbox.config.chmod(0o600)
    return sandbox
