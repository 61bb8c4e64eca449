"""Standard streams that are full, closed, or of another encoding: named errors, and exit codes."""

from __future__ import annotations

import subprocess
from itertools import cycle

import pytest
from cli_sandbox import CliSandbox
from cli_streams import redirected, run

pytestmark = pytest.mark.usefixtures("without_models")
SAY = ["say", "Xin chào.", "-o", "-"]
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
    "notebook on standard output": ["notebook", "-o", "-"],
    "version": ["--version"],
    "help": ["--help"],
    "help of a command": ["say", "--help"],
}
OTHER_STREAMS = ("2>/dev/full", "<&- 2>&-", "0>/dev/null")
IN_A_PROCESS = {"say", "status", "mode", "doctor", "version", "help"}
"""Those that are run in a process of its own; each writes in another way.

The others are the same program on the same descriptors, without the start of a Python.
`doctor` imports each large extra that there is.
"""
NO_SPACE = "Standard output cannot be written: No space left on device."
MESSAGES = {
    "C.UTF-8": f"{NO_SPACE} Free space on the disk, or send the output elsewhere.",
    "vi_VN.UTF-8": "Không ghi được ra đầu ra chuẩn: ổ đĩa đã hết chỗ trống. Giải phóng dung lượng"
    " đĩa, hoặc chuyển kết quả sang nơi khác.",
}


def run_case(sandbox: CliSandbox, case: str, redirect: str) -> subprocess.CompletedProcess[str]:
    """Run a command with results while its standard streams are redirected."""
    if case in IN_A_PROCESS:
        return run(sandbox, [*sandbox.command, *WITH_RESULTS[case]], redirect)
    return redirected(sandbox, WITH_RESULTS[case], redirect)


@pytest.mark.usefixtures("one_voice")
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
    done = run_case(sandbox, case, ">/dev/full")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == f"vieneu: {MESSAGES[lang]}"


@pytest.mark.usefixtures("one_voice")
@pytest.mark.parametrize(
    ("case", "redirect"),
    [
        *(("say", redirect) for redirect in OTHER_STREAMS),
        *zip([case for case in WITH_RESULTS if "again" not in case], cycle(OTHER_STREAMS)),
    ],
)
def test_other_streams_stop_nothing(sandbox: CliSandbox, case: str, redirect: str) -> None:
    done = run_case(sandbox, case, redirect)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.usefixtures("one_voice")
@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_an_error_that_cannot_be_shown_has_its_exit_code(
    sandbox: CliSandbox, redirect: str
) -> None:
    said = ["say", "Xin chào.", "--voice", "vi-south", "-o", "a.wav"]
    assert run(sandbox, [*sandbox.command, *said], redirect).returncode == 0
    assert run(sandbox, [*sandbox.command, "nothing"], redirect).returncode == 2
    for arguments, code in (
        (["say", "a", "--voice", "ba", "-o", "a.wav"], 4),
        (["mode", "--config", "none.yaml"], 3),
        (["mode", "remote"], 5),
    ):
        assert redirected(sandbox, arguments, redirect).returncode == code


@pytest.mark.usefixtures("one_voice")
@pytest.mark.parametrize("case", WITH_RESULTS)
def test_a_closed_standard_output_is_named(sandbox: CliSandbox, case: str) -> None:
    done = run_case(sandbox, case, ">&-")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == (
        "vieneu: Standard output is closed. Send the output to a file, or to /dev/null."
    )


def test_a_token_that_cannot_be_read_is_named(sandbox: CliSandbox) -> None:
    connect = ["connect", "http://127.0.0.1:9", "--token-stdin"]
    for done in (
        run(sandbox, [*sandbox.command, *connect], "<&-"),
        *(redirected(sandbox, connect, bad) for bad in ("<&-", "0>/dev/null", "</dev/zero")),
    ):
        assert done.returncode == 3
        assert done.stderr.count("\n") == 1
    audio = ["voices", "add", "Ba", "--audio", "-", "--text", "Xin chào."]
    assert redirected(sandbox, audio, "0>/dev/null").returncode == 4


def test_an_encoding_without_vietnamese_costs_only_letters(sandbox: CliSandbox) -> None:
    sandbox.environ["PYTHONIOENCODING"] = "ascii"
    done = run(sandbox, [*sandbox.command, "models", "--lang", "vi"])
    assert done.returncode == 0
    assert "Gi?y ph?p" in done.stdout
    assert (
        run(sandbox, [*sandbox.command, "say", "", "-o", "a.wav", "--lang", "vi"]).returncode == 4
    )
