"""A remote backend from load to close, and streams that end before their end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import aiohttp
import pytest
from fault_line import Moment
from guard import GUARD_S
from line_faults import held
from remote_site import RemoteSite
from spoken_texts import GREETING

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RetryPolicy
from vieneu_core.errors import BackendError, BackendNotLoadedError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep


async def test_a_closed_backend_stays_closed(site: RemoteSite) -> None:
    remote = await site.loaded()

    await remote.aclose()

    assert not (await remote.health()).ready
    with pytest.raises(BackendNotLoadedError, match="permanently"):
        await remote.load()


async def test_nothing_is_spoken_before_load_or_after_unload(site: RemoteSite) -> None:
    remote = site.client()

    async def refused() -> None:
        with pytest.raises(BackendNotLoadedError):
            await synthesize(remote, SynthesisRequest(text=GREETING))
        with pytest.raises(BackendNotLoadedError):
            await remote.voices()

    await refused()
    await remote.load()
    await remote.load()
    await synthesize(remote, SynthesisRequest(text=GREETING))
    await remote.unload()
    await refused()
    await remote.load()
    await synthesize(remote, SynthesisRequest(text=GREETING))


async def test_a_session_that_was_handed_in_is_used_and_stays_open(site: RemoteSite) -> None:
    async with aiohttp.ClientSession() as session:
        remote = await site.loaded(session=session)
        await synthesize(remote, SynthesisRequest(text=GREETING))
        await remote.aclose()
        assert not session.closed
        other = site.client(session=session)
    with pytest.raises(BackendNotLoadedError, match="session"):
        await other.load()


async def test_unload_ends_a_stream_that_runs(site: RemoteSite) -> None:
    site.voice.script = [ScriptStep(at_sentence=1, hold=asyncio.Event())]
    remote = await site.loaded()

    async def unload_behind_the_first_sentence() -> None:
        async for chunk in remote.stream(SynthesisRequest(text=GREETING)):
            if chunk.final:
                await remote.unload()

    with pytest.raises(BackendError):
        await unload_behind_the_first_sentence()


async def test_a_stream_that_waits_for_its_first_audio_ends_with_unload_for_good(
    site: RemoteSite,
) -> None:
    site.voice.always = ScriptStep(hold=asyncio.Event())
    remote = await site.loaded(retries=RetryPolicy())
    task = asyncio.create_task(synthesize(remote, SynthesisRequest(text=GREETING)))
    async with asyncio.timeout(GUARD_S):
        await site.proxy.asked.wait()
        while not site.voice.in_flight:  # noqa: ASYNC110 - a number in a double, not an event
            await asyncio.sleep(0.01)
        await remote.aclose()
        with pytest.raises(BackendError):
            await task
    assert len(site.proxy.posts()) == 1
    assert remote._connection._session is None


@pytest.mark.parametrize("moment", [Moment.DURING, Moment.AFTER])
async def test_a_listener_who_leaves_stops_the_server(site: RemoteSite, moment: Moment) -> None:
    gate = asyncio.Event()
    site.voice.always = ScriptStep(chunk_delay_s=0.01)
    site.go_wrong(held(gate), moment)
    remote = await site.loaded()

    async with asyncio.timeout(GUARD_S):
        async with aclosing(remote.stream(SynthesisRequest(text=GREETING * 40))) as chunks:
            await anext(chunks)
        gate.set()
        await site.proxy.client_left.wait()
        while site.voice.in_flight:  # noqa: ASYNC110 - a number in a double, not an event
            await asyncio.sleep(0.01)

    assert site.voice.record.closed_early == 1
