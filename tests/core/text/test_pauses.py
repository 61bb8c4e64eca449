"""Streamed text: a sentence is known when the writer pauses, not only at the next word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest
from fake_clock import FakeClock, settle

from vieneu_core.errors import InvalidRequestError
from vieneu_core.text.passages import passages, with_upcoming
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.text.writer_pause import END_PAUSE_S, UNSURE_PAUSE_S

pytestmark = pytest.mark.usefixtures("no_leaks")


class Typist:
    """A text source that writes when it is told to."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.tasks: set[asyncio.Task[object] | None] = set()
        self.closed = False

    async def text(self) -> AsyncGenerator[str, None]:
        try:
            while (piece := await self.pieces.get()) is not None:
                self.tasks.add(asyncio.current_task())
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.tasks.add(asyncio.current_task())
            self.closed = True


class Reader:
    """Collects sentences while a test moves the clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.typist = Typist()
        self.known: list[str] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with aclosing(sentences(self.typist.text(), clock=self.clock)) as found:
            async for sentence in found:
                self.known.append(sentence)

    async def write(self, *pieces: str | Exception) -> None:
        for piece in pieces:
            self.typist.pieces.put_nowait(piece)
        await settle()

    async def end(self) -> list[str]:
        self.typist.pieces.put_nowait(None)
        await self.task
        return self.known


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    reader = Reader()
    yield reader
    reader.task.cancel()
    await asyncio.wait([reader.task])
    assert reader.typist.closed


@pytest.mark.parametrize("written", ["Cửa đang mở.\n", "Cửa đang mở\n", "Cửa đang mở.\r\n"])
async def test_a_line_break_ends_a_sentence_at_once(reader: Reader, written: str) -> None:
    await reader.write(written)
    assert reader.known == [written.strip()]


@pytest.mark.parametrize(
    "written",
    [
        "Cửa đang mở.",
        "Cửa đang mở. ",
        "Cửa đang mở!",
        "Cửa đang mở?!",
        "Cửa đang mở…",
        "Cửa đang mở...",
        'Ông nói: "Đi thôi."',
        "Ông nói: “Đi thôi.”",
        "(Cửa đang mở.)",
        "**Cửa đang mở.**",
        "Tôi ở Hà Nội.",
        "Chào anh Ba.",
        "Đã quá 25!",
        "Cửa đang mở. Ở bếp có khói.",
        "门开着。",
    ],
)
async def test_an_end_mark_ends_a_sentence_after_a_short_pause(
    reader: Reader, written: str
) -> None:
    await reader.write(written)
    await reader.clock.advance(END_PAUSE_S - 0.01)
    assert reader.known in ([], ["Cửa đang mở."])
    await reader.clock.advance(0.01)
    assert " ".join(reader.known) == written.replace("*", "").strip()


@pytest.mark.parametrize(
    "ending",
    ["TP.", "Tp.", "GS.", "25.", "1.000.", "Nguyễn Văn A.", "v.v.", "PGS.TS.", "Mr.", "bánh:"],
)
async def test_a_pause_is_longer_where_the_text_is_likely_to_go_on(
    reader: Reader, ending: str
) -> None:
    await reader.write("Hôm nay có ", ending)
    await reader.clock.advance(UNSURE_PAUSE_S - 0.01)
    assert reader.known == []
    await reader.clock.advance(0.01)
    assert reader.known == [f"Hôm nay có {ending}"]


async def test_a_sentence_without_an_end_mark_waits_for_its_end(reader: Reader) -> None:
    await reader.write("Hôm nay trời ", "rất đẹp")
    await reader.clock.advance(60)
    assert reader.known == []
    assert await reader.end() == ["Hôm nay trời rất đẹp"]


async def test_text_within_the_pause_belongs_to_the_sentence(reader: Reader) -> None:
    await reader.write("Giá là 3.")
    await reader.clock.advance(UNSURE_PAUSE_S - 0.1)
    await reader.write("5 đồng.")
    await reader.clock.advance(END_PAUSE_S - 0.1)
    await reader.write(" còn lại")
    assert await reader.end() == ["Giá là 3.5 đồng. còn lại"]


async def test_text_after_the_pause_is_a_sentence_of_its_own_and_nothing_is_lost(
    reader: Reader,
) -> None:
    await reader.write("Giá là 3.")
    await reader.clock.advance(UNSURE_PAUSE_S)
    await reader.write("5 đồng. Tôi ở TP.")
    await reader.clock.advance(UNSURE_PAUSE_S)
    await reader.write(" Hồ Chí Minh")
    assert await reader.end() == ["Giá là 3.", "5 đồng.", "Tôi ở TP.", "Hồ Chí Minh"]


async def test_marks_that_come_after_the_pause_are_dropped(reader: Reader) -> None:
    await reader.write('Ông nói: "Đi thôi.')
    await reader.clock.advance(END_PAUSE_S)
    await reader.write(".", '." ', "Rồi ông đi")
    assert await reader.end() == ['Ông nói: "Đi thôi.', "Rồi ông đi"]


async def test_a_sentence_has_ended_while_the_first_word_of_the_next_is_written(
    reader: Reader,
) -> None:
    await reader.write("Cửa đang mở.", " Nh")
    await reader.clock.advance(END_PAUSE_S)
    assert reader.known == ["Cửa đang mở."]
    await reader.write("ớ khóa cửa")
    assert await reader.end() == ["Cửa đang mở.", "Nhớ khóa cửa"]


@pytest.mark.parametrize("written", ["đi chợ. mu", "Ở TP. H", "Lúc 7. Nh"])
async def test_a_sentence_goes_on_while_its_next_word_is_written(
    reader: Reader, written: str
) -> None:
    await reader.write(written)
    await reader.clock.advance(60)
    assert reader.known == []


async def test_the_number_of_an_item_waits_for_it_within_its_line(reader: Reader) -> None:
    await reader.write("1.")
    await reader.clock.advance(60)
    assert reader.known == []
    await reader.write(" Sữa\n2.\n")
    assert reader.known == ["1. Sữa"]
    await reader.clock.advance(END_PAUSE_S)
    assert reader.known == ["1. Sữa", "2."]
    await reader.write("Bánh")
    assert await reader.end() == ["1. Sữa", "2.", "Bánh"]


async def test_pieces_without_text_do_not_prolong_the_pause(reader: Reader) -> None:
    await reader.write("Cửa đang mở.")
    for _ in range(3):
        await reader.clock.advance(END_PAUSE_S / 3)
        await reader.write("")
    assert reader.known == ["Cửa đang mở."]


async def test_a_source_is_read_and_closed_by_one_task(reader: Reader) -> None:
    await reader.write("Một. ")
    await reader.clock.advance(END_PAUSE_S)
    await reader.write("Hai. ")
    await reader.clock.advance(END_PAUSE_S)
    assert await reader.end() == ["Một.", "Hai."]
    assert len(reader.typist.tasks) == 1


async def test_an_error_of_the_source_comes_after_the_pause_and_the_rest(reader: Reader) -> None:
    await reader.write("Cửa đang mở.")
    await reader.clock.advance(END_PAUSE_S)
    await reader.write(" Nhớ kh", RuntimeError("the model went away"))
    with pytest.raises(RuntimeError, match="went away"):
        await reader.task
    assert reader.known == ["Cửa đang mở.", "Nhớ kh"]


@pytest.mark.parametrize("piece", [None, b"", 5])
async def test_a_piece_that_is_no_text_is_an_error_and_not_the_end(piece: object) -> None:
    async def source() -> AsyncIterator[str]:
        yield "Cửa đang mở. "
        yield cast("str", piece)
        yield "Nhớ khóa cửa."

    found = sentences(source(), clock=FakeClock())
    assert await anext(found) == "Cửa đang mở."
    with pytest.raises(InvalidRequestError):
        await anext(found)


@pytest.mark.parametrize("ending", ["! 🎉 ", "!🎉", ".👍🏽", ". ❤️ ", ".)🙂🙂 "])
async def test_a_picture_after_the_end_mark_does_not_prolong_the_sentence(
    reader: Reader, ending: str
) -> None:
    await reader.write(f"Cửa đang mở{ending}")
    await reader.clock.advance(END_PAUSE_S)
    assert reader.known == [f"Cửa đang mở{ending}".strip()]
    await reader.write("Nhớ khóa cửa.")
    assert await reader.end() == [f"Cửa đang mở{ending}".strip(), "Nhớ khóa cửa."]


async def test_a_source_that_is_cancelled_is_an_error_after_what_it_wrote(reader: Reader) -> None:
    async def cancelled() -> AsyncIterator[str]:
        yield "Cửa đang mở. "
        raise asyncio.CancelledError

    found = sentences(cancelled(), clock=reader.clock)
    assert await anext(found) == "Cửa đang mở."
    with pytest.raises(InvalidRequestError, match="its source was cancelled"):
        await anext(found)


async def test_passages_and_upcoming_sentences_use_the_clock() -> None:
    clock = FakeClock()
    for grouped, expected in (
        (lambda text: passages(sentences(text, clock=clock)), ("Cửa đang mở.",)),
        (lambda text: with_upcoming(text, clock=clock), ("Cửa đang mở.", ())),
    ):
        typist = Typist()
        typist.pieces.put_nowait("Cửa đang mở.")
        found = grouped(typist.text())
        first: asyncio.Task[object] = asyncio.create_task(anext(found))
        await clock.advance(END_PAUSE_S)
        assert first.done()
        assert first.result() == expected
        await found.aclose()
        assert typist.closed
