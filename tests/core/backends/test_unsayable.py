"""Ends of sentences without samples wait for the first samples of their request."""

from __future__ import annotations

import pytest

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.unsayable import SilentStart
from vieneu_core.errors import UnpronounceableError

SPEAKER = Speaker(backend="b", engine="e", voice="v")


def part(sentence: int, pcm: bytes = b"", *, final: bool = False) -> AudioChunk:
    return AudioChunk(pcm, 24_000, sentence, SPEAKER, final=final)


def passed_on(*chunks: AudioChunk) -> list[AudioChunk]:
    start = SilentStart()
    passed = [each for chunk in chunks for each in start.add(chunk)]
    start.finish()
    return passed


def test_ends_without_samples_come_before_the_first_samples_and_in_order() -> None:
    given = (
        part(0, final=True),
        part(1),
        part(1, final=True),
        part(2),
        part(2, b"ab"),
        part(2, final=True),
        part(3, final=True),
    )
    assert passed_on(*given) == [
        part(0),
        part(0),
        part(0, final=True),
        part(1, final=True),
        *given[4:],
    ]


def test_no_samples_at_all_are_an_error_at_the_end_of_the_stream() -> None:
    start = SilentStart()
    assert start.add(part(0)) == [part(0)]
    assert start.add(part(0, final=True)) == start.add(part(1, final=True)) == []
    with pytest.raises(UnpronounceableError):
        start.finish()
