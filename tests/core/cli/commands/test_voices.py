"""Voices by command, their models and their watermark."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from checkpoint.folder import ModelFolder, make_folder
from cli_sandbox import CliSandbox
from hub_site import hub_site
from voice_clips import wav_file

ALONE = "fallback:\n  enabled: false\nlocal:\n"
"""One worker instead of two."""
TRANSCRIPT = "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta đi chơi nhé."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return make_folder(tmp_path_factory.mktemp("models"))


def speak_with(sandbox: CliSandbox, models: ModelFolder) -> None:
    options = "".join(f"    {name}: {json.dumps(v)}\n" for name, v in models.options().items())
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(f"{ALONE}  engine: gguf\n  options:\n{options}", "utf-8")
    sandbox.config.chmod(0o600)


@pytest.mark.usefixtures("one_voice")
def test_voices_are_listed(sandbox: CliSandbox) -> None:
    table = sandbox.run("voices").stdout
    assert table.splitlines()[1].split() == ["vi-north", "eSpeak", "miền", "Bắc", "vi"]
    voices = json.loads(sandbox.run("voices", "--json").stdout)
    assert voices[0] == {"id": "vi-north", "name": "eSpeak miền Bắc", "language": "vi"}


def test_a_voice_is_added_listed_and_removed(sandbox: CliSandbox, models: ModelFolder) -> None:
    speak_with(sandbox, models)
    (sandbox.home / "ba.wav").write_bytes(wav_file())

    added = sandbox.run("voices", "add", "Bà Ngoại", "--audio", "ba.wav", "--text", TRANSCRIPT)
    listed = json.loads(sandbox.run("voices", "--json").stdout)
    removed = sandbox.run("voices", "remove", "ba-ngoai", "--lang", "vi")

    assert (added.returncode, removed.returncode) == (0, 0), added.stderr
    assert "vieneu say --voice ba-ngoai" in added.stdout
    assert [voice["id"] for voice in listed] == ["An", "Chi", "ba-ngoai"]
    assert removed.stdout == "Đã xóa giọng ba-ngoai.\n"
    assert [v["id"] for v in json.loads(sandbox.run("voices", "--json").stdout)] == ["An", "Chi"]


@pytest.mark.usefixtures("in_process")
def test_added_voices_are_marked_in_the_list(sandbox: CliSandbox, models: ModelFolder) -> None:
    speak_with(sandbox, models)
    (sandbox.home / "ba.wav").write_bytes(wav_file())
    sandbox.run("voices", "add", "Bà Ngoại", "--audio", "ba.wav", "--text", TRANSCRIPT)

    english, vietnamese = sandbox.run("voices"), sandbox.run("voices", "--lang", "vi")

    marked = [line for line in english.stdout.splitlines() if "added" in line]
    assert [line.split()[0] for line in marked] == ["ba-ngoai"]
    assert vietnamese.stdout.count("tự thêm") == 1
    assert english.stderr == vietnamese.stderr == ""


@pytest.mark.usefixtures("in_process", "one_voice")
def test_added_voices_that_the_engine_cannot_speak_are_told(sandbox: CliSandbox) -> None:
    sandbox.run("voices", "add", "Bà Ngoại", "--audio", "-", "--text", TRANSCRIPT, text=wav_file())

    listed = sandbox.run("voices")
    spoken = sandbox.run("say", TRANSCRIPT, "--voice", "ba-ngoai", "-o", "out.wav")

    assert "ba-ngoai" not in listed.stdout
    assert "Not available on the active backend: ba-ngoai" in listed.stderr
    assert spoken.returncode == 4
    assert "ba-ngoai" in spoken.stderr
    assert not (sandbox.home / "out.wav").exists()


def test_a_clip_comes_through_a_pipe_too(sandbox: CliSandbox) -> None:
    done = sandbox.run("voices", "add", "Ba", "--audio", "-", "--text", TRANSCRIPT, text=wav_file())

    assert done.returncode == 0, done.stderr
    assert (sandbox.home / ".local/share/vieneu/voices/ba/reference.flac").is_file()


@pytest.mark.usefixtures("in_process")
def test_what_was_done_to_a_clip_is_told_in_either_language(sandbox: CliSandbox) -> None:
    order = ("voices", "add", "--audio", "-", "--text", TRANSCRIPT * 3)

    english = sandbox.run(*order, "Ba", text=wav_file(20))
    vietnamese = sandbox.run(*order, "Má", "--lang", "vi", text=wav_file(20))

    assert (english.returncode, vietnamese.returncode) == (0, 0), english.stderr
    assert "the transcript must end there too" in english.stderr
    assert "phần lời ghi lại cũng phải kết thúc ở đó" in vietnamese.stderr


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("audio", "text", "reported"),
    [
        ("absent.wav", TRANSCRIPT, "cannot be read"),
        ("short.wav", TRANSCRIPT, "at least 3 s"),
        ("ba.wav", "...", "transcript is empty"),
        ("page.wav", TRANSCRIPT, "not a WAV, FLAC, OGG or MP3"),
    ],
)
def test_what_cannot_be_a_voice_is_told_in_one_line(
    sandbox: CliSandbox, audio: str, text: str, reported: str
) -> None:
    (sandbox.home / "ba.wav").write_bytes(wav_file())
    (sandbox.home / "short.wav").write_bytes(wav_file(2))
    (sandbox.home / "page.wav").write_bytes(b"<html>")

    done = sandbox.run("voices", "add", "Ba", "--audio", audio, "--text", text)

    assert done.returncode == 4
    assert reported in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (sandbox.home / ".local").exists()


def test_the_gguf_engine_speaks_from_the_command_line(
    sandbox: CliSandbox, models: ModelFolder
) -> None:
    from checkpoint.folder import expected_codes, heard_codes

    speak_with(sandbox, models)

    done = sandbox.run("say", TRANSCRIPT, "--voice", "Chi", "-o", "out.wav", "--stats")

    assert done.returncode == 0, done.stderr
    pitches, voices = heard_codes((sandbox.home / "out.wav").read_bytes()[44:])
    assert set(voices) == {1}
    assert pitches == expected_codes("Chi", len(pitches))[0]


@pytest.mark.usefixtures("one_voice")
def test_a_watermark_is_asked_for_by_an_option(sandbox: CliSandbox) -> None:
    done = sandbox.run("say", TRANSCRIPT, "--watermark", "-o", "out.wav", "--stats")

    assert done.returncode == 0, done.stderr
    assert "watermark" not in done.stderr, "it was made, so nothing is to be told"


@pytest.mark.usefixtures("one_voice")
def test_without_the_package_it_is_refused_unless_it_is_only_preferred(
    sandbox: CliSandbox, tmp_path: Path
) -> None:
    (tmp_path / "perth.py").write_text("PerthImplicitWatermarker = None\n")
    sandbox.environ["PYTHONPATH"] = str(tmp_path)
    order = ("say", TRANSCRIPT, "--watermark", "-o", "out.wav")

    refused = sandbox.run(*order)
    assert refused.returncode == 4
    assert not (sandbox.home / "out.wav").exists()

    sandbox.config.write_text(f"{ALONE}  engine: espeak\n  watermark: preferred\n", "utf-8")
    spoken, vietnamese = sandbox.run(*order), sandbox.run(*order, "--lang", "vi")

    assert (spoken.returncode, vietnamese.returncode) == (0, 0), spoken.stderr
    assert "has no watermark" in spoken.stderr
    assert "không có dấu chìm" in vietnamese.stderr
    assert (sandbox.home / "out.wav").stat().st_size > 44


@pytest.mark.parametrize(
    ("lang", "reported"),
    [
        ("C.UTF-8", r"Downloading the model: [1-5] of 6 MB"),
        ("vi_VN.UTF-8", r"Đang tải mô hình: [1-5] / 6 MB"),
    ],
)
def test_say_shows_how_far_the_download_has_come(
    sandbox: CliSandbox, models: ModelFolder, lang: str, reported: str
) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "local:\n  engine: gguf\n  options:\n    model: maker/model:tiny.gguf\n"
        f"    codec: {models.codec}\n    temperature: 0\n    threads: 1\n"
        "fallback:\n  enabled: false\n",  # else it speaks after 10 s, on a machine that is slow
        "utf-8",
    )
    sandbox.config.chmod(0o600)
    with hub_site() as site:
        site.files["maker/model"] = {
            "tiny.gguf": models.model.read_bytes(),
            "voices.json": (models.path / "voices.json").read_bytes(),
        }
        site.pause_s = 0.1
        screen = sandbox.on_terminal(
            "say", TRANSCRIPT, "-o", "a.wav", HF_ENDPOINT=site.url, LANG=lang
        )
        assert screen.finish() == 0

    assert re.search(reported, screen.shown)
    last = screen.shown.splitlines()[-1]
    assert last.startswith("a.wav")
