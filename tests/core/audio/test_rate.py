"""Speech at the sample rate that a player asks for: as long, as high, and whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import numpy as np
import pytest

from vieneu_core.audio import AudioChunk, Speaker, at_rate, encode_stream

SPEAKER = Speaker(backend="local", engine="tone", voice="a")
RATE_HZ = 24_000


def tone() -> np.ndarray:
    return (9_000 * np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2")


async def speech(n_chunks: int = 7) -> AsyncGenerator[AudioChunk, None]:
    yield AudioChunk(b"", RATE_HZ, 0, SPEAKER, waiting=True)
    for part in np.array_split(tone(), n_chunks):
        yield AudioChunk(part.tobytes(), RATE_HZ, 0, SPEAKER)
    yield AudioChunk(b"", RATE_HZ, 0, SPEAKER, final=True)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
async def test_it_is_as_long_and_as_high_at_each_rate_and_still_ends(rate_hz: int) -> None:
    chunks = [chunk async for chunk in at_rate(speech(), rate_hz)]
    assert {chunk.sample_rate_hz for chunk in chunks} == {rate_hz}
    heard = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2").astype(float)
    assert len(heard) == pytest.approx(rate_hz, abs=2)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.argmax(spectrum) * rate_hz / len(heard) == pytest.approx(500, abs=3)
    assert chunks[-1].final
    assert chunks[0].waiting


async def test_the_same_rate_changes_nothing() -> None:
    before = [chunk async for chunk in speech()]
    assert [chunk async for chunk in at_rate(speech(), RATE_HZ)] == before


@pytest.mark.parametrize("fmt", ["wav", "flac", "mp3", "ogg"])
async def test_every_format_can_be_made_of_it(fmt: str) -> None:
    data = b"".join([part async for part in encode_stream(at_rate(speech(), 16_000), fmt)])
    assert len(data) > 1_000


async def test_no_speech_stays_none() -> None:
    async def nothing() -> AsyncGenerator[AudioChunk, None]:
        chunks: tuple[AudioChunk, ...] = ()
        for chunk in chunks:
            yield chunk

    assert [chunk async for chunk in at_rate(nothing(), 8_000)] == []
