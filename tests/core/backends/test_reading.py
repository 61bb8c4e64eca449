"""A backend that serves alone reads with dictionary and pauses, whole texts and pieces alike."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path

import pytest
from tone_engine import expected, heard, same

from vieneu_core.audio import NO_PAUSES, Pauses
from vieneu_core.backends import ReadingBackend
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.testing.tone import GAP_S
from vieneu_core.text import DictionaryFile, UserDictionary

TEXT = "Đây là câu 1 nhé. Còn mục hai thì sao?\n\nVà đây là câu 3."
SAID = ("Đây là câu 1 nhé.", "Còn câu 2 thì sao?", "Và đây là câu 3.")
ENTRIES = UserDictionary.parse("mục hai = câu 2")
PAUSES = Pauses(sentence_s=0.5, question_s=0.6, paragraph_s=0.7)


async def pieces() -> AsyncGenerator[str, None]:
    for at in range(0, len(TEXT), 5):
        yield TEXT[at : at + 5]


@pytest.mark.parametrize("form", ["text", "sentences", "pieces"])
async def test_each_form_of_a_text_is_read_alike(form: str) -> None:
    local = ScriptedBackend()
    texts: dict[str, str | tuple[str, ...] | AsyncIterable[str]] = {
        "text": TEXT,
        "sentences": ("Đây là câu 1 nhé.", "Còn mục hai thì sao?", SAID[2]),
        "pieces": pieces(),
    }
    request = SynthesisRequest(text=texts[form])
    async with ReadingBackend(local, pauses=PAUSES, dictionary=ENTRIES) as backend:
        speech = await collect(backend.stream(request))
    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(one) for one in SAID])
    assert [chunk.sentence for chunk in speech.chunks if chunk.final] == [0, 1, 2]
    last_s = 0.6 if form == "sentences" else 0.7  # sentences that are given have no paragraphs
    silence_s = 2 * GAP_S + 0.5 + last_s
    sounds_s = sum(expected(one).seconds for one in SAID)
    assert speech.seconds == pytest.approx(sounds_s + silence_s, abs=0.03)
    assert len({request.request_id for request in local.record.requests}) == len(
        local.record.requests
    )


async def test_without_pauses_and_entries_nothing_changes() -> None:
    bare = ScriptedBackend()
    async with ReadingBackend(ScriptedBackend(), pauses=NO_PAUSES) as backend, bare:
        read = await collect(backend.stream(SynthesisRequest(text=TEXT)))
        raw = await collect(bare.stream(SynthesisRequest(text=TEXT)))
    assert read.pcm == raw.pcm


async def test_the_file_is_read_when_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("mục hai = câu 2\n")
    local = ScriptedBackend()
    dictionary = DictionaryFile(tmp_path / "words.txt")
    async with ReadingBackend(local, dictionary=dictionary) as backend:
        assert backend.name == local.name
        assert (await backend.health()).ready
        assert await backend.voices() == await local.voices()
        await collect(backend.stream(SynthesisRequest(text=TEXT)))
    assert tuple(local.record.finished) == SAID
    assert local.record.unloads == 1
