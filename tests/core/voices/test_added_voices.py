"""Added voices speak as those of the engine do, or it is said why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from voice_clips import clip

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import CloningUnsupportedError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec


@pytest.fixture
async def backend(catalogue: VoiceCatalogue) -> AsyncIterator[LocalBackend]:
    spec = EngineSpec("tone_engine:create", {"clones": True})
    backend = LocalBackend(spec, voices=catalogue)
    await backend.load()
    yield backend
    await backend.aclose()


async def test_an_added_voice_speaks_at_once(
    backend: LocalBackend, catalogue: VoiceCatalogue
) -> None:
    before = await backend.voices()
    await asyncio.to_thread(catalogue.add, "Bà Ngoại", clip())

    speech = await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="ba-ngoai"))

    assert [s.voice for s in speech.speakers] == ["ba-ngoai"]
    assert (await backend.voices())[len(before) :] == (
        Voice(id="ba-ngoai", name="Bà Ngoại", language="vi"),
    )


async def test_a_voice_of_the_engine_goes_before_an_added_one(
    backend: LocalBackend, catalogue: VoiceCatalogue
) -> None:
    await asyncio.to_thread(catalogue.add, "vi low", clip())

    speech = await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="vi-low"))

    assert speech.speakers[0].voice == "vi-low"
    assert [voice.id for voice in await backend.voices()].count("vi-low") == 1


async def test_an_engine_that_cannot_clone_says_so(catalogue: VoiceCatalogue) -> None:
    await asyncio.to_thread(catalogue.add, "Bà Ngoại", clip())
    backend = LocalBackend("tone_engine:create", voices=catalogue)
    await backend.load()

    with pytest.raises(CloningUnsupportedError, match="ba-ngoai"):
        await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="ba-ngoai"))
    assert "ba-ngoai" not in [voice.id for voice in await backend.voices()]
    await backend.aclose()
