"""Sentences that no backend can pronounce, at the beginning and in the middle of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from guard import GUARD_S
from router_rig import RouterRig, gather

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import AllBackendsFailedError, UnpronounceableError, WorkerDiedError
from vieneu_core.router import RouterPolicy, SentenceSkipped
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

FOREIGN = tuple(f"你好吗你{letter}。" for letter in "一二三四五六")
SAID = "Đây là câu 1."


class Latin(ScriptedBackend):
    """Raises where a passage has no sentence in Latin script, as local and remote backends do."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert isinstance(request.text, tuple)
        if all("你" in sentence for sentence in request.text):
            raise UnpronounceableError("No sounds.")
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                if "你" not in request.text[chunk.sentence]:
                    yield chunk
                elif chunk.final:
                    yield AudioChunk(
                        b"", chunk.sample_rate_hz, chunk.sentence, chunk.speaker, final=True
                    )


async def latin(rig: RouterRig) -> tuple[Latin, Latin]:
    local, remote = (Latin(name=name, clock=rig.clock) for name in ("local", "remote"))
    await rig.router.set_local(local)
    await rig.router.set_remote(remote)
    return local, remote


POLICY = RouterPolicy(fallback=("local",))


@pytest.mark.parametrize("n_foreign", [3, 4, 6])
async def test_any_number_of_them_may_come_before_the_first_sound(n_foreign: int) -> None:
    async with RouterRig(policy=POLICY) as rig:
        await latin(rig)
        # Too long for one passage, so that the first passages have nothing that can be said.
        text = (*(sentence * 40 for sentence in FOREIGN[:n_foreign]), SAID)
        async with asyncio.timeout(GUARD_S):
            chunks = await rig.take(SynthesisRequest(text=text))
        assert [c.sentence for c in chunks if c.final] == list(range(n_foreign + 1))
        assert {c.sentence for c in chunks if c.pcm} == {n_foreign}
        assert len(rig.published(SentenceSkipped)) == n_foreign


@pytest.mark.parametrize(("n_failures", "skipped"), [(3, []), (1_000, [0])])
async def test_the_voice_that_can_say_one_is_awaited_for_a_moment(
    n_failures: int, skipped: list[int]
) -> None:
    """Its worker, for example, has died and is being restarted."""
    async with RouterRig(policy=POLICY) as rig:
        local, _ = await latin(rig)
        remote = ScriptedBackend(name="remote", clock=rig.clock)
        await rig.router.set_remote(remote)
        remote.script = [ScriptStep(error=WorkerDiedError("killed"))] * n_failures
        began_s = rig.clock.monotonic()
        request = SynthesisRequest(text=(FOREIGN[0], SAID))
        task = asyncio.ensure_future(gather(rig.router, request))
        while not task.done():
            await rig.clock.advance(0.05)
            await asyncio.sleep(0.001)

        chunks = await task
        assert [event.sentence for event in rig.published(SentenceSkipped)] == skipped  # type: ignore[attr-defined]
        assert {c.sentence for c in chunks if c.pcm} == {0, 1} - {*skipped}
        assert rig.clock.monotonic() - began_s < POLICY.latest_start_s + 2.0
        assert local.record.requests


async def test_a_text_of_nothing_else_fails_and_does_not_hang() -> None:
    async with RouterRig(policy=POLICY) as rig:
        await latin(rig)
        async with asyncio.timeout(GUARD_S):
            with pytest.raises((UnpronounceableError, AllBackendsFailedError)):
                await rig.take(SynthesisRequest(text=FOREIGN))


async def test_the_sentence_after_a_skipped_one_that_had_begun_is_not_begun_again() -> None:
    async with RouterRig(policy=POLICY) as rig:
        local, remote = await latin(rig)
        remote.script = [ScriptStep(after_chunks=3, error=UnpronounceableError("No more."))]
        local.script = [ScriptStep(error=UnpronounceableError("No sounds."))]
        chunks = await rig.speak(f"{SAID} Đây là câu 2.")
        assert [c.sentence for c in chunks if c.final] == [0, 1]
        assert [c.sentence for c in chunks if c.restarted] == []
