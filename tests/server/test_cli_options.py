"""Options of the command that are wrong, one line each."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from guard import GUARD_S
from server_process import SUPPORT, TOKEN
from typer.testing import CliRunner

from vieneu_colab_server import __version__
from vieneu_colab_server.cli import serve
from vieneu_colab_server.exit_codes import EXIT_MAY_PASS


def command(
    *arguments: str, environ: dict[str, str] | None = None, process: bool = False
) -> tuple[int, str, str]:
    """Run the command to its end; return exit code, standard output and standard error."""
    if not process:
        app = typer.Typer()
        app.command()(serve)
        result = CliRunner().invoke(app, arguments, env=environ)
        return result.exit_code, result.stdout, result.stderr
    done = subprocess.run(
        [sys.executable, "-m", "vieneu_colab_server", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={
            **os.environ,
            "PYTHONPATH": f"{SUPPORT}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"),
            **(environ or {}),
        },
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (["--engine-option=novalue"], {}, 3, "key=value"),
        (["--samples=/no/such/folder"], {}, 3, "samples folder"),
        (["--host=256.1.1.1"], {}, 3, "Cannot listen"),
        (["--session-limit=0"], {}, 3, "session_limit_s"),
        (["--port=70000"], {}, 3, "port"),
        ([], {"VIENEU_SERVER_MAX_QUEUE": "many"}, 3, "max_queue"),
        ([], {"VIENEU_SERVER_TOKEN": "short"}, 3, "token"),
        (["--log-level=loud"], {}, 2, "--log-level"),
        (["--no-such-option"], {}, 2, "--no-such-option"),
    ],
)
def test_what_is_wrong_is_one_line_with_an_exit_code(
    arguments: list[str], environ: dict[str, str], code: int, words: str
) -> None:
    free_port = [] if "--port" in str(arguments) else ["--port=0"]
    got, _, err = command(*free_port, *arguments, environ=environ)

    assert got == code
    assert words in err
    assert "Traceback" not in err
    if code != 2:
        assert re.match(r"error: \S", err.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine=nonsense"], "nonsense"),
        (["--engine=tone_engine:create", "--engine-option=load_error=model"], "fork"),
    ],
)
def test_an_engine_that_cannot_be_loaded_is_one_line_too(arguments: list[str], words: str) -> None:
    code, _, err = command("--port=0", *arguments, process=True)

    assert code == 4
    assert "Traceback" not in err
    assert re.match(rf"error: .*{words}", err.splitlines()[-1])


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = command(f"--port={taken.getsockname()[1]}")

    assert code == EXIT_MAY_PASS, "the other program may be about to end"
    assert "Cannot listen" in err


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no-such-host.invalid"])
def test_an_address_that_the_machine_does_not_have_yet_may_be_there_at_the_next_start(
    host: str,
) -> None:
    code, _, err = command("--port=0", f"--host={host}")

    assert code == EXIT_MAY_PASS
    assert "Name an address that this machine has" in err


def test_the_version() -> None:
    assert command("--version") == (0, f"{__version__}\n", "")


def test_the_help_names_no_option_for_the_token_itself() -> None:
    code, out, _ = command("--help", environ={"COLUMNS": "200", "TERM": "dumb"})

    assert code == 0
    assert "--token-file" in out
    assert not re.search(r"--token\b(?!-)", out)


def no_token(tmp_path: Path) -> Path:
    return tmp_path / "none"


def token_of_others(tmp_path: Path) -> Path:
    file = tmp_path / "open"
    file.write_text(TOKEN)
    file.chmod(0o666)
    return file


def token_too_short(tmp_path: Path) -> Path:
    file = tmp_path / "short"
    file.write_text("short")
    file.chmod(0o600)
    return file


def token_not_ascii(tmp_path: Path) -> Path:
    file = tmp_path / "strange"
    file.write_text("mật-khẩu-của-tôi-rất-dài")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("make", [no_token, token_of_others, token_too_short, token_not_ascii])
def test_a_token_file_that_cannot_be_used(tmp_path: Path, make: Any) -> None:
    file = make(tmp_path)
    code, out, err = command("--port=0", f"--token-file={file}")

    assert (code, out) == (3, "")
    assert re.fullmatch(r"error: .*\n", err)
    if file.exists():
        assert file.read_text().strip() not in err.replace(str(file), "")
