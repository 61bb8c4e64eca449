"""Passages: an early first sentence, then as much as is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.passages import READ_AHEAD, passages
from vieneu_core.text.sentence_splitter import sentences


def reader_tasks() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "read text ahead"]


class Typist:
    """A text source that writes when it is told to, and may fail."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.begun = asyncio.Event()
        self.closed = False

    async def text(self) -> AsyncGenerator[str, None]:
        self.begun.set()
        try:
            while (piece := await self.pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True


async def test_the_first_passage_is_one_sentence_and_the_next_all_that_is_known() -> None:
    text = "Câu một đây. Câu hai đây. Câu ba đây. Câu bốn đây."
    assert [p async for p in passages(sentences(text))] == [
        ("Câu một đây.",),
        ("Câu hai đây.", "Câu ba đây.", "Câu bốn đây."),
    ]
    assert not reader_tasks()


async def test_a_passage_keeps_to_its_characters() -> None:
    given = ("a" * 10, "b" * 40, "c" * 30, "d" * 21, "e" * 200, "f")
    found = [p async for p in passages(sentences(given), max_chars=70)]
    assert found == [given[:1], given[1:3], given[3:4], given[4:5], given[5:]]


async def test_each_passage_takes_what_was_written_meanwhile() -> None:
    typist = Typist()
    found = passages(sentences(typist.text()))
    typist.pieces.put_nowait("Câu một đây. Câu ")
    first = await anext(found)
    typist.pieces.put_nowait("hai đây. Câu ba ")
    second = await anext(found)
    typist.pieces.put_nowait("đây. Câu bốn đây. Hết rồi")
    typist.pieces.put_nowait(None)
    await asyncio.wait(reader_tasks())
    assert first == ("Câu một đây.",)
    assert second == ("Câu hai đây.",)
    assert [p async for p in found] == [("Câu ba đây.", "Câu bốn đây.", "Hết rồi")]


async def test_an_error_of_the_source_comes_after_all_that_it_wrote() -> None:
    typist = Typist()
    typist.pieces.put_nowait("Câu một đây. Câu hai đây. Câu b")
    typist.pieces.put_nowait(RuntimeError("the model went away"))
    found = passages(sentences(typist.text()))
    assert await anext(found) == ("Câu một đây.",)
    await asyncio.wait(reader_tasks())
    assert await anext(found) == ("Câu hai đây.", "Câu b")
    with pytest.raises(RuntimeError, match="went away"):
        await anext(found)
    assert typist.closed
    assert not reader_tasks()


async def test_empty_text_is_an_error() -> None:
    with pytest.raises(EmptyTextError):
        await anext(passages(sentences("   ")))
    assert not reader_tasks()


async def test_stopping_early_ends_the_reader_and_closes_the_source() -> None:
    typist = Typist()
    typist.pieces.put_nowait("Câu một đây. Câu hai")
    found = passages(sentences(typist.text()))
    await anext(found)
    assert reader_tasks()
    await found.aclose()
    assert not reader_tasks()
    assert typist.closed


async def test_stopping_early_hides_no_warning_behind_an_error_nobody_asked_for() -> None:
    typist = Typist()
    typist.pieces.put_nowait("Câu một đây. Câu hai đây. C")
    typist.pieces.put_nowait(RuntimeError("later"))
    found = passages(sentences(typist.text()))
    assert await anext(found) == ("Câu một đây.",)
    await found.aclose()
    assert not reader_tasks()


async def test_cancelling_the_listener_ends_the_reader() -> None:
    typist = Typist()

    async def listen() -> None:
        async for _ in passages(sentences(typist.text())):
            pass

    listener = asyncio.create_task(listen())
    await typist.begun.wait()
    (reader,) = reader_tasks()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    await asyncio.wait([reader])  # the generator is closed by the loop's own hook
    assert typist.closed


async def test_an_endless_text_waits_for_its_speech() -> None:
    read = 0

    async def endless() -> AsyncIterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "Câu này dài. "

    found = passages(sentences(endless()))
    await anext(found)
    for _ in range(20 * READ_AHEAD):
        await asyncio.sleep(0)
    assert READ_AHEAD <= read <= READ_AHEAD + 5
    await found.aclose()
