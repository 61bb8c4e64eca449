"""Delivery of a request: no sentence lost, none repeated but the first, none out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from fake_clock import settle
from router_rig import (
    SENTENCES,
    TEXT,
    RouterRig,
    assert_heard,
    gather,
    lost,
    pcm,
    speakers,
    take,
)
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    BackendConnectionError,
    StreamInterruptedError,
    StreamStalledError,
    WorkerDiedError,
)
from vieneu_core.router import (
    Mode,
    RouterPolicy,
    SpokenByFallback,
)
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


@pytest.mark.parametrize(("mode", "name"), [(Mode.LOCAL, "local"), (Mode.REMOTE, "remote")])
async def test_the_selected_backend_speaks_all_of_it(mode: Mode, name: str) -> None:
    async with RouterRig(mode) as rig:
        chunks = await rig.speak()
        assert_heard(chunks)
        assert speakers(chunks) == [name] * 6
        assert not any(chunk.speaker.fallback for chunk in chunks)
        assert rig.router.active == name
        assert not rig.router.status().fallback_active


async def test_one_long_text_is_few_requests_and_the_first_holds_one_sentence() -> None:
    async with RouterRig() as rig:
        await rig.speak()
        asked = [request.text for request in rig.remote.record.requests]
        assert asked[0] == (SENTENCES[0],)
        assert asked[1] == SENTENCES[1:]
        assert len(asked) == 2
        ids = [request.request_id for request in rig.remote.record.requests]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("sentence", range(5))
@pytest.mark.parametrize("after_chunks", [0, 1, 3])
async def test_a_failure_anywhere_costs_no_sentence_and_repeats_at_most_the_first(
    sentence: int, after_chunks: int
) -> None:
    async with RouterRig() as rig:
        broken = ScriptStep(at_sentence=sentence, after_chunks=after_chunks, error=lost())
        rig.remote.script = [ScriptStep(), broken] if sentence else [broken]
        failed_at = sentence + 1 if sentence else 0
        chunks = await rig.speak()
        whole = [chunk for chunk in chunks if chunk.sentence != 0]
        assert_heard_parts(whole, SENTENCES[1:])
        by = speakers(chunks)
        assert by == ["remote"] * failed_at + ["local"] * (6 - failed_at)
        repeated = [chunk for chunk in chunks if chunk.restarted]
        assert len(repeated) == (1 if sentence == 0 and after_chunks > 1 else 0)
        assert [s.speaker.fallback for s in chunks if s.final] == [name != "remote" for name in by]
        events = rig.published(SpokenByFallback)
        assert len(events) == 6 - failed_at


def assert_heard_parts(chunks: list[AudioChunk], sentences: tuple[str, ...]) -> None:
    assert same(heard(pcm(chunks), chunks[0].sample_rate_hz), [expected(s) for s in sentences])


async def test_collected_speech_holds_each_sentence_once_even_the_one_that_broke() -> None:
    async with RouterRig() as rig:
        rig.remote.script = [ScriptStep(after_chunks=3, error=lost())]
        speech = await collect(rig.router.stream(SynthesisRequest(text=TEXT)))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in SENTENCES])
        assert speech.fallback


async def test_sentences_before_the_final_failure_are_still_delivered() -> None:
    async with RouterRig(policy=RouterPolicy(fallback_enabled=False, retry_for_s=0)) as rig:
        rig.remote.script = [ScriptStep(), ScriptStep(at_sentence=2, error=lost())]
        got: list[AudioChunk] = []
        with pytest.raises(BackendConnectionError):
            await take(rig.router, SynthesisRequest(text=TEXT), got)
        assert_heard(got, SENTENCES[:3])


async def test_a_backend_that_ends_early_or_out_of_order_is_a_failure() -> None:
    async with RouterRig() as rig:
        rig.remote.script = [ScriptStep(), ScriptStep(at_sentence=2, truncate=True)]
        chunks = await rig.speak()
        assert_heard(chunks)
        assert speakers(chunks)[-1] == "local"
        error = rig.router.status().backend("remote").last_error  # type: ignore[union-attr]
        assert error is not None
        assert error.code == StreamInterruptedError.code


async def test_a_backend_that_hangs_does_not_take_the_request_with_it() -> None:
    async with RouterRig(policy=RouterPolicy(stall_s=0.05)) as rig:
        rig.remote.script = [ScriptStep(), ScriptStep(hold=asyncio.Event())]
        chunks = await rig.speak()
        assert_heard(chunks)
        error = rig.router.status().backend("remote").last_error  # type: ignore[union-attr]
        assert error is not None
        assert error.code == StreamStalledError.code


async def test_the_first_sound_comes_before_the_first_sentence_is_whole() -> None:
    async with RouterRig() as rig:
        held = asyncio.Event()
        rig.remote.script = [ScriptStep(after_chunks=2, hold=held)]
        async with aclosing(rig.router.stream(SynthesisRequest(text=TEXT))) as stream:
            assert (await anext(stream)).sentence == 0
            assert not held.is_set()


async def test_later_sentences_are_released_only_whole() -> None:
    async with RouterRig() as rig:
        held = asyncio.Event()
        rig.remote.script = [ScriptStep(), ScriptStep(after_chunks=4, hold=held)]
        async with aclosing(rig.router.stream(SynthesisRequest(text=TEXT))) as stream:
            while not (await anext(stream)).final:
                pass
            following = asyncio.ensure_future(anext(stream))
            await settle(50)
            assert not following.done()  # four chunks of sentence 1 are there, and held back
            held.set()
            assert (await following).sentence == 1


async def test_two_sentences_are_made_ready_while_one_plays_and_no_more() -> None:
    request = SynthesisRequest(text=TEXT)
    async with RouterRig() as rig, aclosing(rig.router.stream(request)) as stream:
        await anext(stream)
        await settle(300)
        assert rig.remote.record.finished == list(SENTENCES[:3])
        while not (await anext(stream)).final:
            pass
        await anext(stream)  # the second sentence plays
        await settle(300)
        assert rig.remote.record.finished == list(SENTENCES[:4])


async def test_the_first_sentence_is_spoken_while_the_text_is_still_written() -> None:
    spoken = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        yield SENTENCES[0] + " "
        yield "Đây là "
        await spoken.wait()
        yield "câu 1 của bản tin."

    async with RouterRig() as rig:
        chunks = []
        async for chunk in rig.router.stream(SynthesisRequest(text=typed())):
            chunks.append(chunk)
            if chunk.final:
                spoken.set()
        assert_heard(chunks, SENTENCES[:2])


async def test_a_text_that_breaks_while_it_is_written_is_spoken_as_far_as_it_came() -> None:
    async def typed() -> AsyncIterator[str]:
        yield f"{SENTENCES[0]} {SENTENCES[1]} Đây"
        raise ValueError("the writer failed")

    async with RouterRig() as rig:
        chunks: list[AudioChunk] = []
        with pytest.raises(ValueError, match="the writer failed"):
            await take(rig.router, SynthesisRequest(text=typed()), chunks)
        assert_heard(chunks, (*SENTENCES[:2], "Đây"))


async def test_a_closed_stream_stops_the_synthesis_and_blames_nobody() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(after_chunks=3, hold=asyncio.Event())
        for _ in range(10):
            async with aclosing(rig.router.stream(SynthesisRequest(text=TEXT))) as stream:
                await anext(stream)
        assert rig.remote.in_flight == 0
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.circuit == "closed"
        assert status.last_error is None


async def test_patience_begins_when_a_sentence_fails_not_when_its_passage_began() -> None:
    policy = RouterPolicy(fallback_enabled=False, retry_for_s=10.0)
    async with RouterRig(Mode.LOCAL, policy) as rig:
        hold = asyncio.Event()
        rig.local.script = [
            ScriptStep(),
            ScriptStep(at_sentence=2, hold=hold, error=WorkerDiedError("killed")),
        ]
        task = asyncio.ensure_future(gather(rig.router, SynthesisRequest(text=TEXT)))
        for _ in range(15):  # slow, but never silent for long
            await rig.clock.advance(1.0)
        hold.set()
        while not task.done():
            await rig.clock.advance(0.05)
            await asyncio.sleep(0.001)
        assert_heard(await task)


async def test_what_comes_back_within_the_time_for_retries_is_heard_soon() -> None:
    policy = RouterPolicy(fallback_enabled=False, retry_for_s=10.0)
    async with RouterRig(Mode.LOCAL, policy) as rig:
        rig.local.always = ScriptStep(error=WorkerDiedError("killed"))
        task = asyncio.ensure_future(gather(rig.router, SynthesisRequest(text=TEXT)))
        for _ in range(180):
            await rig.clock.advance(0.05)
            await asyncio.sleep(0.001)
        assert not task.done(), "it is tried for ten seconds"
        rig.local.always = ScriptStep()
        for _ in range(30):
            await rig.clock.advance(0.05)
            await asyncio.sleep(0.001)
        assert_heard(await task)


@pytest.mark.parametrize("n_sentences", [1, 3])
async def test_a_failure_after_the_last_sentence_leaves_nothing_to_be_spoken_again(
    n_sentences: int,
) -> None:
    async with RouterRig(policy=RouterPolicy(stall_s=0.05)) as rig:
        remote = EndlessBackend(name="remote", clock=rig.clock)
        await rig.router.set_remote(remote)
        chunks = await rig.speak(" ".join(SENTENCES[:n_sentences]))
        assert_heard(chunks, SENTENCES[:n_sentences])
        assert speakers(chunks)[0] == "remote"
        error = rig.router.status().backend("remote").last_error  # type: ignore[union-attr]
        assert error is not None


class EndlessBackend(ScriptedBackend):
    """Hangs after its last sentence, as where the end mark of a stream does not come."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk
        await asyncio.Event().wait()
