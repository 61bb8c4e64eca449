"""``vieneu notebook``: what is chosen on the command line stands in the file."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from cli_sandbox import SERVER_TOKEN, CliSandbox
from voice_clips import wav_file

from vieneu_core import __version__

LONG_TOKEN = SERVER_TOKEN + "0123456789" * 4


def cell(path: Path, name: str) -> str:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    (source,) = [c["source"] for c in cells if c["id"] == name]
    return str(source)


def test_a_dash_writes_the_notebook_and_nothing_else_to_standard_output(
    sandbox: CliSandbox,
) -> None:
    done = sandbox.run("notebook", "-o", "-", "--embed-token", "--pypi")

    assert done.returncode == 0
    assert json.loads(done.stdout)["nbformat"] == 4
    assert "token" in done.stderr
    assert not (sandbox.home / "-").exists()


def test_what_is_chosen_is_in_the_file_and_the_next_step_is_told(sandbox: CliSandbox) -> None:
    done = sandbox.run(
        "notebook", "-o", "colab.ipynb", "--engine", "gguf", "--model", "vieneu-v2-q4",
        "--voice", "a", "--voice", "b", "--domain", "my-house.ngrok.app", "--session-hours", "8",
        "--drive-cache", "--git", "ssh://git@git.example/relay@v1", "--lang", "vi",
        VIENEU_SERVER_CALLBACK_URL="https://house.example/api/webhook/x",
    )  # fmt: skip
    path = sandbox.home / "colab.ipynb"

    assert done.returncode == 0
    assert "Đã ghi notebook vào" in done.stdout
    assert "https://colab.research.google.com" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name, wanted in {
        "drive": "DRIVE_CACHE = True",
        "access": "DOMAIN = 'my-house.ngrok.app'",
        "server": "git+ssh://git@git.example/relay@v1#subdirectory=packages/vieneu-core",
        "start": "callback_url='https://house.example/api/webhook/x'",
    }.items():
        assert wanted in cell(path, name)
    for wanted in ("VOICES = 'a, b'", "MODEL = 'vieneu-v2-q4'", "SESSION_HOURS = 8.0"):
        assert wanted in cell(path, "start")


@pytest.mark.parametrize("arguments", [(), ("--carry",)])
def test_it_carries_the_packages_and_asks_no_index_for_them(
    sandbox: CliSandbox, arguments: tuple[str, ...]
) -> None:
    done = sandbox.run("notebook", "-o", "colab.ipynb", *arguments)
    server = cell(sandbox.home / "colab.ipynb", "server")

    assert done.returncode == 0
    for name in ("vieneu_core", "vieneu_colab_server"):
        assert f"'{name}-{__version__}-py3-none-any.whl'" in server
    assert "REQUIREMENTS" not in server


@pytest.mark.parametrize(
    ("language", "reported"),
    [
        ("en", "from PyPI. Use it only if the project has published"),
        ("vi", "từ PyPI. Chỉ dùng khi dự án đã phát hành"),
    ],
)
def test_pypi_is_asked_only_where_it_is_chosen_for_exactly_this_version(
    sandbox: CliSandbox, language: str, reported: str
) -> None:
    done = sandbox.run("notebook", "-o", "colab.ipynb", "--pypi", "--lang", language)
    server = cell(sandbox.home / "colab.ipynb", "server")

    assert done.returncode == 0
    assert reported in done.stderr
    assert f"'vieneu-core=={__version__}'" in server
    assert f"'vieneu-colab-server[ngrok]=={__version__}'" in server
    assert "WHEELS" not in server


def test_an_embedded_token_is_kept_so_that_connecting_needs_nothing(
    sandbox: CliSandbox, server_url: str
) -> None:
    done = sandbox.run("notebook", "-o", "colab.ipynb", "--embed-token")
    access = cell(sandbox.home / "colab.ipynb", "access")
    token = re.findall(r"token = '(\S+)' or asked\(", access)[0]

    assert done.returncode == 0
    assert "anyone who can read it can use your server" in done.stderr
    assert len(token) >= 43
    assert token in sandbox.config.read_text("utf-8")
    assert stat.S_IMODE(sandbox.config.stat().st_mode) == 0o600
    again = sandbox.run("notebook", "-o", "colab.ipynb", "--embed-token")
    assert again.returncode == 0
    assert token in cell(sandbox.home / "colab.ipynb", "access"), "the house has one token"
    refused = sandbox.run("connect", server_url)
    assert refused.returncode == 6, "the kept token was sent; it is not this server's"
    assert "docs/colab.md#authentication" in refused.stderr
    assert token not in "".join(sandbox.printed)


def test_a_token_that_works_is_embedded_and_not_replaced(sandbox: CliSandbox) -> None:
    text = 'colab:\n  auth_token: "a-working-token-1234"\n'
    sandbox.config.parent.mkdir(parents=True, exist_ok=True)
    sandbox.config.write_text(text, "utf-8")
    done = sandbox.run("notebook", "-o", "colab.ipynb", "--embed-token")

    assert done.returncode == 0
    assert sandbox.config.read_text("utf-8") == text
    assert "'a-working-token-1234'" in cell(sandbox.home / "colab.ipynb", "access")


def test_a_voice_that_was_added_is_carried(sandbox: CliSandbox) -> None:
    (sandbox.home / "a.wav").write_bytes(wav_file())
    text = "Chào con, hôm nay con có khoẻ không?"
    added = sandbox.run("voices", "add", "Lan", "--audio", "a.wav", "--text", text)
    done = sandbox.run("notebook", "-o", "colab.ipynb", "--sample", "lan")
    voices = cell(sandbox.home / "colab.ipynb", "voices")

    assert (added.returncode, done.returncode) == (0, 0)
    assert repr(text) in voices
    assert "'ZkxhQ" in voices, "FLAC in base64"
    refused = sandbox.run("notebook", "-o", "other.ipynb", "--sample", "nobody")
    assert refused.returncode != 0
    assert "nobody" in refused.stderr
    assert not (sandbox.home / "other.ipynb").exists()


def test_a_token_that_no_server_takes_is_named_and_not_replaced(sandbox: CliSandbox) -> None:
    text = 'colab:\n  auth_token: "too-few-chars"\n'
    sandbox.config.parent.mkdir(parents=True, exist_ok=True)
    sandbox.config.write_text(text, "utf-8")
    done = sandbox.run("notebook", "-o", "colab.ipynb", "--embed-token", "--lang", "en")

    assert done.returncode == 3
    assert "colab.auth_token" in done.stderr
    assert "fewer than 16 characters" in done.stderr
    assert "too-few-chars" not in done.stderr
    assert sandbox.config.read_text("utf-8") == text
    assert not (sandbox.home / "colab.ipynb").exists()


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("--tunnel", "pigeon"), "--tunnel: "),
        (
            ("--tunnel", "cloudflared", "--domain", "a.b"),
            "--domain: only these tunnels have reserved domains: ngrok, pyngrok",
        ),
        (("--domain", "a b"), "--domain: write a host name"),
        (("--voice", "a,b"), "--voice: "),
        (("--engine", "gguf", "--model", "../x"), "--model: "),
        (("--session-hours", "30"), "--session-hours: "),
        (("--git", "https://me:secret@x/y"), "--git: a user name or password"),
        (("--git", "https://x/y@-z"), "--git: after the @"),
        (("--git", "ftp://x/y"), "--git: write a URL"),
        (("--git", "https://x/y", "--carry"), "exclude each other"),
        (("--pypi", "--git", "https://x/y"), "exclude each other"),
        (("--pypi", "--wheel", "a.whl"), "exclude each other"),
        (("--wheel", "gone.whl"), "gone.whl cannot be read"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(
    sandbox: CliSandbox, arguments: tuple[str, ...], reported: str
) -> None:
    done = sandbox.run("notebook", "-o", "colab.ipynb", *arguments)

    assert done.returncode == 3
    assert reported in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr
    assert not (sandbox.home / "colab.ipynb").exists()


def test_a_wrong_callback_is_named_by_its_variable(sandbox: CliSandbox) -> None:
    done = sandbox.run("notebook", "-o", "a.ipynb", VIENEU_SERVER_CALLBACK_URL="house/secret-hook")

    assert done.returncode == 3
    assert "VIENEU_SERVER_CALLBACK_URL" in done.stderr
    assert "secret-hook" not in done.stderr


def test_a_wrong_option_is_told_in_vietnamese_throughout(sandbox: CliSandbox) -> None:
    options = ("--session-hours", "30", "--lang", "vi")
    done = sandbox.run("notebook", "-o", "colab.ipynb", *options)

    assert done.returncode == 3
    assert "--session-hours: không được vượt quá 24." in done.stderr
