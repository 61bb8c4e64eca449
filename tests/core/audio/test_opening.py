"""What is heard before speech: silence, then a chime, and the speech after it is untouched."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import numpy as np
import pytest

from vieneu_core.audio import AudioChunk, Clip, Opening, Speaker, with_opening
from vieneu_core.errors import ConfigurationError

SPEAKER = Speaker(backend="local", engine="tone", voice="a")


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(float)


def pitch_hz(pcm: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * rate_hz / len(pcm))


async def speech(*chunks: AudioChunk) -> AsyncGenerator[AudioChunk, None]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 48_000])
def test_the_chime_is_two_tones_without_a_click_at_any_rate(rate_hz: int) -> None:
    heard = samples(Opening(chime=True).pcm(rate_hz))
    assert len(heard) == round(1.1 * rate_hz)
    first, second = heard[: int(0.27 * rate_hz)], heard[int(0.6 * rate_hz) :]
    assert pitch_hz(first, rate_hz) == pytest.approx(880, abs=8)
    assert pitch_hz(second, rate_hz) == pytest.approx(659, abs=8)
    assert 5_000 < np.max(np.abs(heard)) < 25_000
    assert np.abs(heard[0]) < 10
    assert np.max(np.abs(heard[-50:])) < 400


def test_the_silence_comes_first_and_has_the_stated_length() -> None:
    heard = samples(Opening(lead_in_s=0.5, chime=True).pcm(24_000))
    assert not heard[:12_000].any()
    assert heard[12_000:12_500].any()
    assert Opening().pcm(24_000) == b""


def test_a_clip_of_the_callers_is_heard_at_the_rate_of_the_speech() -> None:
    wave = (9_000 * np.sin(2 * np.pi * 500 * np.arange(4_000) / 8_000)).astype("<i2")
    opening = Opening(chime=True, clip=Clip(pcm=wave.tobytes(), sample_rate_hz=8_000))
    heard = samples(opening.pcm(24_000))
    assert len(heard) == pytest.approx(12_000, abs=200)
    assert pitch_hz(heard, 24_000) == pytest.approx(500, abs=5)


async def test_the_speech_after_it_is_unchanged_and_begins_no_sentence_of_its_own() -> None:
    spoken = (
        AudioChunk(b"", 24_000, 0, SPEAKER, waiting=True),
        AudioChunk(b"\x01\x00" * 100, 24_000, 0, SPEAKER),
        AudioChunk(b"", 24_000, 0, SPEAKER, final=True),
    )
    heard = [chunk async for chunk in with_opening(speech(*spoken), Opening(chime=True))]
    assert tuple(heard[1:]) == spoken
    assert heard[0].pcm == Opening(chime=True).pcm(24_000)
    assert (heard[0].final, heard[0].waiting, heard[0].sentence) == (False, False, 0)


async def test_without_an_opening_and_without_speech_nothing_is_added() -> None:
    chunk = AudioChunk(b"\x01\x00", 24_000, 0, SPEAKER, final=True)
    assert [each async for each in with_opening(speech(chunk), Opening())] == [chunk]
    assert [each async for each in with_opening(speech(), Opening(chime=True))] == []


@pytest.mark.parametrize("seconds", [-0.1, 5.1, float("nan")])
def test_a_silence_out_of_range_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="lead_in_s"):
        Opening(lead_in_s=seconds)
