"""Folders and disks that take nothing: named errors, and speech where it is possible."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import WITHOUT_ROOTS_RIGHTS
from cli_sandbox import SERVER_TOKEN, WITHOUT_MODELS, CliSandbox
from cli_streams import redirected, run
from hub_site import hub_site

pytestmark = pytest.mark.usefixtures("without_models")
PLAYS = '#!/bin/sh\ncat > "$HOME/played.raw"\n'
LIGHT = "local:\n  engine: espeak\nfallback:\n  order: [local]\n"
"""Settings with which only eSpeak's worker is started."""
FULL_DISK = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
os.execv(sys.argv[1], sys.argv[1:])
"""


def limited(sandbox: CliSandbox, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``vieneu`` from a folder that can be written, in a home that cannot."""
    outside = sandbox.home.parent / "outside"
    outside.mkdir(exist_ok=True)
    return run(sandbox, [sys.executable, "-c", program, *sandbox.command, *arguments], cwd=outside)


@pytest.fixture
def read_only(tmp_path: Path) -> CliSandbox:
    """A home in which nothing can be written; a server is configured, and does not answer."""
    sandbox = CliSandbox(tmp_path / "home", command=WITHOUT_MODELS)
    sandbox.home.mkdir()
    sandbox.environment({})
    sandbox.put_program("aplay", "#!/bin/sh\ncat > /dev/null\n")
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "backend_mode: remote\ncolab:\n  enabled: true\n"
        f"  endpoint_url: http://127.0.0.1:9\n  auth_token: {SERVER_TOKEN}\n",
        "utf-8",
    )
    sandbox.config.chmod(0o600)
    light = sandbox.config.with_name("light.yaml")
    light.write_text(f"{sandbox.config.read_text('utf-8')}{LIGHT}", "utf-8")
    light.chmod(0o600)
    (sandbox.home / ".local").mkdir()
    for folder in (
        sandbox.config.parent,
        sandbox.config.parents[1],
        sandbox.home / ".local",
        sandbox.home,
    ):
        folder.chmod(0o555)
    return sandbox


def test_a_read_only_home_stops_no_announcement(read_only: CliSandbox) -> None:
    light = ["--config", str(read_only.config.with_name("light.yaml"))]
    for arguments, code in (
        (["say", "Xin chào.", "-o", "a.ogg"], 0),
        (["say", "Xin chào.", *light], 0),
        (["say", "Xin chào.", "--mode", "local", "-o", "b.wav", *light], 0),
        (["status", *light], 0),
        (["voices", *light], 0),
        (["models"], 0),
        (["mode"], 0),
        (["test", *light], 0),
        (["doctor", *light], 3),  # the server is not there
        (["notebook", "-o", "n.ipynb"], 0),
    ):
        done = limited(read_only, WITHOUT_ROOTS_RIGHTS, *arguments)
        assert done.returncode == code, (arguments, done.stderr)
    assert (read_only.home.parent / "outside" / "a.ogg").stat().st_size > 1000


def test_what_needs_a_read_only_home_is_named(read_only: CliSandbox) -> None:
    model = ["models", "get", "vieneu-v2-q4"]
    with hub_site() as site:
        read_only.environ["HF_ENDPOINT"] = site.url
        read_only.config.chmod(0o400)  # one that may be written is written over
        for arguments, code, reported in (
            (["mode", "local"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["disconnect"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["rotate-token"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["notebook", "-o", str(read_only.home / "n.ipynb")], 4, "Permission denied"),
            (["say", "a", "-o", str(read_only.home / "a.wav")], 4, "Permission denied"),
            (model, 5, "cannot be written"),
        ):
            done = limited(read_only, WITHOUT_ROOTS_RIGHTS, *arguments)
            assert done.returncode == code, (arguments, done.stderr)
            assert reported in done.stderr
            n_lines = 2 if arguments == model else 1  # it names the licence first
            assert done.stderr.count("\n") == n_lines
    assert SERVER_TOKEN in read_only.config.read_text("utf-8")


@pytest.mark.parametrize("names", [[".config"], [".local"], [".cache"], [".local/state", ".cache"]])
def test_a_file_where_a_folder_is_expected_stops_no_announcement(
    sandbox: CliSandbox, names: list[str]
) -> None:
    sandbox.environment({})
    for name in names:
        (sandbox.home / name).parent.mkdir(exist_ok=True)
        (sandbox.home / name).write_text("a file", "utf-8")
    sandbox.put_program("aplay", PLAYS)
    (sandbox.home / "light.yaml").write_text(LIGHT, "utf-8")
    light = [] if ".config" in names else ["--config", "light.yaml"]
    for case in (["status", *light], ["voices", *light], ["models"]):
        done = redirected(sandbox, case, "")
        assert done.returncode == 0, (case, done.stderr, done.stdout)
    for case in (["say", "Xin chào."], ["doctor", *light]):
        done = run(sandbox, [*sandbox.command, *case])
        assert done.returncode == 0, (case, done.stderr, done.stdout)
    assert (sandbox.home / "played.raw").stat().st_size > 10_000


def test_a_settings_file_that_was_named_below_a_file_is_an_error(sandbox: CliSandbox) -> None:
    (sandbox.home / "file").write_text("a file", "utf-8")
    done = run(
        sandbox, [*sandbox.command, "say", "a", "--config", "file/config.yaml", "-o", "a.wav"]
    )
    assert done.returncode == 3
    assert "there is no such file" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("TMPDIR", "/nonexistent", 0),
        ("XDG_CACHE_HOME", "/proc/nonexistent", 0),
        ("XDG_STATE_HOME", "/dev/null/state", 0),
        ("XDG_DATA_HOME", "/dev/null/data", 0),
        ("XDG_CONFIG_HOME", "/dev/null/config", 0),
        ("HOME", "/nonexistent", 0),
        ("HOME", "", 0),
        ("VIENEU_CONFIG", "~nobody-of-this-name/config.yaml", 3),
    ],
)
def test_folders_that_the_environment_names_wrongly(
    sandbox: CliSandbox, variable: str, value: str, code: int
) -> None:
    say = ["say", "Xin chào.", "-o", str(sandbox.home / "a.wav")]
    (sandbox.home / "alone.yaml").write_text("fallback:\n  enabled: false\n", "utf-8")
    if "CONFIG" not in variable:
        sandbox.environ["VIENEU_CONFIG"] = str(sandbox.home / "alone.yaml")
    sandbox.environ["PATH"] = sandbox.environment({})["PATH"]
    sandbox.environ[variable] = value
    if variable in {"TMPDIR", "HOME"}:  # Python itself reads them
        done = run(sandbox, [*sandbox.command, *say])
    else:
        done = redirected(sandbox, say, "")
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == (code != 0)


def test_a_disk_without_room_is_named_and_harms_nothing(
    sandbox: CliSandbox, server_url: str
) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text("# mine\n" * 20 + LIGHT, "utf-8")
    before = sandbox.config.read_bytes()
    outside = sandbox.home.parent / "outside"
    connect = ["connect", server_url, "--token-stdin"]
    for arguments, code, reported in (
        (["say", "Xin chào.", "-o", "a.wav"], 4, "a.wav cannot be written: File too large."),
        (["say", "Xin chào.", "-o", "a.mp3"], 4, "a.mp3 cannot be written: File too large."),
        (["notebook", "-o", "n.ipynb"], 4, "n.ipynb: File too large."),
    ):
        done = limited(sandbox, FULL_DISK, *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert reported in done.stderr
        assert list(outside.iterdir()) == []
    command = shlex.join([sys.executable, "-c", FULL_DISK, *sandbox.command, *connect])
    done = run(sandbox, ["sh", "-c", f"echo {SERVER_TOKEN} | {command}"])
    assert done.returncode == 3
    assert "it cannot be written (File too large)" in done.stderr
    assert sandbox.config.read_bytes() == before
