"""Hooks of pytest that all test suites of this repository share.

Children of a test get default signal handling. A run that was started in the background of a
script, by nohup or by some CI systems, ignores SIGINT, and without this its children would too.

Each test that fails is noted in the file that VIENEU_FAILED_TESTS names, at once, so that its name
is known when the run is interrupted or killed (scripts/sessions.py).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

_SENT_TO_CHILDREN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def pytest_sessionstart() -> None:
    """Take back what the parent process has set."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SENT_TO_CHILDREN)
    for each in _SENT_TO_CHILDREN:
        if signal.getsignal(each) is signal.SIG_IGN:
            interrupt = each == signal.SIGINT
            signal.signal(each, signal.default_int_handler if interrupt else signal.SIG_DFL)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that failed."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that could not be read."""
    _note(report)


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    path = os.environ.get("VIENEU_FAILED_TESTS")
    # The workers of xdist report to the process that handed out the tests.
    if path is None or not report.failed or "PYTEST_XDIST_WORKER" in os.environ:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{report.nodeid}\n")
