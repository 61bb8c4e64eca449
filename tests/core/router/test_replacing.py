"""Replacing a backend of a router that is in use."""

from __future__ import annotations

import pytest
from router_rig import gather

from vieneu_core.router import Mode, Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

REQUEST = SynthesisRequest(text="Xin chào.")


@pytest.mark.parametrize("mode", Mode)
async def test_the_only_backend_is_replaced_by_one_that_is_loaded(mode: Mode) -> None:
    old, new = (ScriptedBackend(name=mode.value) for _ in range(2))
    given = {mode.value: old}
    async with Router(local=given.get("local"), remote=given.get("remote"), mode=mode) as router:
        replace = router.set_local if mode is Mode.LOCAL else router.set_remote
        await replace(new)

        chunks = await gather(router, REQUEST)

        assert any(chunk.pcm for chunk in chunks)
        assert (new.record.loads, len(new.record.requests)) == (1, 1)
        assert router.status().ready == (mode.value,)
