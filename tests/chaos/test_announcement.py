"""The listener of an announcement, with streams that are written here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from chaos.announcement import Announcement, AnnouncementListener, Speak
from chaos.engine import UNSAYABLE
from fault_line import Moment

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import BackendConnectionError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.tone import in_chunks, sentence_tone

RATE_HZ = 24_000
SPEAKER = Speaker(backend="remote", engine="tone", voice="vi-low")
NEWS = Announcement(first=88, n_sentences=3, style="text", plays=False)


def speaking(*sentences: str, fails: bool = False) -> Speak:
    """Return what speaks these sentences, and then fails or ends."""

    async def speak(_: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        for at, sentence in enumerate(sentences):
            for pcm in in_chunks(sentence_tone(sentence).pcm(RATE_HZ), RATE_HZ):
                yield AudioChunk(pcm, RATE_HZ, at, SPEAKER)
            yield AudioChunk(b"", RATE_HZ, at, SPEAKER, final=True)
        if fails:
            raise BackendConnectionError("gone")

    return speak


def read_by(texts: list[str]) -> Speak:
    """Return what reads the text and says nothing."""

    async def speak(request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        if isinstance(request.text, str | tuple):
            texts.extend([request.text] if isinstance(request.text, str) else request.text)
        else:
            texts.extend([piece async for piece in request.text])
        return
        yield

    return speak


async def test_what_was_said_is_judged() -> None:
    heard = await AnnouncementListener(NEWS).listen(speaking(*NEWS.sentences))

    assert (heard.verdict.lost, heard.verdict.voices, heard.error) == (0, ("remote",) * 3, "")


async def test_what_was_heard_before_an_error_counts() -> None:
    heard = await AnnouncementListener(NEWS).listen(speaking(*NEWS.sentences[:2], fails=True))

    assert (heard.verdict.lost, heard.error) == (1, BackendConnectionError.code)


@pytest.mark.parametrize(
    ("n_heard", "reached"),
    [(0, {Moment.BEFORE}), (1, set(Moment))],
)
async def test_the_moments_come_with_the_audio(n_heard: int, reached: set[Moment]) -> None:
    listener = AnnouncementListener(NEWS)
    await listener.listen(speaking(*NEWS.sentences[:n_heard]))

    assert {moment for moment, event in listener.moments.items() if event.is_set()} == reached


async def test_the_first_sentence_is_being_heard_before_it_was_heard() -> None:
    listener = AnnouncementListener(NEWS)
    at_each_chunk: list[set[Moment]] = []

    async def speak(request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async for chunk in speaking(*NEWS.sentences)(request):
            yield chunk
            at_each_chunk.append({m for m, event in listener.moments.items() if event.is_set()})

    await listener.listen(speak)

    assert at_each_chunk[0] == {Moment.BEFORE, Moment.DURING}
    assert set(Moment) not in at_each_chunk[:10]
    assert at_each_chunk[-1] == set(Moment)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (
            "text",
            ["Đây là câu 88 của bản tin. Đây là câu 89 của bản tin. Đây là câu 0 của bản tin."],
        ),
        ("list", list(NEWS.sentences)),
        ("short", [" ".join(NEWS.sentences)]),
    ],
)
async def test_a_text_is_given_whole(style: str, text: list[str]) -> None:
    texts: list[str] = []
    await AnnouncementListener(replace(NEWS, style=style)).listen(read_by(texts))

    assert texts == text


async def test_a_text_is_given_word_by_word() -> None:
    texts: list[str] = []
    await AnnouncementListener(replace(NEWS, style="streamed")).listen(read_by(texts))

    assert "".join(texts).split() == " ".join(NEWS.sentences).split()
    assert len(texts) > 20


async def test_a_sentence_that_cannot_be_said_is_not_waited_for() -> None:
    texts: list[str] = []
    heard = await AnnouncementListener(replace(NEWS, style="unsayable")).listen(read_by(texts))

    assert UNSAYABLE in texts[1]
    assert heard.verdict.n_sentences == 3
