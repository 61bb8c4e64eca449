"""The bytes of an entry: speech comes back as it was, or not at all."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tones import tone

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.speech_cache.entry import decode_entry, encode_entry
from vieneu_core.synthesis import Speech

KEY = "0" * 64
SPEAKERS = (
    Speaker(backend="remote", engine="pytorch", voice="Bình", watermarked=True, model="v2"),
    Speaker(backend="remote", engine="pytorch", voice="An", model="v2"),
)


def speech(*lengths_s: float, rate_hz: int = 24_000) -> Speech:
    chunks = []
    for index, seconds in enumerate(lengths_s):
        pcm, speaker = tone(300 + 100 * index, seconds, rate_hz), SPEAKERS[index % 2]
        half = len(pcm) // 4 * 2
        chunks += [
            AudioChunk(pcm[:half], rate_hz, index, speaker),
            AudioChunk(pcm[half:], rate_hz, index, speaker),
            AudioChunk(b"", rate_hz, index, speaker, final=True),
        ]
    return Speech(tuple(chunks))


def entry_of(made: Speech) -> bytes:
    entry = encode_entry(KEY, made)
    assert entry is not None
    return entry


ENTRY = entry_of(speech(0.4, 0.3))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("lengths_s", [(0.001,), (0.25,), (0.5, 0.2, 3.0), (0.2, 0.0, 0.1)])
def test_speech_comes_back_as_it_was(lengths_s: tuple[float, ...], rate_hz: int) -> None:
    made = speech(*lengths_s, rate_hz=rate_hz)
    back = decode_entry(KEY, entry_of(made))

    assert back is not None
    assert (back.pcm, back.sample_rate_hz) == (made.pcm, rate_hz)
    assert [speaker.voice for speaker in back.speakers] == [s.voice for s in made.speakers]
    assert [speaker.watermarked for speaker in back.speakers] == [
        s.watermarked for s in made.speakers
    ]
    assert all(speaker.cached for speaker in back.speakers)
    for index in range(len(lengths_s)):
        own = [b"".join(c.pcm for c in s.chunks if c.sentence == index) for s in (made, back)]
        assert own[0] == own[1]


def test_it_is_smaller_than_its_samples() -> None:
    made = speech(3.0)

    assert len(entry_of(made)) < len(made.pcm) * 0.7


def test_what_cannot_come_back_is_not_stored() -> None:
    assert encode_entry(KEY, speech(0.0)) is None, "no samples"
    assert encode_entry(KEY, speech(1.0, rate_hz=1_000)) is None, "a rate that no reader takes"


@given(at=st.integers(0, len(ENTRY) - 1), bits=st.integers(1, 255))
def test_a_damaged_byte_is_found(at: int, bits: int) -> None:
    damaged = bytearray(ENTRY)
    damaged[at] ^= bits

    assert decode_entry(KEY, bytes(damaged)) is None


@given(length=st.integers(0, len(ENTRY) - 1))
def test_an_entry_that_was_cut_is_found(length: int) -> None:
    assert decode_entry(KEY, ENTRY[:length]) is None


def test_more_than_an_entry_is_found() -> None:
    assert decode_entry(KEY, ENTRY + b"\0") is None


def test_an_entry_under_another_key_is_found() -> None:
    assert decode_entry("1" * 64, ENTRY) is None


def test_an_entry_of_another_format_is_left_alone() -> None:
    newer = ENTRY[:4] + struct.pack(">B", 2) + ENTRY[5:]

    assert decode_entry(KEY, newer) is None
