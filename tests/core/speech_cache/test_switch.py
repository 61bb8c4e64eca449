"""The cache while it is turned off: speech goes past it, and nothing of it is kept."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from cache_rig import SENTENCES, CacheRig, cache_rig

from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")


class Switch:
    on = False

    def __call__(self) -> bool:
        return self.on


async def was_replayed(rig: CacheRig) -> bool:
    return all(speaker.cached for speaker in (await rig.speak()).speakers)


async def test_a_cache_that_is_off_is_not_even_made(tmp_path: Path) -> None:
    async with cache_rig(tmp_path, enabled=Switch()) as rig:
        assert not await was_replayed(rig)
        assert not await was_replayed(rig)
        assert await rig.n_stored() == 0
        assert not (tmp_path / "speech").exists()


async def test_it_is_turned_on_and_off_while_it_runs(tmp_path: Path) -> None:
    switch = Switch()
    async with cache_rig(tmp_path, enabled=switch) as rig:
        switch.on = True
        assert not await was_replayed(rig)
        assert await was_replayed(rig)
        switch.on = False
        assert not await was_replayed(rig)
        assert await rig.n_stored() == len(SENTENCES), "what is stored stays there"
        switch.on = True
        assert await was_replayed(rig)


async def test_speech_that_began_before_it_was_turned_off_is_not_stored(tmp_path: Path) -> None:
    switch = Switch()
    switch.on = True
    async with cache_rig(tmp_path, enabled=switch) as rig:
        more = asyncio.Event()
        rig.remote.script = [ScriptStep(after_chunks=1, hold=more)]
        async with aclosing(rig.backend.stream(SynthesisRequest(text=SENTENCES[0]))) as chunks:
            await anext(chunks)
            switch.on = False
            more.set()
            async for _ in chunks:
                pass
        assert await rig.n_stored() == 0
