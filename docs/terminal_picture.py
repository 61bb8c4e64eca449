"""Makes the picture of a terminal in README.md: what the commands really print, as SVG.

A server is started, connected, and stopped; the local backend then speaks in its place::

    .venv/bin/python docs/terminal_picture.py docs/assets/terminal.svg
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS = 84
PROGRAMS = Path(sys.executable).parent
_TOKEN = "token-of-the-picture-0123456789-abcdefghijk"  # noqa: S105 - of a server that lives seconds
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""Rich names fonts of another site; a picture loads nothing."""
_SAY = 'vieneu say "Cửa trước đang mở." -o cua.mp3'


@contextmanager
def server(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a server; lend its URL and its process, and stop it."""
    command = [str(PROGRAMS / "vieneu-server"), "--engine", "espeak", "--port", "0"]
    environ = {**os.environ, "VIENEU_SERVER_TOKEN": _TOKEN, "HOME": str(home)}
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield cast("IO[str]", process.stdout).readline().split()[-1], process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def printed(command: str, home: Path) -> str:
    """Run a command on a terminal; return what it prints there, then its notes and errors."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environ = {
        "HOME": str(home),
        "PATH": str(PROGRAMS),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }
    with subprocess.Popen(  # noqa: S602 - our own commands
        command, shell=True, cwd=home, env=environ, stdout=slave, stderr=subprocess.PIPE
    ) as process:
        os.close(slave)
        out = b"".join(_chunks(master))
        notes = cast("IO[bytes]", process.stderr).read()
    os.close(master)
    return (out.replace(b"\r\n", b"\n") + notes).decode()


def _chunks(master: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(master, 4096):
            yield chunk
    except OSError:  # Linux: the program has closed its end
        return


def session(home: Path) -> Iterator[tuple[str, str]]:
    """Yield each command that is shown with what it printed."""
    with server(home) as (url, process):
        printed(f"echo {_TOKEN} | vieneu connect {url} --token-stdin", home)
        printed("vieneu mode remote", home)
        yield _SAY, printed(_SAY, home)
        yield "vieneu status", printed("vieneu status", home)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        yield f"{_SAY}     # the server is gone", printed(_SAY, home)


def picture(home: Path) -> str:
    """Return the picture."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - closed with the process
    for command, told in session(home):
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        if told:
            console.print(Text.from_ansi(told.rstrip()))
        console.print()
    drawn = console.export_svg(title="VieNeu Relay", theme=MONOKAI)
    return _FONTS.sub("", drawn).replace("Fira Code, monospace", "ui-monospace, monospace")


def main() -> None:
    """Write the picture to the file that is named."""
    with tempfile.TemporaryDirectory() as home:
        Path(sys.argv[1]).write_text(picture(Path(home)), "utf-8")


if __name__ == "__main__":
    main()
