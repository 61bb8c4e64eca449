"""Clips are what a voice can be cloned from, or it is said why not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.voices.encoder import ENCODER_RATE_HZ
from vieneu_core.voices.reference import TARGET_DBFS, CheckedReference, read_reference

TRANSCRIPT = "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta cùng đi chơi công viên nhé."
Samples = NDArray[np.float32]


def speech(seconds: float, *, rate_hz: int = 24_000, dbfs: float = -23.0) -> Samples:
    """A sound with syllables: five bursts of a vowel a second."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    vowel = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12))
    envelope = np.maximum(np.sin(2 * np.pi * 2.5 * t), 0.001) ** 0.5
    wave = vowel * envelope
    loud = np.sqrt(np.mean(wave**2))
    made: Samples = (wave / loud * 10 ** (dbfs / 20)).astype(np.float32)
    return made


def silence(seconds: float, rate_hz: int = 24_000) -> Samples:
    return np.zeros(round(seconds * rate_hz), np.float32)


def encoded(samples: Samples, fmt: AudioFormat = AudioFormat.WAV, rate_hz: int = 24_000) -> bytes:
    encoder = Encoder(fmt, rate_hz)
    return encoder.encode(pcm_of_floats(samples)) + encoder.finish()


def read(samples: Samples, transcript: str = TRANSCRIPT) -> CheckedReference:
    return read_reference(encoded(samples), transcript)


def level_dbfs(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2") / 32_768
    return 10 * float(np.log10(np.mean(samples**2)))


@pytest.mark.parametrize("fmt", [fmt for fmt in AudioFormat if fmt is not AudioFormat.AAC])
@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_every_format_becomes_mono_at_16_khz(fmt: AudioFormat, rate_hz: int) -> None:
    data = encoded(speech(6, rate_hz=rate_hz), fmt, rate_hz)

    checked = read_reference(data, TRANSCRIPT)

    assert checked.reference.sample_rate_hz == ENCODER_RATE_HZ
    assert checked.reference.seconds == pytest.approx(6, abs=0.2)
    assert checked.reference.transcript == TRANSCRIPT
    assert (checked.cut_from_s, checked.gain_db) == (None, 0.0)


def test_silence_around_the_speech_is_taken_off() -> None:
    checked = read(np.concatenate([silence(2), speech(5), silence(3)]))

    assert checked.reference.seconds == pytest.approx(5.2, abs=0.2)


def test_a_long_clip_is_cut_where_it_is_quiet_and_says_so() -> None:
    long = np.concatenate([speech(13.5), silence(0.5), speech(20)])

    checked = read(long, TRANSCRIPT * 3)

    assert 13.4 < checked.reference.seconds < 14.1
    assert checked.cut_from_s == pytest.approx(34, abs=0.2)


@pytest.mark.parametrize("dbfs", [-40.0, -8.0])
def test_loudness_is_brought_to_what_models_expect_and_says_so(dbfs: float) -> None:
    checked = read(np.clip(speech(5, dbfs=dbfs), -0.99, 0.99))

    assert checked.gain_db == pytest.approx(TARGET_DBFS - dbfs, abs=2)
    assert level_dbfs(checked.reference.pcm) == pytest.approx(TARGET_DBFS, abs=1)


def noise(seconds: float) -> Samples:
    made = np.random.default_rng(0).normal(0, 0.1, round(seconds * 24_000))
    return made.astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "reported"),
    [
        (speech(2), r"2\.00 s; at least 3"),
        (np.concatenate([silence(3), speech(1.5), silence(3)]), r"only 1\.\d s of speech"),
        (speech(5, dbfs=-55), "too quiet"),
        (np.clip(speech(5) * 30, -1, 1), "overdriven"),
        (speech(5) * 0.5 + np.float32(0.2), "offset"),
        (noise(5), "equally loud"),
        (silence(5), "equally loud"),
    ],
    ids=["short", "mostly-silent", "quiet", "overdriven", "offset", "noise", "silence"],
)
def test_what_gives_no_voice_is_refused_with_what_was_measured(
    samples: Samples, reported: str
) -> None:
    with pytest.raises(ReferenceAudioError, match=reported) as caught:
        read(samples)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("transcript", "reported"),
    [
        ("", "empty"),
        ("...", "empty"),
        ("Xin.", "letters for each"),
        (TRANSCRIPT * 5, "letters for each"),
    ],
)
def test_a_transcript_that_is_not_what_is_said_is_refused(transcript: str, reported: str) -> None:
    with pytest.raises(ReferenceAudioError, match=reported):
        read(speech(5), transcript)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"<html>", encoded(speech(5))[:5000]])
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(ReferenceAudioError):
        read_reference(data, TRANSCRIPT)
