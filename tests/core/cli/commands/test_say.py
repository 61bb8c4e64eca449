from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from child_process import child
from cli_sandbox import SERVER_TOKEN, VIENEU, CliSandbox, StartServer
from guard import GUARD_S

SENTENCES = "Xin chào. Hôm nay trời đẹp, nhiệt độ 25,5 độ. TP. Hồ Chí Minh có mưa."
FAKE_PLAYER = """#!/bin/sh
cat > "$HOME/played.raw"
"""


def seconds_of_speech(path: Path | io.BytesIO) -> float:
    samples, rate = soundfile.read(path)
    loud = np.abs(samples) > 0.02
    assert loud.mean() > 0.2
    return float(len(samples) / rate)


@pytest.mark.usefixtures("in_process", "one_voice")
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_text_becomes_a_file_of_the_format_that_its_suffix_names(
    sandbox: CliSandbox, suffix: str
) -> None:
    done = sandbox.run("say", SENTENCES, "-o", f"out.{suffix}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert 4.5 < seconds_of_speech(sandbox.home / f"out.{suffix}") < 10
    assert [path.name for path in sandbox.home.glob("out*")] == [f"out.{suffix}"]


@pytest.mark.usefixtures("in_process", "one_voice")
@pytest.mark.parametrize(
    "text",
    [
        "Báo cháy ở bếp.\n\n５\n\nMọi người ra ngoài ngay.",
        "Cửa trước đang mở. ٢٠٢٥. Nhớ khóa cửa.",
    ],
)
def test_digits_of_another_script_are_said_and_so_is_the_rest(
    sandbox: CliSandbox, text: str
) -> None:
    done = sandbox.run("say", text, "-o", "out.wav", "--stats")
    assert done.returncode == 0
    lengths_s = re.findall(r"^ *[123] +([\d.]+) s +local", done.stderr, re.MULTILINE)
    assert len(lengths_s) == 3
    assert all(float(length_s) > 0.3 for length_s in lengths_s)


@pytest.mark.usefixtures("one_voice")
def test_a_wav_goes_to_standard_output(sandbox: CliSandbox) -> None:
    with child(
        [*VIENEU, "say", "-o", "-", SENTENCES],
        stdout=subprocess.PIPE,
        env=sandbox.environment({}),
    ) as process:
        assert process.stdout is not None
        data = process.stdout.read()
    assert process.returncode == 0
    assert 4.5 < seconds_of_speech(io.BytesIO(data)) < 10


@pytest.mark.usefixtures("one_voice")
def test_a_wav_goes_to_a_redirected_file(sandbox: CliSandbox) -> None:
    with (sandbox.home / "x").open("wb") as file:
        subprocess.run(
            [*VIENEU, "say", "-o", "-", "Xin chào."],
            stdout=file,
            env=sandbox.environment({}),
            check=True,
            timeout=GUARD_S,
        )
    assert 0.4 < seconds_of_speech(sandbox.home / "x") < 2


@pytest.mark.usefixtures("one_voice")
def test_a_reader_that_goes_away_ends_it_quietly(sandbox: CliSandbox) -> None:
    with child(
        [*VIENEU, "say", "-o", "-", SENTENCES * 30],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=sandbox.environment({}),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1000)
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")


def test_audio_is_not_shown_on_a_terminal(sandbox: CliSandbox) -> None:
    screen = sandbox.on_terminal("say", "-o", "-", "Xin chào.")
    assert screen.finish() == 4
    assert "The terminal cannot show audio." in screen.shown


@pytest.mark.usefixtures("one_voice")
def test_piped_text_is_spoken_while_it_is_being_written(sandbox: CliSandbox) -> None:
    with child(
        [*VIENEU, "say", "-", "-o", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=sandbox.environment({}),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("Xin chào các bạn. Hôm nay ".encode())
        process.stdin.flush()
        first = process.stdout.read(2000)  # the text has not ended, and yet there is audio
        assert first.startswith(b"RIFF")
        process.stdin.write("trời đẹp.\n".encode())
        process.stdin.close()
        rest = process.stdout.read()
    assert process.returncode == 0
    assert 1.2 < seconds_of_speech(io.BytesIO(first + rest)) < 4


@pytest.mark.usefixtures("in_process", "one_voice")
def test_figures_tell_how_fast_and_who(sandbox: CliSandbox) -> None:
    done = sandbox.run("say", SENTENCES, "-o", "a.wav", "--stats", "--voice", "vi-south")
    assert done.stdout == ""
    for words in ("Time to first audio", "Real-time factor", "Audio", "Backend"):
        assert words in done.stderr
    rows = [line.split() for line in done.stderr.splitlines() if "vi-south" in line]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert all(row[3:6] == ["local", "espeak", "vi-south"] for row in rows)
    with wave.open(str(sandbox.home / "a.wav")) as file:
        length = file.getnframes() / file.getframerate()
    assert sum(float(row[1]) for row in rows) == pytest.approx(length, abs=0.05)


@pytest.mark.usefixtures("in_process")
def test_speed_and_the_voice_of_the_settings_are_heard(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "fallback:\n  enabled: false\nlocal:\n  engine: espeak\n  voice: vi-central\n", "utf-8"
    )
    slow = sandbox.run("say", SENTENCES, "-o", "slow.wav", "--speed", "0.7", "--stats")
    sandbox.run("say", SENTENCES, "-o", "fast.wav", "--speed", "1.4")
    assert "vi-central" in slow.stderr
    ratio = seconds_of_speech(sandbox.home / "slow.wav") / seconds_of_speech(
        sandbox.home / "fast.wav"
    )
    assert 1.7 < ratio < 2.3


def test_ctrl_c_ends_player_and_workers(sandbox: CliSandbox) -> None:
    sandbox.put_program("aplay", "#!/bin/sh\ntouch $HOME/started\nexec sleep 60\n")
    begun = sandbox.home / "started"
    _interrupted(sandbox, ["say", SENTENCES * 40], begun.exists, signal.SIGINT, 130)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_file_is_not_left_behind(
    sandbox: CliSandbox, number: signal.Signals, code: int
) -> None:
    def begun() -> bool:
        return any(path.suffix in {".part", ".wav"} for path in sandbox.home.iterdir())

    _interrupted(sandbox, ["say", "-", "-o", "half.wav"], begun, number, code)
    assert not begun()


def _interrupted(
    sandbox: CliSandbox,
    arguments: list[str],
    begun: Callable[[], bool],
    number: signal.Signals,
    code: int,
) -> None:
    read, write = os.pipe()
    with child(
        [*VIENEU, *arguments],
        stdin=read,
        stderr=subprocess.PIPE,
        env=sandbox.environment({}),
        cwd=sandbox.home,
        text=True,
    ) as process:
        os.close(read)
        os.write(write, "Xin chào các bạn. Hôm nay ".encode())
        give_up_at = time.monotonic() + GUARD_S
        while not begun():
            assert time.monotonic() < give_up_at
            assert process.poll() is None
            time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.stderr is not None
        errors = process.stderr.read()
    os.close(write)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert errors.count("\n") == (1 if code == 130 else 0)
    _, alive = psutil.wait_procs(children, timeout=GUARD_S)
    assert alive == []


def test_progress_is_shown_on_a_terminal_and_leaves_one_line(sandbox: CliSandbox) -> None:
    screen = sandbox.on_terminal("say", SENTENCES, "-o", "a.wav", LANG="vi_VN.UTF-8")
    assert screen.finish() == 0
    assert "Đang nạp" in screen.shown
    assert screen.shown.rstrip().endswith("giây âm thanh")
    assert "a.wav: 7," in screen.shown


@pytest.mark.usefixtures("one_voice")
def test_a_typed_sentence_is_spoken_before_the_next(sandbox: CliSandbox) -> None:
    sandbox.put_program("aplay", FAKE_PLAYER)
    screen = sandbox.on_terminal("say", "-")
    screen.wait_for("Type text; each line")
    screen.type("Xin chào các bạn.\n")
    give_up_at = time.monotonic() + GUARD_S
    raw = sandbox.home / "played.raw"
    while not (raw.exists() and raw.stat().st_size > 1000):
        assert time.monotonic() < give_up_at, screen.shown
        time.sleep(0.05)
    screen.type("\x04")
    assert screen.finish() == 0


def test_the_remote_speaks_where_the_mode_says_so(connected: CliSandbox) -> None:
    done = connected.run("say", SENTENCES, "-o", "a.wav", "--stats")
    assert done.returncode == 0
    assert done.stderr.count(" remote ") == 3
    assert "fallback" not in done.stderr
    assert 4.5 < seconds_of_speech(connected.home / "a.wav") < 10
    budget = connected.home / ".local" / "state" / "vieneu" / "budget.json"
    assert json.loads(budget.read_text("utf-8"))["requests"] >= 2
    once = connected.run("say", "Xin chào.", "-o", "b.wav", "--stats", "--mode", "local")
    assert " local " in once.stderr
    assert "fallback" not in once.stderr


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("C", "spoke all sentences instead of remote"),
        ("vi_VN.UTF-8", "đã đọc tất cả các câu thay cho remote"),
    ],
)
def test_a_fallback_tells_who_spoke_and_why_in_one_line(
    sandbox: CliSandbox, lang: str, words: str
) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "backend_mode: remote\ncolab:\n  enabled: true\n"
        "  endpoint_url: http://127.0.0.1:9\n  auth_token: x\nfallback:\n  order: [local]\n",
        "utf-8",
    )
    done = sandbox.run("say", SENTENCES, "-o", "a.wav", LANG=lang)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert f"vieneu: local/espeak/vi-north {words}" in done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert 4.5 < seconds_of_speech(sandbox.home / "a.wav") < 10


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_is_killed_or_hangs_midway_loses_no_sentence(
    sandbox: CliSandbox, start_server: StartServer, fault: signal.Signals
) -> None:
    server, url = start_server()
    assert sandbox.run("connect", url, "--token-stdin", text=SERVER_TOKEN).returncode == 0
    sandbox.put_program(
        "aplay", '#!/bin/sh\ntouch $HOME/started\nsleep 1\ncat > "$HOME/played.raw"\n'
    )

    def strike_once_heard() -> None:
        give_up_at = time.monotonic() + GUARD_S
        while not (sandbox.home / "started").exists() and time.monotonic() < give_up_at:
            time.sleep(0.01)
        server.send_signal(fault)

    killer = threading.Thread(target=strike_once_heard)
    killer.start()
    text = " ".join(f"Đây là câu số {n}, trời hôm nay rất đẹp." for n in range(40))
    done = sandbox.run("say", text, "--mode", "remote", "--stats")
    killer.join()
    server.kill()
    assert done.returncode == 0
    rows = [line.split() for line in done.stderr.splitlines() if " espeak " in line]
    assert [int(row[0]) for row in rows] == list(range(1, 41))
    assert (sandbox.home / "played.raw").stat().st_size / 2 / 22050 > 40 * 1.5
