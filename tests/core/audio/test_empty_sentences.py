"""Sentences without samples, which nobody could pronounce: the rest is heard as without them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from tones import chunk, in_parts, tone

from vieneu_core.audio.encode import AudioFormat, encode_stream, pcm_stream
from vieneu_core.audio.file import write_file
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import collect

RATE_HZ = 22_050
END = chunk(b"", RATE_HZ, final=True)


async def speech() -> AsyncGenerator[AudioChunk, None]:
    for part in in_parts(tone(440, 1, RATE_HZ), 8_820):
        yield chunk(part, RATE_HZ)
    yield END


async def with_empty_sentences() -> AsyncGenerator[AudioChunk, None]:
    yield END
    async for part in speech():
        yield replace(part, sentence=1)
    yield replace(END, sentence=2)


@pytest.mark.parametrize("fmt", list(AudioFormat))
async def test_they_add_nothing_to_a_stream_or_a_file(
    fmt: AudioFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 7)  # Ogg's serial numbers
    streamed = b"".join([part async for part in encode_stream(with_empty_sentences(), fmt)])
    assert streamed == b"".join([part async for part in encode_stream(speech(), fmt)])
    await write_file(with_empty_sentences(), tmp_path / "gaps", fmt)
    await write_file(speech(), tmp_path / "none", fmt)
    assert (tmp_path / "gaps").read_bytes() == (tmp_path / "none").read_bytes()


async def test_they_count_as_sentences_of_a_speech() -> None:
    samples = b"".join([part async for part in pcm_stream(with_empty_sentences(), 16_000)])
    assert len(samples) == pytest.approx(32_000, abs=10)
    made = await collect(with_empty_sentences())
    assert len(made.speakers) == 3
    assert made.seconds == 1
    assert len(made.wav()) == 44 + 2 * RATE_HZ
