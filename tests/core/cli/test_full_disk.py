"""Streams, folders and disks that take nothing: named errors, and speech where it is possible."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import pytest
from child_process import WITHOUT_ROOTS_RIGHTS, without_coverage
from cli_sandbox import SERVER_TOKEN, WITHOUT_MODELS, CliSandbox
from guard import GUARD_S
from hub_site import hub_site

pytestmark = pytest.mark.usefixtures("without_models")
SAY = ["say", "Xin chào.", "-o", "-"]
PLAYS = '#!/bin/sh\ncat > "$HOME/played.raw"\n'
WITH_RESULTS = {
    "say": SAY,
    "status": ["status"],
    "status for programs": ["status", "--json"],
    "status again and again": ["status", "--watch"],
    "voices": ["voices"],
    "voices for programs": ["voices", "--json"],
    "cache": ["cache"],
    "models": ["models"],
    "models for programs": ["models", "--json"],
    "mode": ["mode"],
    "disconnect": ["disconnect"],
    "test": ["test"],
    "doctor": ["doctor"],
    "notebook": ["notebook", "-o", "n.ipynb"],
    "version": ["--version"],
    "help": ["--help"],
    "help of a command": ["say", "--help"],
}
OTHER_STREAMS = ("2>/dev/full", "<&- 2>&-", "0>/dev/null")
NO_SPACE = "Standard output cannot be written: No space left on device."
TOLD = {
    "C.UTF-8": f"{NO_SPACE} Free space on the disk, or send the output elsewhere.",
    "vi_VN.UTF-8": "Không ghi được ra đầu ra chuẩn: ổ đĩa đã hết chỗ trống. Giải phóng dung lượng"
    " đĩa, hoặc chuyển kết quả sang nơi khác.",
}
FULL_DISK = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
os.execv(sys.argv[1], sys.argv[1:])
"""


def run(
    sandbox: CliSandbox, command: Sequence[str], redirect: str = "", *, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *command],
        # Coverage cannot write its own file either, and Python would leave half a .pyc behind.
        env=without_coverage(sandbox.environment({"PYTHONDONTWRITEBYTECODE": "1"})),
        cwd=cwd or sandbox.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
        errors="replace",
    )
    assert "Traceback" not in done.stderr
    assert "nexpected" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("case", "lang"),
    [
        *((case, "C.UTF-8") for case in WITH_RESULTS),
        ("say", "vi_VN.UTF-8"),
        ("help", "vi_VN.UTF-8"),
    ],
)
def test_a_full_disk_behind_standard_output_is_named(
    sandbox: CliSandbox, case: str, lang: str
) -> None:
    sandbox.environ["LANG"] = lang
    done = run(sandbox, [*sandbox.command, *WITH_RESULTS[case]], ">/dev/full")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == f"vieneu: {TOLD[lang]}"


@pytest.mark.parametrize(
    ("case", "redirect"),
    [
        *(("say", redirect) for redirect in OTHER_STREAMS),
        *zip([case for case in WITH_RESULTS if "again" not in case], cycle(OTHER_STREAMS)),
    ],
)
def test_other_streams_stop_nothing(sandbox: CliSandbox, case: str, redirect: str) -> None:
    done = run(sandbox, [*sandbox.command, *WITH_RESULTS[case]], redirect)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_an_error_that_cannot_be_shown_has_its_exit_code(
    sandbox: CliSandbox, redirect: str
) -> None:
    for arguments, code in (
        (["say", "a", "--voice", "ba", "-o", "a.wav"], 4),
        (["mode", "--config", "none.yaml"], 3),
        (["mode", "remote"], 5),
        (["nothing"], 2),
        (["say", "Xin chào.", "--voice", "vi-south", "-o", "a.wav"], 0),
    ):
        assert run(sandbox, [*sandbox.command, *arguments], redirect).returncode == code


@pytest.mark.parametrize("case", WITH_RESULTS)
def test_a_closed_standard_output_is_named(sandbox: CliSandbox, case: str) -> None:
    done = run(sandbox, [*sandbox.command, *WITH_RESULTS[case]], ">&-")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == (
        "vieneu: Standard output is closed. Send the output to a file, or to /dev/null."
    )


def test_a_token_that_cannot_be_read_is_named(sandbox: CliSandbox) -> None:
    for redirect in ("<&-", "0>/dev/null", "</dev/zero"):
        done = run(
            sandbox, [*sandbox.command, "connect", "http://127.0.0.1:9", "--token-stdin"], redirect
        )
        assert done.returncode == 3
        assert done.stderr.count("\n") == 1
    audio = [*sandbox.command, "voices", "add", "Ba", "--audio", "-", "--text", "Xin chào."]
    assert run(sandbox, audio, "0>/dev/null").returncode == 4


def test_an_encoding_without_vietnamese_costs_only_letters(sandbox: CliSandbox) -> None:
    sandbox.environ["PYTHONIOENCODING"] = "ascii"
    done = run(sandbox, [*sandbox.command, "voices", "--lang", "vi"])
    assert done.returncode == 0
    assert "Gi?ng" in done.stdout
    assert (
        run(sandbox, [*sandbox.command, "say", "", "-o", "a.wav", "--lang", "vi"]).returncode == 4
    )


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
    for arguments, code in (
        (["say", "Xin chào."], 0),
        (["say", "Xin chào.", "-o", "a.ogg"], 0),
        (["say", "Xin chào.", "--mode", "local", "-o", "b.wav"], 0),
        (["status"], 0),
        (["voices"], 0),
        (["models"], 0),
        (["mode"], 0),
        (["test"], 0),
        (["doctor"], 3),  # the server is not there
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
        for arguments, code, told in (
            (["mode", "local"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["disconnect"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["rotate-token"], 3, "config.yaml: it cannot be written (Permission denied)"),
            (["notebook", "-o", str(read_only.home / "n.ipynb")], 3, "Permission denied"),
            (["say", "a", "-o", str(read_only.home / "a.wav")], 4, "Permission denied"),
            (model, 5, "cannot be written"),
        ):
            done = limited(read_only, WITHOUT_ROOTS_RIGHTS, *arguments)
            assert done.returncode == code, (arguments, done.stderr)
            assert told in done.stderr
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
    for arguments in (["say", "Xin chào."], ["status"], ["voices"], ["models"], ["doctor"]):
        done = run(sandbox, [*sandbox.command, *arguments])
        assert done.returncode == 0, (arguments, done.stderr, done.stdout)
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
    path = shlex.quote(str(sandbox.home / "a.wav"))
    command = [*sandbox.command, "say", "Xin chào.", "-o"]
    sandbox.environ["PATH"] = sandbox.environment({})["PATH"]
    sandbox.environ[variable] = value
    done = run(sandbox, command, path)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == (code != 0)


def test_a_disk_without_room_is_named_and_harms_nothing(
    sandbox: CliSandbox, server_url: str
) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text("# mine\n" * 20, "utf-8")
    before = sandbox.config.read_bytes()
    outside = sandbox.home.parent / "outside"
    connect = ["connect", server_url, "--token-stdin"]
    for arguments, code, told in (
        (["say", "Xin chào.", "-o", "a.wav"], 4, "a.wav cannot be written: File too large."),
        (["say", "Xin chào.", "-o", "a.mp3"], 4, "a.mp3 cannot be written: File too large."),
        (["notebook", "-o", "n.ipynb"], 3, "n.ipynb: File too large."),
    ):
        done = limited(sandbox, FULL_DISK, *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert told in done.stderr
        assert list(outside.iterdir()) == []
    command = shlex.join([sys.executable, "-c", FULL_DISK, *sandbox.command, *connect])
    done = run(sandbox, ["sh", "-c", f"echo {SERVER_TOKEN} | {command}"])
    assert done.returncode == 3
    assert "it cannot be written (File too large)" in done.stderr
    assert sandbox.config.read_bytes() == before
