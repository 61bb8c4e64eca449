"""Players that behave as the real ones were observed to.

Observed on Debian 12 without a sound card, a sound server or a session: pw-cat of PipeWire 0.3.65,
paplay 16.1, aplay 1.2.8, ffplay 5.1.9. Exit code and messages are theirs; so is what they take from
standard input before they fail: nothing, but for ffplay, which takes 128 KiB first.

Where it is not about the command, the loudspeaker of `vieneu say` plays samples without a voice.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from unittest import mock

import pytest
from cli_sandbox import CliSandbox

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.cli.error_messages import error_line
from vieneu_core.cli.sinks import LoudspeakerSink
from vieneu_core.errors import PlayerError

pytestmark = pytest.mark.usefixtures("one_voice")
RATE_HZ = 22_050
SPEAKER = Speaker(backend="local", engine="samples", voice="x")
SHORT, MIDDLE, LONG = (seconds * RATE_HZ * 2 for seconds in (1, 6, 45))
"""Bytes of speech: less than a pipe holds, than the players are sent again, and more."""
SENTENCES = "Xin chào. Hôm nay trời đẹp, nhiệt độ 25,5 độ. TP. Hồ Chí Minh có mưa."
PLAYS = """#!/bin/sh
echo "$0 $*" >> "$HOME/played.args"
cat > "$HOME/played.raw"
"""
ALSA_NOISE = """
ALSA lib confmisc.c:855:(parse_card) cannot find card '0'
ALSA lib conf.c:5703:(snd_config_expand) Evaluate error: No such file or directory
ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default
""".strip()


def says(lines: str, rest: str, *, before: str = "") -> str:
    return f"#!/bin/sh\n{before}\ncat >&2 <<'END'\n{lines}\nEND\n{rest}\n"


NO_PIPEWIRE = says("error: pw_context_connect() failed: Host is down", "exit 1")
OLD_PIPEWIRE = says(
    "pw-cat: unrecognized option '--raw'\npw-cat [options] [<file>|-]\n"
    "  -h, --help                            Show this help",
    "exit 1",
)
NO_PULSEAUDIO = says(
    "Connection failure: Connection refused\npa_context_connect() failed: Connection refused",
    "exit 1",
)
NO_ALSA = says(
    f"{ALSA_NOISE}\naplay: main:831: audio open error: No such file or directory", "exit 1"
)
NO_SDL = says(
    f"{ALSA_NOISE}\nNo more combinations to try, audio open failed\n"
    "Failed to open file 'pipe:' or configure filtergraph",
    "exit 0",
    before="head -c 131072 > /dev/null",
)
NO_DRIVER = says(
    "Could not initialize SDL - Audio target 'pulseaudio' not available\n"
    "(Did you set the DISPLAY variable?)",
    "exit 1",
)
NO_DEVICE_IN_PIPEWIRE = "#!/bin/sh\nexec sleep 600\n"
"""pw-cat where PipeWire runs and no session manager offers a device: it waits for ever."""
SILENT = {
    "pw-cat": NO_PIPEWIRE,
    "paplay": NO_PULSEAUDIO,
    "aplay": NO_ALSA,
    "ffplay": NO_SDL,
}


def put_all(sandbox: CliSandbox, **scripts: str) -> None:
    for name, script in {**SILENT, **scripts}.items():
        sandbox.put_program(name, script)


def samples(n_bytes: int) -> bytes:
    """Return samples of which no part is like another."""
    return b"".join(n.to_bytes(4, "big") for n in range(n_bytes // 4))


async def speech(n_bytes: int) -> AsyncIterator[AudioChunk]:
    pcm = samples(n_bytes)
    for start in range(0, len(pcm), 8820):
        yield AudioChunk(pcm[start : start + 8820], RATE_HZ, 0, SPEAKER)


def play(sandbox: CliSandbox, n_bytes: int, lang: str = "en") -> str:
    """Play samples where there are the sandbox's players; return what is told of a failure."""
    with mock.patch.dict(os.environ, sandbox.environment({})):
        try:
            asyncio.run(LoudspeakerSink()(speech(n_bytes)))
        except PlayerError as error:
            return error_line(error, lang)
    return ""


def played(sandbox: CliSandbox) -> bytes:
    return (sandbox.home / "played.raw").read_bytes()


def played_s(sandbox: CliSandbox) -> float:
    return (sandbox.home / "played.raw").stat().st_size / 2 / 22050


@pytest.mark.parametrize("player", SILENT)
def test_speech_is_streamed_to_the_player_that_is_there(sandbox: CliSandbox, player: str) -> None:
    sandbox.put_program(player, PLAYS)
    done = sandbox.run("say", SENTENCES)
    assert (done.returncode, done.stderr) == (0, "")
    assert "22050" in (sandbox.home / "played.args").read_text("utf-8")
    assert 4.5 < played_s(sandbox) < 8


@pytest.mark.parametrize("n_bytes", [MIDDLE, LONG])
@pytest.mark.parametrize("silent", [NO_SDL, NO_DRIVER, NO_ALSA, "#!/bin/sh\nexit 0\n"])
def test_a_player_without_a_sound_card_is_no_success(
    sandbox: CliSandbox, silent: str, n_bytes: int
) -> None:
    sandbox.put_program("ffplay", silent)
    assert play(sandbox, n_bytes).startswith("No player could play (ffplay: exit code ")


@pytest.mark.parametrize("n_bytes", [SHORT, LONG])
@pytest.mark.parametrize(
    ("silent", "script", "following"),
    [
        ("pw-cat", NO_PIPEWIRE, "paplay"),
        ("pw-cat", OLD_PIPEWIRE, "aplay"),
        ("paplay", NO_PULSEAUDIO, "aplay"),
        ("aplay", NO_ALSA, "ffplay"),
        ("aplay", "#!/nowhere\n", "ffplay"),
    ],
)
def test_one_that_cannot_play_leaves_all_of_it_to_the_next(
    sandbox: CliSandbox, silent: str, script: str, following: str, n_bytes: int
) -> None:
    sandbox.put_program(following, PLAYS)
    sandbox.put_program(silent, script)
    assert play(sandbox, n_bytes) == ""
    assert played(sandbox) == samples(n_bytes)


def test_all_that_fail_are_named_with_what_they_said(sandbox: CliSandbox) -> None:
    put_all(sandbox)
    done = sandbox.run("say", SENTENCES)
    assert done.returncode == 3
    assert done.stderr == (
        "vieneu: No player could play (pw-cat: exit code 1, error: pw_context_connect() failed:"
        " Host is down; paplay: exit code 1, Connection failure: Connection refused; aplay: exit"
        " code 1, main:831: audio open error: No such file or directory; ffplay: exit code 0, No"
        " more combinations to try, audio open failed). Check this machine's sound, or write a"
        " file: vieneu say -o FILE.wav TEXT\n"
    )
    assert f"vieneu: {play(sandbox, LONG)}\n" == done.stderr


def test_players_that_all_fail_are_named(sandbox: CliSandbox) -> None:
    sandbox.put_program("pw-cat", "#!/bin/sh\nexit 1\n")
    sandbox.put_program("aplay", "#!/nowhere\n")
    reported = play(sandbox, SHORT, "vi")
    assert "Không trình phát nào phát được (pw-cat: mã thoát 1; aplay: " in reported
    assert "-o TỆP.wav" in reported


@pytest.mark.parametrize(
    "warning",
    [
        "underrun!!! (at least 5.213 ms long)",
        "ALSA lib pcm.c:8568:(snd_pcm_recover) underrun occurred",
        ALSA_NOISE,
    ],
)
def test_a_warning_of_one_that_plays_is_no_failure(sandbox: CliSandbox, warning: str) -> None:
    for name in ("aplay", "ffplay"):
        sandbox.put_program(name, says(warning, f'cat > "$HOME/{name}.raw"'))
    assert play(sandbox, MIDDLE) == ""
    assert (sandbox.home / "aplay.raw").read_bytes() == samples(MIDDLE)
    assert not (sandbox.home / "ffplay.raw").exists()


@pytest.mark.parametrize(("taken", "n_bytes"), [(20_000, SHORT), (400_000, LONG)])
@pytest.mark.parametrize("code", [0, 1])
def test_nothing_is_said_twice(sandbox: CliSandbox, taken: int, n_bytes: int, code: int) -> None:
    lost = "aplay: pcm_write:2061: write error: No such device"
    sandbox.put_program(
        "aplay", f'#!/bin/sh\nhead -c {taken} > "$HOME/heard"\necho "{lost}" >&2\nexit {code}\n'
    )
    sandbox.put_program("ffplay", PLAYS)
    assert (
        f"The player stopped while it played (aplay: exit code {code}, pcm_write:2061: write error:"
        " No such device)"
    ) in play(sandbox, n_bytes)
    assert not (sandbox.home / "played.raw").exists()


def test_what_a_player_says_without_end_neither_fills_memory_nor_blocks_it(
    sandbox: CliSandbox,
) -> None:
    flood = "#!/bin/sh\nhead -c 30000000 /dev/zero >&2\n"
    sandbox.put_program("aplay", flood + 'cat > "$HOME/played.raw"\n')
    assert play(sandbox, MIDDLE) == ""
    assert played(sandbox) == samples(MIDDLE)
    sandbox.put_program("aplay", flood + "exit 1\n")
    assert 0 < len(play(sandbox, MIDDLE)) < 600


def test_one_that_waits_for_a_device_for_ever_is_given_up(sandbox: CliSandbox) -> None:
    sandbox.put_program("pw-cat", NO_DEVICE_IN_PIPEWIRE)
    sandbox.put_program("paplay", PLAYS)
    assert play(sandbox, MIDDLE) == ""
    assert played(sandbox) == samples(MIDDLE)
    sandbox.put_program("paplay", NO_PULSEAUDIO)
    reported = play(sandbox, LONG)
    assert "(pw-cat: read no samples for 10 s; paplay: exit code 1, " in reported


def test_the_next_one_speaks_a_typed_line_before_more_is_typed(sandbox: CliSandbox) -> None:
    put_all(sandbox, aplay='#!/bin/sh\nhead -c 2000 > "$HOME/begun"\ncat > /dev/null\n')
    screen = sandbox.on_terminal("say", "-")
    screen.wait_for("Type text; each line")
    screen.type("Xin chào các bạn.\n")
    screen.wait_until((sandbox.home / "begun").exists)
    screen.type("\x04")
    assert screen.finish() == 0


def test_no_player_says_how_to_write_a_file(sandbox: CliSandbox) -> None:
    done = sandbox.run("say", "Xin chào.")
    assert done.returncode == 3
    assert "vieneu say -o FILE.wav" in done.stderr
    assert done.stderr.count("\n") == 1
