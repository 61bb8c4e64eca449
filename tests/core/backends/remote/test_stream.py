"""What is heard through a server, and the name of the error where that is not all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from guard import GUARD_S
from remote_site import PATIENT, RemoteSite, listen
from spoken_texts import COUNTING, GREETING, assert_whole
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteTimeouts
from vieneu_core.clock import SystemClock
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
async def test_every_sentence_is_heard_whole_and_in_order(
    site: RemoteSite, codec: str, rate_hz: int
) -> None:
    site.voice.sample_rate_hz = rate_hz
    remote = await site.loaded(codec=codec)

    speech = await synthesize(remote, SynthesisRequest(text=GREETING))

    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in GREETING])
    assert speech.sample_rate_hz == rate_hz
    assert [s.backend for s in speech.speakers] == ["remote"] * 3
    assert {(s.engine, s.voice) for s in speech.speakers} == {("scripted", "vi-tone")}


async def test_samples_that_travel_as_pcm_are_the_same_to_the_bit(site: RemoteSite) -> None:
    remote = await site.loaded(codec="pcm")
    request = SynthesisRequest(text=GREETING, speed=1.5)

    there = await synthesize(remote, request)
    here = await synthesize(site.voice, request)

    assert there.pcm == here.pcm


async def test_opus_costs_a_fraction_of_the_samples(site: RemoteSite) -> None:
    traffic: list[tuple[int, int]] = []
    remote = await site.loaded(codec="opus", on_traffic=lambda n, size: traffic.append((n, size)))
    traffic.clear()

    speech = await synthesize(remote, SynthesisRequest(text=GREETING))

    assert [n for n, _ in traffic] == [1]
    assert 1_000 < traffic[0][1] < len(speech.pcm) / 5


@pytest.mark.parametrize("codec", ["pcm", "opus"])
async def test_audio_is_passed_on_while_the_rest_is_still_being_made(
    site: RemoteSite, codec: str
) -> None:
    first_heard = asyncio.Event()
    site.voice.script = [ScriptStep(at_sentence=0, after_chunks=2, hold=first_heard)]
    remote = await site.loaded(codec=codec)

    async with (
        asyncio.timeout(GUARD_S),
        aclosing(remote.stream(SynthesisRequest(text=GREETING))) as chunks,
    ):
        first = await anext(chunks)
        first_heard.set()
        rest = [chunk async for chunk in chunks]

    assert first.pcm
    assert not first.final
    pcm = first.pcm + b"".join(chunk.pcm for chunk in rest)
    assert same(heard(pcm, 24_000), [expected(s) for s in GREETING])


async def test_the_first_sentence_of_a_text_still_being_written_is_spoken(site: RemoteSite) -> None:
    remote = await site.loaded()
    heard_first = asyncio.Event()

    async def typing() -> AsyncIterator[str]:
        yield GREETING[0] + " "
        yield GREETING[1][:8]
        await heard_first.wait()
        yield GREETING[1][8:] + " " + GREETING[2]

    chunks: list[AudioChunk] = []
    async with asyncio.timeout(GUARD_S):
        async for chunk in remote.stream(SynthesisRequest(text=typing(), request_id="letter")):
            chunks.append(chunk)
            if chunk.final:
                heard_first.set()

    assert same(
        heard(b"".join(c.pcm for c in chunks), 24_000),
        [expected(sentence) for sentence in GREETING],
    )
    assert [c.sentence for c in chunks if c.final] == [0, 1, 2]
    ids = [body.request_id for body in site.bodies]
    assert ids[0] == "letter"
    assert ids[1:] == [f"letter-{n}" for n in range(1, len(ids))]
    assert len(ids) >= 2


async def test_a_failure_midway_reaches_the_listener_by_name(site: RemoteSite) -> None:
    site.voice.script = [
        ScriptStep(at_sentence=1, after_chunks=1, error=SynthesisFailedError("No."))
    ]
    remote = await site.loaded(name="far")

    got, error = await listen(remote.stream(SynthesisRequest(text=GREETING)))

    assert [c.sentence for c in got if c.final] == [0]
    assert type(error) is SynthesisFailedError
    assert error.backend == "far"
    assert len(site.proxy.posts()) == 1


async def test_streams_side_by_side_do_not_mix(site: RemoteSite) -> None:
    remote = await site.loaded(codec="opus")
    texts = [f"Đây là bài thứ câu {n}." for n in range(12)]

    async with asyncio.timeout(GUARD_S):
        speeches = await asyncio.gather(
            *(synthesize(remote, SynthesisRequest(text=text)) for text in texts)
        )

    for text, speech in zip(texts, speeches, strict=True):
        assert same(heard(speech.pcm, 24_000), [expected(text)])


async def test_a_stream_that_ends_a_sentence_short_is_no_success(site: RemoteSite) -> None:
    site.voice.script = [ScriptStep(at_sentence=2, after_chunks=0, truncate=True)]
    remote = await site.loaded()

    got, error = await listen(remote.stream(SynthesisRequest(text=GREETING)))

    assert "2 sentences of 3" in str(error)
    assert [c.sentence for c in got if c.final] == [0, 1]


async def test_a_gap_that_the_audio_already_here_covers_is_no_stall(site: RemoteSite) -> None:
    limits = replace(PATIENT, between_chunks_s=0.3)
    texts = tuple(f"Đây là một câu khá dài số {n}." for n in range(6))
    ahead_s = sum(expected(text).seconds for text in texts[:5])
    assert ahead_s > 2
    site.voice.script = [ScriptStep(at_sentence=5, delay_s=1.0)]
    remote = await site.loaded(timeouts=limits)

    speech = await synthesize(remote, SynthesisRequest(text=texts))

    assert same(heard(speech.pcm, 24_000), [expected(text) for text in texts])


async def test_a_listener_may_take_all_the_time_in_the_world(site: RemoteSite) -> None:
    limits = RemoteTimeouts(
        connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=20, total_s=60
    )
    clock = _LeapingClock()
    remote = await site.loaded(timeouts=limits, clock=clock)
    got = []

    async for chunk in remote.stream(SynthesisRequest(text=COUNTING)):
        clock.leap_s += 3_600
        got.append(chunk)

    assert_whole(got, COUNTING)


class _LeapingClock(SystemClock):
    """Hours pass when a test says so."""

    leap_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.leap_s
