"""The real ``vieneu`` in processes of its own, on pipes and on a terminal; or in the test's."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli_here import run_here
from guard import GUARD_S
from programs import lone_path, put_program
from terminals import open_terminal

SERVER_TOKEN = "t0ken-of-the-test-server-0123456789"
VIENEU = [sys.executable, "-c", "from vieneu_core.cli import main; main()"]
SUPPORT = Path(__file__).parent
StartServer = Callable[..., tuple[subprocess.Popen[str], str]]
"""Starts vieneu-server with more options; returns the process and its URL."""
_LARGE = ("torch", "torchao", "transformers", "neucodec", "vieneu", "perth", "llama_cpp")
WITHOUT_MODELS = [
    sys.executable,
    "-c",
    f"import sys; sys.modules.update(dict.fromkeys({_LARGE})); {VIENEU[-1]}",
]
"""As most users have it, without the large extras: `doctor` imports what is there, for seconds."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class CliSandbox:
    """A home folder of its own, and ``vieneu`` in it."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    """All that was printed so far."""
    command: Sequence[str] = tuple(VIENEU)
    """How ``vieneu`` is started."""
    in_process: bool = False
    """Whether `run` runs it in the process of the test, which saves the start of a Python."""

    @property
    def config(self) -> Path:
        return self.home / ".config" / "vieneu" / "config.yaml"

    @property
    def programs(self) -> Path:
        return self.home / ".programs"

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        inherited = (
            "COVERAGE_PROCESS_CONFIG",
            "COVERAGE_PROCESS_START",
            "LD_LIBRARY_PATH",
            "PYTHONPATH",
        )
        kept = {name: os.environ[name] for name in inherited if name in os.environ}
        base = {"HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "80"}
        path = {"PATH": lone_path(self.programs)}
        found = {**kept, **base, **path, **self.environ, **extra}
        # Only a test that names a model hub of its own reaches one.
        return found if "HF_ENDPOINT" in found else {**found, "HF_HUB_OFFLINE": "1"}

    def put_program(self, name: str, script: str) -> None:
        """Make a script a program that ``vieneu`` finds; it finds no other."""
        put_program(self.programs, name, script)

    def run(
        self, *arguments: str, text: str | bytes = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        given = text.encode() if isinstance(text, str) else text
        start = self._in_process if self.in_process else self._in_child
        code, *printed = start(arguments, given, self.environment(environ))
        out, err = (stream.decode(errors="replace") for stream in printed)
        self.printed += [out, err]
        assert "Traceback" not in err
        return subprocess.CompletedProcess(arguments, code, out, err)

    def _in_child(
        self, arguments: Sequence[str], text: bytes, environ: dict[str, str]
    ) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [*self.command, *arguments],
            input=text,
            capture_output=True,
            env=environ,
            cwd=self.home,
            check=False,
            timeout=GUARD_S,
        )
        return done.returncode, done.stdout, done.stderr

    def _in_process(
        self, arguments: Sequence[str], text: bytes, environ: dict[str, str]
    ) -> tuple[int, bytes, bytes]:
        assert tuple(self.command) == tuple(VIENEU), "another program needs a process"
        return run_here(arguments, text=text, environ=environ, home=self.home)

    def on_terminal(self, *arguments: str, **environ: str) -> Screen:
        return Screen(self, arguments, environ)


class Screen:
    """``vieneu`` on a terminal of 80 columns."""

    def __init__(
        self, sandbox: CliSandbox, arguments: Sequence[str], environ: dict[str, str]
    ) -> None:
        self._sandbox = sandbox
        self._master, slave = open_terminal()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [*sandbox.command, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=sandbox.environment(environ),
            cwd=sandbox.home,
            start_new_session=True,
        )
        os.close(slave)
        self.raw = ""

    @property
    def shown(self) -> str:
        return _ESCAPES.sub("", self.raw)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def wait_for(self, text: str, *, within_s: float = GUARD_S) -> None:
        give_up_at = time.monotonic() + within_s
        while text not in self.shown:
            assert time.monotonic() < give_up_at, self.shown
            if not self._read(0.1) and self.process.poll() is not None:
                assert text in self.shown, self.shown

    def wait_until(self, condition: Callable[[], bool], *, within_s: float = GUARD_S) -> None:
        give_up_at = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < give_up_at, self.shown
            self._read(0.05)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def finish(self) -> int:
        give_up_at = time.monotonic() + GUARD_S
        while self._read(0.1) or self.process.poll() is None:
            assert time.monotonic() < give_up_at, self.shown
        self._sandbox.printed.append(self.raw)
        os.close(self._master)
        return self.process.wait()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)
