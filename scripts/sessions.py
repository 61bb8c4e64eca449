"""Runs the sessions of noxfile.py one after the other, and ends with a table of their results.

    python scripts/sessions.py [SESSION …] [-- ARGUMENT …]     (none: those that noxfile.py names)

A session that fails does not stop the next one. Ctrl-C and SIGTERM end the running session, and the
table, with the names of the tests that failed until then, is printed all the same.

Exit codes: 0 all passed, 1 one failed, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
NOX = (sys.executable, "-m", "nox", "--no-error-on-missing-interpreters")
FAILED_TESTS = "VIENEU_FAILED_TESTS"
"""Names the file that tests/support/run_hooks.py writes."""
END_WITHIN_S = 60.0
"""How long a session may take to end once it was interrupted."""
PREPARED = "homeassistant"
"""The session whose environments are made while the sessions before it run: mostly downloads."""
SHOWN = 40
"""So many failed tests are named; a thousand would hide the table."""


class Interrupted(BaseException):
    """The user, or the system that runs this, wants it to end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a session."""

    session: str
    result: str
    """``passed``, ``failed``, ``interrupted`` or ``not run``."""
    seconds: float = 0.0
    failed_tests: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """Of the table."""
        took = f"{int(self.seconds) // 60:3d} min {int(self.seconds) % 60:02d} s"
        return f"{self.session:16}  {self.result:12}  {took if self.seconds else ''}".rstrip()


def default_sessions() -> list[str]:
    """Return the names that noxfile.py selects by itself: those that nox marks with a star."""
    listed = subprocess.run(
        [*NOX, "--list"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return [line.split()[1] for line in listed.stdout.splitlines() if line.startswith("* ")]


def run(session: str, arguments: Sequence[str]) -> Outcome:
    """Run one session to its end.

    Raises:
        Interrupted: with the outcome so far as its argument.
    """
    noted = ROOT / ".nox" / f"failed-{session}.txt"
    noted.parent.mkdir(exist_ok=True)
    noted.write_text("")
    command = [*NOX, "--sessions", session, *(["--", *arguments] if arguments else [])]
    environ = {**os.environ, FAILED_TESTS: str(noted)}
    began = time.monotonic()

    def outcome(result: str) -> Outcome:
        names = tuple(dict.fromkeys(noted.read_text("utf-8").splitlines()))
        return Outcome(session, result, time.monotonic() - began, names)

    # Started with our handlers in place, so that it has the default ones; and in a process group of
    # its own, which one Ctrl-C reaches once, from here.
    with signals_raise():
        process = subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True)
        try:
            code = process.wait()
        except Interrupted as stop:
            end(process)
            raise Interrupted(outcome("interrupted")) from stop
    return outcome("passed" if code == 0 else "failed")


@contextmanager
def prepared(sessions: Sequence[str]) -> Iterator[None]:
    """Make the environments of `PREPARED` meanwhile, where it is not the first session.

    The session itself waits for that, and does again, and shows, whatever failed.
    """
    if PREPARED not in sessions[1:]:
        yield
        return
    log = ROOT / ".nox" / f"{PREPARED}.log"
    log.parent.mkdir(exist_ok=True)
    notes = Path(".nox", PREPARED, "tmp")  # the session's own folder
    command = ["nice", sys.executable, "scripts/homeassistant.py", str(notes)]
    with log.open("w") as output, signals_raise():
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        if process.poll() is None:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a process, so that pytest still sums up; kill what does not end by itself."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired, Interrupted):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(END_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def signals_raise() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `Interrupted` meanwhile; ignored by the parent or not."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the verdict: a row a session, and the names of failed tests."""
    lines = ["", "session           result        time", *(each.row for each in outcomes)]
    for each in outcomes:
        more = len(each.failed_tests) - SHOWN
        lines += [f"FAILED  {each.session}: {name}" for name in each.failed_tests[:SHOWN]]
        lines += [f"FAILED  {each.session}: {more} more tests"] if more > 0 else []
    passed = sum(each.result == "passed" for each in outcomes)
    if passed == len(outcomes):
        return "\n".join([*lines, "", f"All {passed} sessions passed."])
    return "\n".join([*lines, "", f"{passed} of {len(outcomes)} sessions passed."])


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; return the exit code."""
    chosen = list(arguments)
    at = chosen.index("--") if "--" in chosen else len(chosen)
    sessions, passed_on = chosen[:at] or default_sessions(), chosen[at + 1 :]
    outcomes: list[Outcome] = []
    interrupted = False
    try:
        with prepared(sessions):
            for session in sessions:
                outcomes += [run(session, passed_on)]
    except Interrupted as stop:
        outcomes += stop.args
        interrupted = True
    outcomes += [Outcome(name, "not run") for name in sessions[len(outcomes) :]]
    print(table(outcomes), flush=True)  # noqa: T201 - what this is for
    if interrupted:
        return 130
    return 0 if all(each.result == "passed" for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
