"""Pauses as a listener of the router hears them: each engine, each rate, fallbacks included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from router_rig import RouterRig, assert_heard, lost, pcm, speakers
from tone_engine import expected, heard, same

from vieneu_core.audio.pauses import NATURAL_PAUSES, QUIET, Pauses
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, Health
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.testing.tone import GAP_S
from vieneu_core.text.user_dictionary import UserDictionary
from vieneu_core.text.watched_dictionary_file import DictionaryFile
from vieneu_core.voices import Voice

POLICY = RouterPolicy(pauses=NATURAL_PAUSES)
SENTENCES = ("Đây là câu 1 nhé.", "Còn câu 2 thì sao?", "Và đây là câu 3.", "Sau cùng là câu 4.")
TEXT = f"{SENTENCES[0]} {SENTENCES[1]} {SENTENCES[2]}\n\n{SENTENCES[3]}"
EXPECTED = (0.5, 0.6, 0.7)


def gaps(chunks: list[AudioChunk]) -> list[float]:
    """Runs of silence between sounds that are longer than any within a tone, in seconds."""
    rate_hz, found, quiet = chunks[0].sample_rate_hz, [], 0
    for sample in memoryview(pcm(chunks)).cast("h"):
        if abs(sample) <= QUIET:
            quiet += 1
            continue
        found.append(quiet / rate_hz)
        quiet = 0
    return [gap for gap in found[1:] if gap > 2 * GAP_S - 0.01]


async def test_the_pause_is_that_of_the_end_mark_and_of_the_paragraph() -> None:
    async with RouterRig(policy=POLICY) as rig:
        chunks = await rig.speak(TEXT)
    assert_heard(chunks, SENTENCES)
    assert gaps(chunks) == pytest.approx(EXPECTED, abs=0.02)


@pytest.mark.parametrize("speed", [0.5, 1.5, 2.0])
async def test_at_another_speed_the_pauses_change_with_it(speed: float) -> None:
    async with RouterRig(policy=POLICY) as rig:
        chunks = await rig.speak(TEXT, speed=speed)
    assert gaps(chunks) == pytest.approx([s / speed for s in EXPECTED], abs=0.02)


async def test_a_text_that_comes_in_pieces_has_the_same_pauses() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        for at in range(0, len(TEXT), 7):
            await asyncio.sleep(0)
            yield TEXT[at : at + 7]

    async with RouterRig(policy=POLICY) as rig:
        chunks = await rig.take(SynthesisRequest(text=pieces()))
    assert_heard(chunks, SENTENCES)
    assert gaps(chunks) == pytest.approx(EXPECTED, abs=0.02)


@pytest.mark.parametrize("after_chunks", [0, 1, 3])
@pytest.mark.parametrize(("n_passages", "at_sentence"), [(0, 0), (1, 0), (1, 1), (1, 2)])
async def test_where_a_fallback_takes_over_midway_the_pauses_stay(
    n_passages: int, at_sentence: int, after_chunks: int
) -> None:
    """The last resort has another sample rate: its sentences get the rate of the first chunk."""
    async with RouterRig(policy=POLICY) as rig:
        failing = ScriptStep(at_sentence=at_sentence, after_chunks=after_chunks, error=lost())
        rig.remote.script = [*[ScriptStep()] * n_passages, failing]
        rig.remote.always = rig.local.always = ScriptStep(error=lost())
        heard_live = await rig.speak(TEXT)
        speech = await collect(replay(heard_live))
    assert "last_resort" in [speaker.backend for speaker in speech.speakers]
    assert_heard(list(speech.chunks), SENTENCES)
    assert gaps(list(speech.chunks)) == pytest.approx(EXPECTED, abs=0.02)
    assert min(gaps(heard_live)) >= min(EXPECTED) - 0.02


async def test_a_router_over_a_router_adds_nothing() -> None:
    """As a server and its client do: the passages of the inner one end without a pause."""
    inner = Router(local=ScriptedBackend(name="local"), policy=POLICY)
    outer = Router(local=Renamed(inner), policy=POLICY)
    async with inner, outer:
        twice = await collect(outer.stream(SynthesisRequest(text=TEXT)))
        once = await collect(inner.stream(SynthesisRequest(text=TEXT)))
    assert gaps(list(twice.chunks)) == pytest.approx(EXPECTED, abs=0.02)
    assert twice.seconds == pytest.approx(once.seconds, abs=0.02)


async def test_a_router_has_no_pauses_unless_they_are_asked_for() -> None:
    async with RouterRig() as rig:
        chunks = await rig.speak(TEXT)
    assert gaps(chunks) == pytest.approx([2 * GAP_S] * 3, abs=0.02)


async def test_other_pauses_hold_from_the_next_request_on() -> None:
    async with RouterRig(policy=POLICY) as rig:
        await rig.speak(TEXT)
        rig.router.set_policy(replace(POLICY, pauses=Pauses(sentence_s=1.0, paragraph_s=1.5)))
        chunks = await rig.speak(TEXT)
    assert gaps(chunks) == pytest.approx([1.0, 2 * GAP_S, 1.5], abs=0.02)


async def test_the_dictionary_is_applied_for_every_backend() -> None:
    async with RouterRig(policy=POLICY) as rig:
        await rig.router.reading.use(UserDictionary.parse("mục một = câu 1\nmục hai = câu 2"))
        rig.remote.script = [ScriptStep(), ScriptStep(error=lost())]
        chunks = await rig.speak("Đây là Mục Một nhé. Đây là mục hai nhé.")
    assert speakers(chunks) == ["remote", "local"]
    wanted = ["Đây là câu 1 nhé.", "Đây là câu 2 nhé."]
    assert same(heard(pcm(chunks), 24_000), [expected(text) for text in wanted])


async def test_a_dictionary_file_is_read_at_the_start_and_again_when_it_changes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "từ điển.txt"
    path.write_text("mục = câu 1\nsai\n")
    async with RouterRig() as rig:
        file = DictionaryFile(path)
        await rig.router.reading.use(file)
        assert rig.router.reading.now.dictionary.applied("mục") == "câu 1"
        assert [bad.line for bad in rig.router.reading.now.dictionary.bad_lines] == [2]

        path.write_text("mục = câu 22\n")
        await until(rig, lambda: rig.router.reading.now.dictionary.applied("mục") == "câu 22")
        path.unlink()
        await until(rig, lambda: file.problem is not None)
        assert "there is no such file" in str(file.problem)
        assert rig.router.reading.now.dictionary.applied("mục") == "câu 22", "the last good one"
        path.write_bytes(b"m\xe1\xbb = x")
        await until(rig, lambda: "byte 2 is not UTF-8" in str(file.problem))
        path.write_text("mục = câu 3\n")
        await until(rig, lambda: file.problem is None)
        assert rig.router.reading.now.dictionary.applied("mục") == "câu 3"


async def test_an_unloaded_router_follows_no_file(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("mục = câu 1\n")
    router = Router(
        local=ScriptedBackend(name="local"), dictionary=DictionaryFile(tmp_path / "d.txt")
    )
    async with router:
        assert router.reading.now.dictionary.entries
        assert following()
    assert not following()


def following() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "follow-dictionary"]


async def until(rig: RouterRig, done: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not done():
            await rig.clock.advance(1)
            await asyncio.sleep(0.01)  # the thread that reads


async def replay(chunks: list[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    for chunk in chunks:
        yield chunk


class Renamed(Backend):
    """A backend under the name that a router expects, loaded and closed by others."""

    name = Mode.LOCAL.value

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def load(self) -> None:
        """Nothing: it is loaded."""

    async def unload(self) -> None:
        """Nothing: others unload it."""

    async def aclose(self) -> None:
        """Nothing: others close it."""

    async def health(self) -> Health:
        """Return that of the backend."""
        return await self._backend.health()

    async def voices(self) -> tuple[Voice, ...]:
        """List those of the backend."""
        return await self._backend.voices()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak by the backend."""
        async for chunk in self._backend.stream(request):
            yield chunk
