"""What is prepared: spoken once, unheard, by the chosen voice alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cache_rig import LOST, SENTENCES, TEXT, CacheRig, cache_rig, spoken_by

from vieneu_core.errors import (
    BackendConnectionError,
    BackendUnavailableError,
    EmptyTextError,
    InvalidRequestError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep


async def test_what_is_prepared_is_replayed(rig: CacheRig) -> None:
    request = SynthesisRequest(text=TEXT)

    assert await rig.backend.prepare(request)
    assert not await rig.backend.prepare(request)

    speech = await rig.speak()
    assert speech.speakers[0].cached
    assert spoken_by(speech, "remote", *SENTENCES)
    stats = rig.backend.cache.stats()
    assert (stats.hits, stats.misses, stats.stored) == (2, 0, 2), "preparing is no use of it"
    assert (await rig.backend.cache.count()).hits == 2


async def test_only_what_is_missing_is_prepared(rig: CacheRig) -> None:
    await rig.speak(SENTENCES[:1])

    assert await rig.backend.prepare(SynthesisRequest(text=TEXT))

    assert [r.text for r in rig.remote.record.requests] == [SENTENCES[:1], SENTENCES[1:]]


async def test_a_fallback_prepares_nothing(rig: CacheRig) -> None:
    await rig.lose_remote()

    with pytest.raises(BackendUnavailableError, match="remote did not speak"):
        await rig.backend.prepare(SynthesisRequest(text=TEXT))

    assert await rig.n_stored() == 0


async def test_what_cannot_be_prepared_says_why(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[str]:
        yield TEXT

    async with cache_rig(tmp_path, fallback=False) as rig:
        for fields, error in (
            ({"text": " … "}, EmptyTextError),
            ({"text": pieces()}, InvalidRequestError),
            ({"text": TEXT, "voice": "nobody"}, VoiceNotFoundError),
        ):
            with pytest.raises(error):
                await rig.backend.prepare(SynthesisRequest(**fields))
        rig.remote.always = ScriptStep(error=LOST)
        with pytest.raises(BackendConnectionError, match="It is gone"):
            await rig.backend.prepare(SynthesisRequest(text=TEXT))
        assert await rig.n_stored() == 0
