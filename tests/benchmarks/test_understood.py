"""The benchmark of how well voices are understood; the recogniser itself only where it is."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
import wave
from pathlib import Path

import numpy as np
import pytest
import understood
from distortions import Samples
from error_rates import Edits, edits, plain
from guard import GUARD_S
from recogniser import HEARD_HZ, Recogniser, resampled
from understood import (
    CONDITIONS,
    Result,
    Sentence,
    VoiceUnderTest,
    natural,
    sentences,
    table,
)

from vieneu_core.errors import VieneuError
from vieneu_core.worker.spec import EngineSpec

ESPEAK = VoiceUnderTest(EngineSpec("espeak"), "vi-south")


class Scripted(Recogniser):
    """Returns texts in turn; stores what it was given."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.given: list[Samples] = []

    def transcribe(self, samples: Samples) -> str:
        self.given.append(samples)
        return self._texts[(len(self.given) - 1) % len(self._texts)]


def test_the_sentences_are_many_and_each_half_has_its_own() -> None:
    known = sentences()
    halves = {half: [one for one in known if one.half == half] for half in understood.HALVES}
    written = {one.written for one in known}

    assert len(known) == sum(map(len, halves.values())) == len(written) >= 60
    assert min(map(len, halves.values())) >= 30
    assert sum(any(map(str.isdigit, one.written)) for one in known) >= 20


@pytest.mark.parametrize("sentence", sentences(), ids=lambda one: one.written)
def test_a_sentence_is_scored_against_words(sentence: Sentence) -> None:
    for reading in sentence.spoken:
        assert unicodedata.is_normalized("NFC", sentence.written + reading)
        assert all(c.isalpha() or c in " ,.?!" for c in reading)
    if not any(c.isdigit() or c in "%°" for c in sentence.written):
        assert plain(sentence.written) in map(plain, sentence.spoken)


def test_a_result_counts_what_the_table_shows() -> None:
    result = Result("espeak vi-north, spoken")
    result.add(np.array([0, 16_384, -8] * 5_000, "<i2"), 15_000, Edits(1, 10, 1, 4))
    result.add(np.array([32_767, -32_768, -32_767] * 5_000, "<i2"), 15_000, Edits(3, 10, 1, 4))

    lines = table([result]).splitlines()

    assert [cell.strip() for cell in lines[-1].strip("|").split("|")] == [
        "espeak vi-north, spoken",
        "2",
        "0.20 (0.10 to 0.30)",
        "0.25 (0.25 to 0.25)",
        "1.0 s",
        "0.0 dB",
        "15000",
    ]
    assert {line.count("|") for line in lines} == {8}


async def test_a_voice_is_recognised_at_16_khz_and_scored_against_the_words() -> None:
    said = Sentence("tune", "Cửa mở 2 phút.", ("Cửa mở hai phút.",))
    recogniser = Scripted("cửa mở hai phút", "cửa mở")

    right = await understood.understood(recogniser, ESPEAK, [said], "written", heard=False)
    half = await understood.understood(recogniser, ESPEAK, [said], "spoken", heard=False)

    assert right.edits == [Edits(0, 15, 0, 4)]
    assert half.edits == [Edits(9, 15, 2, 4)]
    assert right.name == "espeak vi-south, written"
    assert len(recogniser.given[0]) / HEARD_HZ == pytest.approx(right.seconds, abs=0.01)
    assert 0.5 < right.seconds < 5
    assert right.peak > 3_000


async def test_an_engine_that_does_not_load_is_an_error() -> None:
    voice = VoiceUnderTest(EngineSpec("no-such-engine"), None)

    with pytest.raises(VieneuError, match="no-such-engine"):
        await understood.understood(Scripted(""), voice, sentences()[:1], "spoken", heard=False)


def test_clips_of_a_person_are_heard_in_every_condition(tmp_path: Path) -> None:
    clip(tmp_path / "một.wav", "Một hai ba.")
    clip(tmp_path / "hai.wav", "Thế kỷ 19.")
    recogniser = Scripted("một hai bà")

    results = list(natural(recogniser, tmp_path))

    assert [result.name for result in results] == [f"a person, {name}" for name in CONDITIONS]
    assert {len(result.edits) for result in results} == {1}
    assert results[0].edits == [edits(("Một hai ba.",), "một hai bà")]
    assert results[0].seconds == pytest.approx(0.5, abs=0.01)


def clip(path: Path, text: str) -> None:
    samples = (6_000 * np.sin(np.arange(12_000) / 8)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(samples.tobytes())
    path.with_suffix(".txt").write_text(text, "utf-8")


def test_without_the_recogniser_the_program_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['vietasr'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "import understood; understood.main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(Path(understood.__file__).parent)],
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        check=False,
    )

    assert ran.returncode == 1
    assert "uv sync --group understood" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("wrong", [["--every", "0"], ["--clips", "/no/such/folder"]])
def test_a_wrong_option_is_named(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["understood.py", *wrong])

    with pytest.raises(SystemExit) as caught:
        understood.main()

    assert caught.value.code == 2
    assert wrong[0] in capsys.readouterr().err


async def test_the_recogniser_understands_the_embedded_voice_better_than_by_chance() -> None:
    pytest.importorskip("vietasr", reason="the recogniser is not installed: nox -s understood")
    recogniser = Recogniser()
    said = [one for one in sentences() if one.half == "tune"][:3]

    result = await understood.understood(recogniser, ESPEAK, said, "spoken", heard=False)
    others = [edits(said[i - 1].spoken, said[i].spoken[0]) for i in range(len(said))]

    n_edits = sum(one.characters for one in result.edits)
    assert n_edits < 0.9 * sum(one.characters for one in others)
    assert recogniser.transcribe(resampled(bytes(2 * 22_050), 22_050)) == ""
