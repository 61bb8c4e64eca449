"""Replacing a backend of a router that is in use."""

from __future__ import annotations

from router_rig import gather

from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend


async def test_the_only_backend_is_replaced_by_one_that_is_loaded() -> None:
    async with Router(local=ScriptedBackend(name="local")) as router:
        new = ScriptedBackend(name="local")
        await router.set_local(new)

        chunks = await gather(router, SynthesisRequest(text="Xin chào."))

        assert any(chunk.pcm for chunk in chunks)
        assert (new.record.loads, len(new.record.requests)) == (1, 1)
        assert router.status().ready == ("local",)
