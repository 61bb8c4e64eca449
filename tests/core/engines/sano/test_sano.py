"""The engine on a synthetic voice, which the real sanotts loads and speaks with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sano_voice import HOP, RATE_HZ, write_sano_voice

from vieneu_core.audio.loudness import SPEECH_LEVEL_DB, levelled, speech_level
from vieneu_core.engines.base import EngineInfo, LoadProgress, Utterance
from vieneu_core.engines.sano import SanoEngine, create
from vieneu_core.engines.sano.cutting import cut
from vieneu_core.engines.sano.voice import load_voice
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

TEXT = "cửa trước đang mở, xin hãy kiểm tra lại."
LONG = " ".join(["một hai ba bốn năm sáu bảy tám chín mười,"] * 12)


def never() -> bool:
    return False


def loaded(folder: Path, **options: object) -> tuple[SanoEngine, EngineInfo]:
    engine = create({"voice": str(folder), "english": None, **options})
    return engine, engine.load(lambda _: None)


def speak(engine: SanoEngine, text: str = TEXT, speed: float = 1.0) -> NDArray[np.int16]:
    voice = Voice(id="sano-vi", name="", language="vi")
    utterance = Utterance(text=text, voice=voice, speed=speed)
    return np.frombuffer(b"".join(engine.synthesize(utterance, never)), "<i2")


def test_it_says_what_it_is(folder: Path) -> None:
    engine, info = loaded(folder)
    checksum = load_voice(folder).model

    assert (info.engine, info.model) == ("sano", checksum)
    assert checksum.startswith("vi-test (")
    assert info.sample_rate_hz == RATE_HZ
    assert [(voice.id, voice.language) for voice in info.voices] == [("sano-vi", "vi")]
    assert info.changes_speed
    assert engine.memory().gpu_used_gb is None


def test_a_sentence_is_heard_at_the_common_level(folder: Path) -> None:
    engine, _ = loaded(folder)

    samples = speak(engine).astype(np.float32) / np.float32(32_768)

    assert len(samples) % HOP == 0
    assert len(samples) > RATE_HZ / 4
    assert np.abs(samples).max() < 0.96
    level_db = 20 * np.log10(speech_level(samples, RATE_HZ))
    assert SPEECH_LEVEL_DB - 6 < level_db < SPEECH_LEVEL_DB + 0.2
    assert np.array_equal(speak(engine), speak(engine))


@pytest.mark.parametrize("gain", [0.02, 0.3, 3.0])
def test_speech_gets_the_same_level_whatever_it_had(gain: float) -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tone = (np.sin(time_s * 900) * (time_s > 0.4) * 0.3 * gain).clip(-1, 1).astype(np.float32)

    level_db = 20 * np.log10(speech_level(levelled(tone, RATE_HZ), RATE_HZ))

    assert level_db == pytest.approx(SPEECH_LEVEL_DB, abs=0.1 if gain > 0.05 else 16)
    assert not levelled(np.zeros(100, np.float32), RATE_HZ).any()


def test_speed_and_length_scale_change_the_length(folder: Path) -> None:
    engine, _ = loaded(folder, length_scale=1.0)
    usual = len(speak(engine))

    assert len(speak(engine, speed=2.0)) < usual < len(speak(engine, speed=0.5))
    assert len(speak(loaded(folder, length_scale=2.0)[0])) == len(speak(engine, speed=0.5))


def test_a_long_sentence_is_spoken_whole_in_pieces(folder: Path) -> None:
    engine, info = loaded(folder)
    utterance = Utterance(text=LONG, voice=info.voices[0])
    stop_after = iter([False, False, True])

    pieces = list(engine.synthesize(utterance, never))
    stopped = list(engine.synthesize(utterance, lambda: next(stop_after)))

    assert len(pieces) > 5
    assert stopped == pieces[: len(stopped)] != pieces
    alone = sum(len(speak(engine, part)) for part in cut(LONG, lambda text: len(text) < 40))
    assert sum(map(len, pieces)) / 2 > alone * 0.7


@pytest.mark.parametrize("text", ["", " , ", "…"])
def test_a_sentence_without_words_is_an_error(folder: Path, text: str) -> None:
    engine, _ = loaded(folder)

    with pytest.raises(EmptyTextError):
        speak(engine, text)


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("thuở nọ", "thu ở nọ"), ("cái xoong", "cái xo ong"), ("rơ moóc", "rơ mo óc")],
)
def test_a_rime_that_the_package_does_not_know_is_spoken_as_the_nearest(
    folder: Path, written: str, nearest: str
) -> None:
    engine, _ = loaded(folder)

    assert np.array_equal(speak(engine, written), speak(engine, nearest))


@pytest.mark.parametrize("text", ["привет", "xin chào 你好"])
def test_letters_without_a_sound_are_an_error_that_does_not_name_them(
    folder: Path, text: str
) -> None:
    engine, _ = loaded(folder)

    with pytest.raises(SynthesisFailedError, match="letters have no Vietnamese reading") as caught:
        speak(engine, text)

    assert text.rsplit(maxsplit=1)[-1] not in str(caught.value)


def test_what_it_cannot_do_is_refused(folder: Path) -> None:
    engine, info = loaded(folder)
    clip = ReferenceAudio(pcm=bytes(200), sample_rate_hz=24_000, transcript="a")

    with pytest.raises(CloningUnsupportedError):
        list(engine.synthesize(Utterance(text=TEXT, voice=None, reference=clip), never))
    with pytest.raises(WatermarkUnavailableError):
        list(engine.synthesize(Utterance(text=TEXT, voice=info.voices[0], watermark=True), never))
    other = Voice(id="ba", name="Ba", language="vi")
    with pytest.raises(VoiceNotFoundError, match="sano-vi"):
        list(engine.synthesize(Utterance(text=TEXT, voice=other), never))


def test_an_english_voice_speaks_english(folder: Path, tmp_path: Path) -> None:
    english = write_sano_voice(tmp_path / "en-test", language="en-us", seed=3)

    engine, info = loaded(folder, english=str(english))

    assert [voice.id for voice in info.voices] == ["sano-vi", "sano-en"]
    utterance = Utterance(text="The front door is open.", voice=info.voices[1])
    assert len(b"".join(engine.synthesize(utterance, never))) > RATE_HZ / 4


def test_an_english_voice_that_is_damaged_or_of_another_rate_is_left_out(
    folder: Path, tmp_path: Path
) -> None:
    english = write_sano_voice(tmp_path / "en-test", language="en-us", rate_hz=16_000)

    assert len(loaded(folder, english=str(english))[1].voices) == 1
    (english / "weights.fp16.bin").write_bytes(b"")
    steps: list[LoadProgress] = []
    engine = create({"voice": str(folder), "english": str(english)})
    assert len(engine.load(steps.append).voices) == 1
    assert any("en-test" in now.step for now in steps)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"length_scale": 0}, "length_scale"),
        ({"voice": ""}, "voice"),
        ({"pitch": 1}, "pitch"),
        ({"voice": "sano-xx"}, "sano-vi"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        create({"offline": True, **options}).load(lambda _: None)

    assert words in f"{caught.value} {caught.value.remedy}"


def test_a_voice_that_is_not_here_names_the_command(tmp_path: Path) -> None:
    engine = create({"offline": True, "cache": str(tmp_path)})

    with pytest.raises(ModelLoadError, match="sano-vi is not on this machine") as caught:
        engine.load(lambda _: None)

    assert "vieneu models get sano-vi" in caught.value.remedy


def test_a_missing_package_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sanotts", None)

    with pytest.raises(MissingExtraError, match="the extra sano"):
        loaded(folder)


@pytest.mark.skipif(
    "VIENEU_SANO_VOICE" not in os.environ,
    reason="VIENEU_SANO_VOICE names no folder with the real voice",
)
def test_the_real_voice_speaks() -> None:
    engine, info = loaded(Path(os.environ["VIENEU_SANO_VOICE"]))

    samples = speak(engine)

    assert 1.5 < len(samples) / info.sample_rate_hz < 6
    assert np.abs(samples).max() > 8_000
