"""Fixtures that tests of several parts share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from fake_clock import FakeClock
from hypothesis import settings
from run_hooks import (  # noqa: F401 - hooks, which pytest finds by name
    pytest_collectreport,
    pytest_runtest_logreport,
    pytest_sessionstart,
)

# Tests run side by side: two that compute with all cores each wait for one another at every step.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test reaches the model hub of the world; those that need one name their own.
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
# No property is held to a clock: the machine may be busy.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")

TESTS = Path(__file__).parent
MEASURED = (
    "core/cli/commands",
    "core/cli/test_app.py",
    "core/cli/test_misuse.py",
    "core/cli/test_playback.py",
    "core/backends/local/test_requests.py",
    "core/backends/local/test_restart.py",
    "core/engines",
    "core/worker",
    "installer/test_streams.py",
    "server/relay/test_cli.py",
    "server/test_cli.py",
    "server/test_cli_streams.py",
    "server/test_server_process.py",
)
"""Tests in which coverage measures child processes as well; those of others run the same code.

A measured process takes about half a second more of a processor, and there are two thousand.
"""
_TRACER = "COVERAGE_PROCESS_CONFIG"
_tracer = os.environ.get(_TRACER)


def pytest_configure() -> None:
    """Refuse a measured part that was moved: coverage would fall far below without a word."""
    if gone := [part for part in MEASURED if not (TESTS / part).exists()]:
        raise pytest.UsageError(f"MEASURED in {__file__} names what is not there: {gone}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let coverage measure the child processes of a test, or not, before its fixtures start any."""
    if _tracer is None:
        return
    if any(item.path.is_relative_to(TESTS / part) for part in MEASURED):
        os.environ[_TRACER] = _tracer
    else:
        os.environ.pop(_TRACER, None)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
async def no_leaks() -> AsyncIterator[None]:
    """After the test neither a task nor a child process is left that was not there before.

    A fixture that opens something names this one among its arguments, so that it is closed first.
    """
    me = psutil.Process()
    tasks_before, children_before = asyncio.all_tasks(), set(me.children(recursive=True))

    yield

    await asyncio.sleep(0)  # callbacks of what has just ended
    tasks = asyncio.all_tasks() - tasks_before - {asyncio.current_task()}
    children = set(me.children(recursive=True)) - children_before
    assert [task.get_name() for task in tasks if not task.done()] == []
    assert [child for child in children if _runs(child)] == []


def _runs(process: psutil.Process) -> bool:
    """Whether a process is still there; one of ours that nobody has waited for is.

    Where pytest is process 1, as in a container, it inherits the ended children of what was killed.
    """
    try:
        inherited = os.getpid() == 1 and process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    return process.is_running() and not inherited
