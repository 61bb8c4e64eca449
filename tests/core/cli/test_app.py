from __future__ import annotations

import subprocess
import sys

import pytest
from cli_sandbox import SERVER_TOKEN, CliSandbox
from guard import GUARD_S

from vieneu_core.cli import app as cli_app
from vieneu_core.i18n import Messages


def test_a_bug_is_one_line_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(cli_app, "get_command", broken)
    assert cli_app.run(["mode"], Messages("en", "cli")) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "VIENEU_DEBUG=1" in shown
    assert "secret" not in shown
    assert shown.count("\n") == 1


def test_a_command_loads_what_it_needs_and_no_other_command() -> None:
    code = (
        "import sys\n"
        "from vieneu_core.cli.app import run\n"
        "from vieneu_core.i18n import Messages\n"
        "code = run(sys.argv[1:], Messages('en', 'cli'))\n"
        "names = [name for name in sys.modules if name.startswith('vieneu_core.')]\n"
        "print(*(n for n in names if '.cli.commands.' in n or n == 'vieneu_core.router'))\n"
        "sys.exit(code)"
    )

    def loaded(*arguments: str) -> list[str]:
        command = [sys.executable, "-c", code, *arguments]
        out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=GUARD_S)
        return sorted(out.stdout.splitlines()[-1].split())

    assert loaded("--version") == []
    assert loaded("status", "--help") == ["vieneu_core.cli.commands.status", "vieneu_core.router"]


def test_an_end_of_file_within_the_program_is_no_interruption(sandbox: CliSandbox) -> None:
    """A disk that was full may have left half a module, which Python reads as an EOFError."""
    compiled = sandbox.home / "compiled"
    arguments = ("connect", "http://127.0.0.1:9", "--token-stdin")
    environ = {"PYTHONPYCACHEPREFIX": str(compiled)}
    assert sandbox.run(*arguments, text=SERVER_TOKEN, **environ).returncode == 5
    (module,) = compiled.rglob("address_update_verification.*.pyc")
    module.write_bytes(module.read_bytes()[:100])

    done = sandbox.run(*arguments, text=SERVER_TOKEN, **environ)

    assert done.returncode == 1
    assert "EOFError" in done.stderr
