from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_sandbox import SERVER_TOKEN, VIENEU, CliSandbox
from guard import GUARD_S

SECRET = "s3cret-t0ken-that-nobody-may-see"
URL = "https://abc.example"

# arguments, standard input, exit code, words on stderr
MISUSE = {
    "no such command": (["sai"], "", 2, "Did you mean 'say'? See: vieneu --help"),
    "no such option": (["say", "--vioce", "x", "a"], "", 2, "vieneu say --help"),
    "no text": (["say"], "", 2, "Missing argument"),
    "a speed out of range": (["say", "a", "--speed", "9"], "", 2, "it must be 2 or less. See"),
    "a speed that is no number": (["say", "a", "--speed", "nan", "-o", "a.wav"], "", 2, "--speed"),
    "an unknown language": (["say", "a", "--language", "fr", "-o", "a.wav"], "", 4, "of: vi, en."),
    "an empty language": (["say", "a", "--language", "", "-o", "a.wav"], "", 4, "of: vi, en."),
    "an unknown language of what is typed": (
        ["say", "-", "--language", "fr", "-o", "a.wav"],
        "Bonjour.",
        4,
        "of: vi, en.",
    ),
    "an unknown language of a voice": (
        ["voices", "add", "x", "--audio", "-", "--text", "a", "--language", "fr"],
        "",
        4,
        "of: vi, en.",
    ),
    "an unknown language of messages": (["mode", "--lang", "xx"], "", 2, "en, vi"),
    "no such mode": (["mode", "cloud"], "", 2, "remote"),
    "an empty text": (["say", "", "-o", "a.wav"], "", 4, "Give a text"),
    "a text of blanks": (["say", " \n\t", "-o", "a.wav"], "", 4, "Give a text"),
    "an empty pipe": (["say", "-", "-o", "a.wav"], "", 4, "Give a text"),
    "an unknown voice": (["say", "a", "--voice", "ba", "-o", "a.wav"], "", 4, "vi-north"),
    "an empty voice": (["say", "a", "--voice", "", "-o", "a.wav"], "", 4, "voice is empty"),
    "an unknown suffix": (["say", "a", "-o", "a.xyz"], "", 4, "wav"),
    "a folder": (["say", "a", "-o", "."], "", 4, ".: no audio format"),
    "no suffix": (["say", "a", "-o", "a"], "", 4, "wav"),
    "no file name": (["say", "a", "-o", ""], "", 4, "empty"),
    "no such folder": (["say", "a", "-o", "no/where/a.wav"], "", 4, "no/where"),
    "a settings file that is not there": (
        ["say", "a", "--config", "c.yaml"],
        "",
        3,
        "no such file",
    ),
    "a settings file that is a folder": (["mode", "--config", "."], "", 3, "cannot be read"),
    "a mode without a server": (["say", "a", "--mode", "remote", "-o", "a.wav"], "", 5, "connect"),
    "no token": (["connect", URL], "", 3, "--token-stdin"),
    "an empty token": (["connect", URL, "--token-stdin"], "\n", 3, "There is no token"),
    "a token with blanks": (
        ["connect", URL, "--token-stdin"],
        f"{SECRET} {SECRET}\n",
        3,
        "a space",
    ),
    "a URL that is none": (["connect", SECRET, "--token-stdin"], f"{SECRET}\n", 3, "https://"),
    "a URL with a password": (
        ["connect", f"https://u:{SECRET}@h", "--token-stdin"],
        f"{SECRET}\n",
        3,
        "password",
    ),
    "an empty URL": (["connect", "", "--token-stdin"], f"{SECRET}\n", 3, "empty"),
    "an unknown host": (
        ["connect", "https://no-such-host.invalid", "--token-stdin"],
        f"{SECRET}\n",
        5,
        "no-such-host.invalid",
    ),
}


IN_A_PROCESS = {
    "no such command",
    "no text",
    "an empty pipe",
    "no token",
    "a mode without a server",
}
"""Those that are told by a process of its own: of each exit code one, and one that reads a pipe."""


@pytest.mark.parametrize("case", MISUSE)
def test_misuse_is_told_in_one_line_with_what_to_do(sandbox: CliSandbox, case: str) -> None:
    arguments, text, code, words = MISUSE[case]
    sandbox.in_process = case not in IN_A_PROCESS
    done = sandbox.run(*arguments, text=text)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("vieneu: ")
    assert done.stderr.count("\n") == 1
    assert SECRET not in "".join(sandbox.printed)
    assert list(sandbox.home.glob("*.wav")) == []
    assert not sandbox.config.exists()


@pytest.mark.usefixtures("in_process")
def test_a_wrong_settings_file_is_named_by_line_and_kept(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(f"colab:\n  auth_tokn: {SECRET}\n", "utf-8")
    for arguments in (["say", "a", "-o", "a.wav"], ["status"], ["disconnect"], ["mode", "local"]):
        done = sandbox.run(*arguments)
        assert done.returncode == 3
        assert "line 2, column 14, colab: found 'auth_tokn'" in done.stderr
        assert "Did you mean 'auth_token'?" in done.stderr
    assert SECRET in sandbox.config.read_text("utf-8")
    assert SECRET not in "".join(sandbox.printed)


@pytest.mark.usefixtures("in_process")
def test_a_settings_folder_that_cannot_be_made_is_told_before_the_look(
    sandbox: CliSandbox, server_url: str
) -> None:
    (sandbox.home / ".config").write_text("a file", "utf-8")
    done = sandbox.run("connect", server_url, "--token-stdin", text=SERVER_TOKEN)
    assert done.returncode == 3
    assert "--config" in done.stderr
    assert SERVER_TOKEN not in done.stderr


@pytest.mark.usefixtures("in_process")
def test_a_variable_that_would_win_is_named(sandbox: CliSandbox, server_url: str) -> None:
    done = sandbox.run(
        "connect", server_url, "--token-stdin", text=SERVER_TOKEN, COLAB_ENDPOINT_URL=URL
    )
    assert done.returncode == 3
    assert "unset COLAB_ENDPOINT_URL" in done.stderr
    assert not sandbox.config.exists()


def test_a_wrong_token_is_told_apart_where_no_stand_in_may_speak(connected: CliSandbox) -> None:
    text = connected.config.read_text("utf-8").replace(SERVER_TOKEN, "wrong-token")
    connected.config.write_text(text + "fallback:\n  enabled: false\n", "utf-8")
    done = connected.run("say", "Xin chào.", "-o", "a.wav")
    assert done.returncode == 6
    assert "Copy the current token" in done.stderr
    assert "wrong-token" not in done.stderr


def test_closed_standard_streams_are_no_bug(sandbox: CliSandbox) -> None:
    for arguments, code in (
        (["say", "-", "-o", "a.wav"], 4),
        (["connect", "http://127.0.0.1:9", "--token-stdin"], 3),
        (["mode"], 4),
        (["say", "Xin chào.", "-o", "a.wav"], 0),
    ):
        done = subprocess.run(
            ["sh", "-c", '"$@" <&- >&-', "sh", *VIENEU, *arguments],
            env=sandbox.environment({}),
            cwd=sandbox.home,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=GUARD_S,
        )
        assert done.returncode == code, done.stderr
        assert done.stderr.count("\n") == (code != 0)


@pytest.mark.usefixtures("in_process")
def test_help_tells_the_exit_codes(sandbox: CliSandbox) -> None:
    done = sandbox.run("--help")
    assert done.returncode == 0
    reported = " ".join(done.stdout.split())
    for words in ("0 done", "3 wrong configuration", "6 token rejected", "130 interrupted"):
        assert words in reported
    assert "never from an argument" in " ".join(sandbox.run("connect", "--help").stdout.split())


def test_completion_is_offered(sandbox: CliSandbox) -> None:
    # It asks which shell has started it; the second command keeps bash from becoming vieneu itself.
    sandbox.command = ["bash", "-c", '"$@"; exit $?', "bash", *VIENEU]
    done = sandbox.run("--show-completion")
    assert done.returncode == 0
    assert "complete" in done.stdout.lower()


def test_the_version_is_printed(sandbox: CliSandbox) -> None:
    assert sandbox.run("--version").stdout.startswith("vieneu 0.")


def test_without_its_extra_the_command_names_the_pip_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(
        "raise ModuleNotFoundError('No module named typer', name='typer')", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", "from vieneu_core.cli import main; main()"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "Install them: " in done.stderr
    assert "vieneu-core[cli]" in done.stderr


def test_the_bare_command_shows_its_help_and_no_empty_complaint(sandbox: CliSandbox) -> None:
    done = sandbox.run()
    assert done.returncode == 2
    assert "Usage" in done.stdout + done.stderr
    assert "vieneu: ." not in done.stdout + done.stderr
