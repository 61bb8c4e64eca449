"""Announcements prepared by command, replayed by `say`, and the cache described and emptied."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from child_process import WITHOUT_ROOTS_RIGHTS, without_coverage
from cli_sandbox import SERVER_TOKEN, WITHOUT_MODELS, CliSandbox
from guard import GUARD_S

pytestmark = pytest.mark.usefixtures("in_process")
ON = "cache:\n  enabled: true\n"
ALONE = "local:\n  engine: espeak\nfallback:\n  enabled: false\n"
"""One worker instead of two."""
LINES = "# của nhà\nXin chào.\n\n  Cửa trước đang mở. Hãy kiểm tra!  \r\nXin   chào.\n"
AWAY = (
    "backend_mode: remote\ncolab:\n  enabled: true\n"
    f"  endpoint_url: http://127.0.0.1:9\n  auth_token: {SERVER_TOKEN}\n{ON}"
)


def configure(sandbox: CliSandbox, text: str = ON + ALONE) -> None:
    sandbox.config.parent.mkdir(parents=True, exist_ok=True)
    sandbox.config.write_text(text, "utf-8")
    sandbox.config.chmod(0o600)


@pytest.fixture
def on(sandbox: CliSandbox) -> CliSandbox:
    """A sandbox with the cache enabled."""
    configure(sandbox)
    return sandbox


def folder(sandbox: CliSandbox) -> Path:
    return sandbox.home / ".cache/vieneu/speech"


def described(sandbox: CliSandbox) -> dict[str, object]:
    values: dict[str, object] = json.loads(sandbox.run("cache", "--json").stdout)
    return values


def samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return bytes(file.readframes(file.getnframes()))


def test_announcements_are_prepared_once_and_replayed(on: CliSandbox) -> None:
    on.in_process = False
    (on.home / "list.txt").write_text(LINES, "utf-8")

    first = on.run("warm", "list.txt")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == "Prepared: 2. Already in the cache: 1. Failed: 0.\n"
    again = on.run("warm", "list.txt", "--lang", "vi")
    assert again.stdout == "Đã chuẩn bị: 0. Có sẵn trong bộ nhớ đệm: 3. Không được: 0.\n"

    said = on.run("say", "Cửa trước đang mở. Hãy kiểm tra!", "-o", "a.wav", "--stats")
    rows = [line for line in said.stderr.splitlines() if "espeak" in line]
    assert [row.endswith("from the cache") for row in map(str.rstrip, rows)] == [True, True]
    on.run("say", "Cửa trước đang mở. Hãy kiểm tra!", "-o", "b.wav")
    assert samples(on.home / "a.wav") == samples(on.home / "b.wav"), "eSpeak varies, a replay not"
    assert len(samples(on.home / "a.wav")) > 50_000
    assert described(on) == {
        "enabled": True,
        "folder": str(folder(on)),
        "max_bytes": 200_000_000,
        "entries": 3,
        "hits": 4,
        "misses": 0,
        "bytes": described(on)["bytes"],
    }


def test_say_fills_the_cache_where_it_is_enabled(on: CliSandbox) -> None:
    for _ in range(2):
        said = on.run("say", "Xin chào.", "-o", "a.wav", "--stats", "--lang", "vi")
        assert said.returncode == 0
    assert "từ bộ nhớ đệm" in said.stderr
    assert folder(on).stat().st_mode & 0o777 == 0o700

    on.run("say", "Xin chào.", "-o", "a.wav", "--speed", "1.5")
    assert described(on)["entries"] == 2


@pytest.mark.usefixtures("one_voice")
def test_nothing_is_stored_where_it_is_not_enabled(sandbox: CliSandbox) -> None:
    sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert not folder(sandbox).exists()

    done = sandbox.run("warm", "-", text=LINES)
    assert done.returncode == 3
    assert done.stderr == (
        "vieneu: The speech cache is off. Set cache.enabled: true in the settings.\n"
    )
    assert described(sandbox)["enabled"] is False
    assert sandbox.run("cache", "clear").returncode == 0
    assert not folder(sandbox).exists()


def test_voice_and_speed_are_those_of_the_options(on: CliSandbox) -> None:
    options = ["--voice", "vi-south", "--speed", "1.25"]
    assert on.run("warm", "-", *options, text="Xin chào.").returncode == 0

    said = on.run("say", "Xin chào.", "-o", "a.wav", "--stats", *options)
    assert "from the cache" in said.stderr
    other = on.run("say", "Xin chào.", "-o", "a.wav", "--stats")
    assert "from the cache" not in other.stderr


def test_a_line_of_signs_alone_is_noted_and_the_others_are_prepared(on: CliSandbox) -> None:
    done = on.run("warm", "-", text="Xin chào.\n👍\n…\nChào bạn.\n")

    assert done.returncode == 0
    assert done.stdout == "Prepared: 2. Already in the cache: 0. Failed: 0.\n"
    assert [line.partition(" The text")[0] for line in done.stderr.splitlines()] == [
        "vieneu: Line 2:",
        "vieneu: Line 3:",
    ]


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (["nothing.txt"], b"", "nothing.txt cannot be read: No such file or directory."),
        (["."], b"", ". cannot be read: Is a directory."),
        (["-"], b"", "- holds no announcement."),
        (["-"], b"# nothing\n\n", "- holds no announcement."),
        (["-"], "Xin chào.\nCửa".encode() + b"\xff", "- is not UTF-8: byte 6 of line 2."),
        (["-"], b"\xef\xbb\xbfa\nb\xc3", "- is not UTF-8: byte 2 of line 2."),
        (["-"], "Xin chào.".encode("utf-16-le"), "- is not UTF-8: byte 2 of line 1."),
        (["-"], "Xin chào.".encode("utf-16")[:-1], "- is not UTF-16-LE: byte 19 of line 1."),
        (["-"], b"a" * (1 << 20) + b"a", "- is larger than 1024 KiB."),
        (["-", "--voice", "ba"], b"a\nb\n", "no voice 'ba'."),
        (["-", "--language", "fr"], b"a\nb\n", "The language 'fr' is not one of"),
    ],
)
def test_what_cannot_be_prepared_is_named(
    on: CliSandbox, arguments: list[str], text: bytes, message: str
) -> None:
    done = on.run("warm", *arguments, text=text)

    assert done.returncode == 4
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_mark_of_utf_8_is_no_part_of_the_first_line(on: CliSandbox) -> None:
    assert on.run("warm", "-", text=b"\xef\xbb\xbf# Xin\n\nChao.").returncode == 0
    assert described(on)["entries"] == 1


def test_no_fallback_prepares_anything(sandbox: CliSandbox) -> None:
    configure(sandbox, AWAY)

    done = sandbox.run("warm", "-", text=LINES)

    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert described(sandbox)["entries"] == 0
    said = sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert (said.returncode, described(sandbox)["entries"]) == (0, 0)


def test_what_the_server_spoke_is_replayed_when_it_is_away(
    connected: CliSandbox, server_url: str
) -> None:
    text = connected.config.read_text("utf-8") + ON
    configure(connected, text)
    assert connected.run("warm", "-", text=LINES).returncode == 0
    configure(connected, text.replace(server_url, "http://127.0.0.1:9"))

    said = connected.run("say", "Xin chào.", "-o", "a.wav", "--stats")

    assert said.returncode == 0
    assert "instead of" not in said.stderr
    row = next(line.split() for line in said.stderr.splitlines() if "espeak" in line)
    assert row[3] == "remote"
    assert row[-3:] == ["from", "the", "cache"]
    other = connected.run("say", "Chào bạn.", "-o", "a.wav")
    assert "instead of remote" in other.stderr


def test_progress_is_shown_on_a_terminal(on: CliSandbox) -> None:
    (on.home / "list.txt").write_text(LINES, "utf-8")
    screen = on.on_terminal("warm", "list.txt")

    assert screen.finish() == 0
    assert "Preparing announcements" in screen.shown
    assert "Prepared: 2." in screen.shown


def test_the_cache_is_described_and_emptied(on: CliSandbox) -> None:
    on.run("warm", "-", text=LINES)
    shown = on.run("cache", COLUMNS="200").stdout
    assert str(folder(on)) in shown
    assert [line.split()[-1] for line in shown.splitlines() if "Sentences" in line] == ["3"]

    done = on.run("cache", "clear", "--lang", "vi")
    assert done.stdout == "Bộ nhớ đệm giọng đọc đã trống.\n"
    assert described(on)["entries"] == 0
    database = sqlite3.connect(folder(on) / "cache.db")
    assert database.execute("SELECT count(*) FROM Cache").fetchone() == (0,)
    database.close()
    assert b"fLaC" not in (folder(on) / "cache.db").read_bytes()
    assert "last-known.json" not in [path.name for path in folder(on).iterdir()]


def test_a_folder_that_is_open_to_others_is_named_and_speech_goes_on(sandbox: CliSandbox) -> None:
    (sandbox.home / "open").mkdir(mode=0o755)
    (sandbox.home / "open").chmod(0o755)
    configure(sandbox, f"{ON}  folder: ~/open\n{ALONE}")

    said = sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert said.returncode == 0
    assert said.stderr == (
        f"vieneu: The folder {sandbox.home}/open of the speech cache is open to others."
        f" Make it private: chmod 700 {sandbox.home}/open\n"
    )
    warmed = sandbox.run("warm", "-", text=LINES)
    assert warmed.returncode == 3
    assert "chmod 700" in warmed.stderr
    (sandbox.home / "open").chmod(0o700)
    assert sandbox.run("warm", "-", text=LINES).returncode == 0


def test_a_folder_that_cannot_be_written_stops_no_speech(tmp_path: Path) -> None:
    sandbox = CliSandbox(tmp_path / "home", command=WITHOUT_MODELS)
    sandbox.home.mkdir()
    configure(sandbox)
    folder(sandbox).mkdir(parents=True, mode=0o700)
    folder(sandbox).chmod(0o500)
    command = [sys.executable, "-c", WITHOUT_ROOTS_RIGHTS, *sandbox.command]

    done = subprocess.run(
        [*command, "say", "Xin chào.", "-o", str(tmp_path / "a.wav")],
        env=without_coverage(sandbox.environment({})),
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert done.returncode == 0
    assert len(samples(tmp_path / "a.wav")) > 10_000
    assert done.stderr.count("\n") == 1
    assert "Permission denied" in done.stderr or "Read-only" in done.stderr


def test_without_the_library_the_extra_is_named(on: CliSandbox) -> None:
    without = "import sys; sys.modules['diskcache'] = None; "
    on.command, on.in_process = [*WITHOUT_MODELS[:2], without + WITHOUT_MODELS[2]], False

    for arguments in (["say", "Xin chào.", "-o", "a.wav"], ["warm", "-"], ["cache"]):
        done = on.run(*arguments, text=LINES)
        assert done.returncode == 3
        assert "the extra cache of vieneu-core" in done.stderr
        assert done.stderr.count("\n") == 1
    configure(on, ALONE)
    assert on.run("say", "Xin chào.", "-o", "a.wav").returncode == 0
