"""Options that every command has, as docs/cli.md says; walked over all commands that there are."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from cli_commands import loaded_root
from cli_sandbox import WITHOUT_MODELS, CliSandbox

from vieneu_core.i18n import Messages


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that name it; a group that does something too."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*path, name))
    if path and (getattr(command, "invoke_without_command", True)):
        yield path, command


def least_arguments(command: Any) -> list[str]:
    """Return what a command cannot do without."""
    given = []
    for param in command.params:
        if param.required and param.param_type_name == "argument":
            given.append("x")
        elif param.required:
            given += [param.opts[0], "x"]
    return given


pytestmark = pytest.mark.usefixtures("in_process")


def run(
    sandbox: CliSandbox, *arguments: str, text: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a command; one that imports each large extra where there is none of them."""
    if arguments[0] == "doctor":
        sandbox.in_process, sandbox.command = False, WITHOUT_MODELS
    return sandbox.run(*arguments, text=text, **environ)


COMMANDS = dict(walk(loaded_root(Messages("en", "cli"))))
WORDS = [pytest.param(words, id=" ".join(words)) for words in COMMANDS]


def test_all_commands_are_walked_over() -> None:
    assert {" ".join(words) for words in COMMANDS} == {
        *("say", "warm", "cache", "cache clear"),
        *("dictionary", "dictionary add", "dictionary remove"),
        *(
            "voices",
            "voices add",
            "voices remove",
            "models",
            "models get",
            "models use",
            "optimize",
        ),
        *("status", "mode", "connect", "disconnect", "rotate-token", "notebook", "test", "doctor"),
    }


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("at", ["its end", "its group"])
def test_every_command_uses_the_settings_file_that_is_named(
    sandbox: CliSandbox, words: tuple[str, ...], at: str
) -> None:
    bad = sandbox.home / "other.yaml"
    bad.write_text("local:\n  engin: espeak\n", "utf-8")
    options = ["--config", str(bad), "--lang", "vi"]
    least = least_arguments(COMMANDS[words])
    arguments = [words[0], *options, *words[1:], *least]
    if at == "its end":
        arguments = [*words, *least, *options]
    done = run(sandbox, *arguments, text="token\n", COLUMNS="400")
    assert done.returncode == 3
    assert f"{bad}, dòng 2" in done.stdout + done.stderr
    assert [path.name for path in sandbox.home.glob("[!.]*")] == ["other.yaml"]


@pytest.mark.parametrize("words", [param for param in WORDS if param.id != "connect"])
def test_a_settings_file_that_was_named_has_to_be_there(
    sandbox: CliSandbox, words: tuple[str, ...]
) -> None:
    least = least_arguments(COMMANDS[words])
    done = run(sandbox, *words, *least, "--config", "none.yaml", COLUMNS="400")
    assert done.returncode == 3
    assert "none.yaml: there is no such file." in done.stdout + done.stderr


def test_connect_makes_the_settings_file_that_was_named(
    sandbox: CliSandbox, server_url: str
) -> None:
    order = ["connect", server_url, "--token-stdin", "--config", "new.yaml"]
    done = sandbox.run(*order, text="t0ken-of-the-test-server-0123456789\n")
    assert done.returncode == 0, done.stderr
    assert server_url in (sandbox.home / "new.yaml").read_text("utf-8")
    assert not sandbox.config.exists()


@pytest.mark.parametrize("words", WORDS)
def test_every_command_has_its_help(sandbox: CliSandbox, words: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        shown = sandbox.run(*words, option, COLUMNS="200")
        assert shown.returncode == 0
        for name in ("--config", "--lang"):
            assert name in shown.stdout


def test_help_is_in_the_language_that_is_chosen(sandbox: CliSandbox) -> None:
    shown = sandbox.run("say", "--help", "--lang", "vi", COLUMNS="200").stdout
    for text in ("Đọc một văn bản", "Văn bản cần đọc", "Tốc độ đọc", "Tùy chọn", "Đối số"):
        assert text in shown
    assert "Speak" not in shown
    for text in ("Cách dùng: vieneu say [TÙY CHỌN]", "[bắt buộc]", "[mặc định: 1.0]"):
        assert text in shown
    for root in (
        sandbox.run("--help", LANG="vi_VN.UTF-8", COLUMNS="200").stdout,
        sandbox.run("--help", "--lang", "vi", COLUMNS="200").stdout,
        sandbox.run("--lang=vi", "--help", COLUMNS="200").stdout,
    ):
        assert "Hiện trạng thái của các nguồn giọng" in root
        assert "Mã thoát: 0 xong" in root


@pytest.mark.usefixtures("one_voice")
def test_the_language_may_be_chosen_before_the_command(sandbox: CliSandbox) -> None:
    assert "Ngôn ngữ" in sandbox.run("--lang", "vi", "voices").stdout
    assert "Language" in sandbox.run("--lang", "vi", "voices", "--lang", "en").stdout
