"""Texts of ``vieneu say`` that are no plain words in UTF-8: signs, markup, old encodings."""

from __future__ import annotations

import subprocess

import pytest
import soundfile
from cli_sandbox import VIENEU, CliSandbox
from old_encodings import OLD


@pytest.mark.usefixtures("in_process", "one_voice")
@pytest.mark.parametrize("text", ["👍", "<br/>", "***"])
def test_signs_alone_are_a_note_and_no_error(sandbox: CliSandbox, text: str) -> None:
    done = sandbox.run("say", text, "-o", "out.wav")
    assert done.returncode == 0
    assert done.stderr == ("vieneu: There was nothing to say: the text has only signs or markup.\n")
    samples, rate = soundfile.read(sandbox.home / "out.wav")
    assert len(samples) / rate == pytest.approx(0.3)
    assert not samples.any()
    piped = sandbox.run("say", "-", "-o", "piped.wav", text=text)
    assert (piped.returncode, piped.stderr) == (0, done.stderr)


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_an_error(sandbox: CliSandbox, text: str) -> None:
    assert sandbox.run("say", text, "-o", "a.wav").returncode == 4
    assert sandbox.run("say", "-", "-o", "a.wav", text=text).returncode == 4


@pytest.mark.usefixtures("one_voice")
@pytest.mark.parametrize("locale", ["POSIX", "C.UTF-8"])
def test_an_argument_is_read_alike_in_every_locale(sandbox: CliSandbox, locale: str) -> None:
    text = "Cửa trước đang mở"
    for name, data in {"utf8": text.encode(), "CP1258": OLD["CP1258"](text)}.items():
        for variables in ({}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
            done = subprocess.run(
                [*VIENEU, "say", data, "-o", f"{name}.wav"],
                env=sandbox.environment({"LC_ALL": locale, **variables}),
                cwd=sandbox.home,
                capture_output=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, b"")
            spoken = (sandbox.home / f"{name}.wav").read_bytes()
            assert spoken == (sandbox.home / "utf8.wav").read_bytes()


@pytest.mark.usefixtures("in_process", "one_voice")
@pytest.mark.parametrize("name", list(OLD))
def test_a_pipe_in_an_old_encoding_is_spoken_as_its_text(sandbox: CliSandbox, name: str) -> None:
    text = "Cửa trước đang mở, xin hãy kiểm tra lại.\nĐèn bếp đã tắt.\n"
    for file, data in (("old", OLD[name](text)), ("new", text.encode())):
        done = sandbox.run("say", "-", "-o", f"{file}.wav", text=data)
        assert (done.returncode, done.stderr) == (0, "")
    old, new = ((sandbox.home / f"{file}.wav").read_bytes() for file in ("old", "new"))
    assert old == new


def test_bytes_that_are_no_text_are_refused_with_their_place(sandbox: CliSandbox) -> None:
    piped = sandbox.run("say", "-", "-o", "a.wav", text="Xin chào.\nCửa".encode() + b"\xff")
    assert piped.returncode == 4
    assert "Standard input is not UTF-8: byte 6 of line 2." in piped.stderr
    typed = subprocess.run(
        [*VIENEU, "say", b"caf\xe9", "-o", "a.wav"],
        env=sandbox.environment({}),
        cwd=sandbox.home,
        capture_output=True,
        check=False,
    )
    assert typed.returncode == 4
    assert b"The text is not UTF-8: byte 4 of line 1." in typed.stderr
    assert not (sandbox.home / "a.wav").exists()
