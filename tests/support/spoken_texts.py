"""Texts for a server that speaks tones, and what is heard of them."""

from __future__ import annotations

from remote_site import sentences_of
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk

GREETING = ("Xin chào câu 1.", "Hôm nay trời đẹp câu 2.", "Tạm biệt câu 3.")
COUNTING = ("Một hai ba bốn năm câu 4.", "Sáu bảy tám chín mười câu 5.", "Hết rồi câu 6.")


def assert_whole(got: list[AudioChunk], text: tuple[str, ...]) -> None:
    """Each sentence that came with its end is heard from its start to its end."""
    for pcm, sentence in zip(sentences_of(got), text, strict=True):
        assert same(heard(pcm, got[0].sample_rate_hz), [expected(sentence)])
