"""The engine gguf in a worker: sentences, speed, and what is left when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from checkpoint.folder import ModelFolder, expected_codes, heard_codes, make_folder
from checkpoint.gguf_engine import SENTENCES, TEXT
from guard import GUARD_S

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import EndlessSentenceError, UnpronounceableError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec


@pytest.fixture
async def backend(folder: ModelFolder, no_leaks: None) -> AsyncIterator[LocalBackend]:
    del no_leaks
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    await backend.load()
    yield backend
    await backend.aclose()


async def test_the_worker_speaks_each_sentence(backend: LocalBackend) -> None:
    speech = await synthesize(backend, SynthesisRequest(text=SENTENCES, voice="Chi"))

    pitches, voices = heard_codes(speech.pcm)
    assert set(voices) == {1}
    starts = [i for i, hz in enumerate(pitches) if hz == expected_codes("Chi", 1)[0][0]]
    assert starts[0] == 0
    assert len(speech.speakers) == 3


async def test_speed_changes_the_length_and_not_the_pitch(backend: LocalBackend) -> None:
    plain = await synthesize(backend, SynthesisRequest(text=TEXT))
    slow = await synthesize(backend, SynthesisRequest(text=TEXT, speed=0.5))

    assert slow.seconds == pytest.approx(2 * plain.seconds, rel=0.01)
    assert set(heard_codes(slow.pcm)[0][20:60]) <= {
        hz + d for hz in heard_codes(plain.pcm)[0] for d in (-50, 0, 50)
    }


async def test_a_request_that_is_left_frees_the_engine(backend: LocalBackend) -> None:
    stream = backend.stream(SynthesisRequest(text=TEXT))
    await anext(stream)
    await stream.aclose()

    async with asyncio.timeout(GUARD_S):
        speech = await synthesize(backend, SynthesisRequest(text=SENTENCES[0]))
    assert heard_codes(speech.pcm)[0] == expected_codes("An", len(heard_codes(speech.pcm)[0]))[0]


async def test_a_sentence_without_sounds_ends_without_samples(backend: LocalBackend) -> None:
    speech = await synthesize(backend, SynthesisRequest(text="你好! Tạm biệt."))

    assert len(speech.speakers) == 2
    assert {chunk.sentence for chunk in speech.chunks if chunk.pcm} == {1}


async def test_a_text_without_sounds_is_left_to_another_voice(backend: LocalBackend) -> None:
    with pytest.raises(UnpronounceableError):
        await synthesize(backend, SynthesisRequest(text="你好! 你好!"))


@pytest.fixture
async def endless(tmp_path: Path, no_leaks: None) -> AsyncIterator[LocalBackend]:
    """As a server has it; the model ends each sentence far too late."""
    del no_leaks
    folder = make_folder(tmp_path / "endless", codes_per_token=7.0)
    options = folder.options(temperature=1.0, seed=1)
    backend = LocalBackend(EngineSpec("gguf", options), recovers=True)
    await backend.load()
    yield backend
    await backend.aclose()


async def test_a_sentence_without_an_end_is_spoken_once_and_shows_life(
    endless: LocalBackend, caplog: pytest.LogCaptureFixture
) -> None:
    speech = await synthesize(endless, SynthesisRequest(text=(TEXT, SENTENCES[1])))

    assert {chunk.sentence for chunk in speech.chunks if chunk.pcm} == {0, 1}
    assert not any(chunk.restarted for chunk in speech.chunks)
    assert "spoken again" not in caplog.text
    for sentence in (0, 1):
        signs = [
            chunk
            for chunk in speech.chunks
            if chunk.sentence == sentence and not (chunk.pcm or chunk.final or chunk.waiting)
        ]
        assert len(signs) >= 3, "once a second of the speech that is kept back"


async def test_a_word_without_an_end_fails_once(
    endless: LocalBackend, caplog: pytest.LogCaptureFixture
) -> None:
    pid = endless.worker_pid

    with pytest.raises(EndlessSentenceError, match="did not end"):
        await synthesize(endless, SynthesisRequest(text="Ừ."))

    assert "spoken again" not in caplog.text
    assert endless.worker_pid == pid


async def test_unloading_gives_all_memory_back(folder: ModelFolder) -> None:
    me = psutil.Process()
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    await backend.load()
    await synthesize(backend, SynthesisRequest(text=TEXT))
    before = me.memory_info().rss
    pid = backend.worker_pid

    await backend.unload()

    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert me.memory_info().rss - before < 50_000_000


async def test_the_house_hears_how_the_loading_goes(folder: ModelFolder) -> None:
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    loading = asyncio.create_task(backend.load())
    seen = set()
    while not loading.done():
        now = (await backend.health()).loading
        if now is not None:
            seen.add(now.step)
        await asyncio.sleep(0.001)
    await loading
    health = await backend.health()
    await backend.aclose()

    assert "Loading tiny.gguf" in seen
    assert health.loading is None
