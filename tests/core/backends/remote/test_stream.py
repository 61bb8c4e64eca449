"""What is heard through a server, when all is well."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import aiohttp
import pytest
from fault_proxy import Moment, held
from guard import GUARD_S
from remote_site import PATIENT, Site, listen
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RetryPolicy
from vieneu_core.errors import (
    BackendError,
    BackendNotLoadedError,
    EmptyTextError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep

TEXT = ("Xin chào câu 1.", "Hôm nay trời đẹp câu 2.", "Tạm biệt câu 3.")


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
async def test_every_sentence_is_heard_whole_and_in_order(
    site: Site, codec: str, rate_hz: int
) -> None:
    site.voice.sample_rate_hz = rate_hz
    remote = await site.loaded(codec=codec)

    speech = await synthesize(remote, SynthesisRequest(text=TEXT))

    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in TEXT])
    assert speech.sample_rate_hz == rate_hz
    assert [s.backend for s in speech.speakers] == ["remote"] * 3
    assert {(s.engine, s.voice) for s in speech.speakers} == {("scripted", "vi-tone")}


async def test_samples_that_travel_as_pcm_are_the_same_to_the_bit(site: Site) -> None:
    remote = await site.loaded(codec="pcm")
    request = SynthesisRequest(text=TEXT, speed=1.5)

    there = await synthesize(remote, request)
    here = await synthesize(site.voice, request)

    assert there.pcm == here.pcm


async def test_opus_costs_a_fraction_of_the_samples(site: Site) -> None:
    traffic: list[tuple[int, int]] = []
    remote = await site.loaded(codec="opus", on_traffic=lambda n, size: traffic.append((n, size)))
    traffic.clear()

    speech = await synthesize(remote, SynthesisRequest(text=TEXT))

    assert [n for n, _ in traffic] == [1]
    assert 1_000 < traffic[0][1] < len(speech.pcm) / 5


@pytest.mark.parametrize("codec", ["pcm", "opus"])
async def test_audio_is_passed_on_while_the_rest_is_still_being_made(
    site: Site, codec: str
) -> None:
    first_heard = asyncio.Event()
    site.voice.script = [ScriptStep(at_sentence=0, after_chunks=2, hold=first_heard)]
    remote = await site.loaded(codec=codec)

    async with (
        asyncio.timeout(GUARD_S),
        aclosing(remote.stream(SynthesisRequest(text=TEXT))) as chunks,
    ):
        first = await anext(chunks)
        first_heard.set()
        rest = [chunk async for chunk in chunks]

    assert first.pcm
    assert not first.final
    pcm = first.pcm + b"".join(chunk.pcm for chunk in rest)
    assert same(heard(pcm, 24_000), [expected(s) for s in TEXT])


async def test_the_first_sentence_of_a_text_still_being_written_is_spoken(site: Site) -> None:
    remote = await site.loaded()
    heard_first = asyncio.Event()

    async def typing() -> AsyncIterator[str]:
        yield TEXT[0] + " "
        yield TEXT[1][:8]
        await heard_first.wait()
        yield TEXT[1][8:] + " " + TEXT[2]

    chunks: list[AudioChunk] = []
    async with asyncio.timeout(GUARD_S):
        async for chunk in remote.stream(SynthesisRequest(text=typing(), request_id="letter")):
            chunks.append(chunk)
            if chunk.final:
                heard_first.set()

    assert same(
        heard(b"".join(c.pcm for c in chunks), 24_000), [expected(sentence) for sentence in TEXT]
    )
    assert [c.sentence for c in chunks if c.final] == [0, 1, 2]
    ids = [body.request_id for body in site.bodies]
    assert ids[0] == "letter"
    assert ids[1:] == [f"letter-{n}" for n in range(1, len(ids))]
    assert len(ids) >= 2


async def test_a_text_beyond_the_servers_limit_goes_in_several_requests(site: Site) -> None:
    remote = await site.loaded()
    text = tuple(f"Đây là một câu khá dài để vượt giới hạn của máy chủ câu {n}." for n in range(90))
    n_chars = sum(map(len, text))
    assert 4_096 < n_chars < 2 * 4_096

    chunks = [c async for c in remote.stream(SynthesisRequest(text=text, request_id="x" * 128))]

    assert [c.sentence for c in chunks if c.final] == list(range(90))
    first, second = site.bodies
    assert (*first.text, *second.text) == text
    assert all(sum(map(len, body.text)) <= 4_096 for body in site.bodies)
    assert len(second.request_id) <= 128
    assert second.request_id not in {first.request_id, "x" * 128}


async def test_the_request_says_who_asks_and_how_long_we_wait(site: Site) -> None:
    remote = await site.loaded()

    await synthesize(remote, SynthesisRequest(text="Xin chào.", voice="en-tone", speed=1.25))

    seen = site.proxy.posts()[0]
    assert seen.headers["user-agent"].startswith("vieneu-core/")
    assert seen.headers["ngrok-skip-browser-warning"]
    assert seen.headers["vieneu-wire-version"] == "1.0"
    assert seen.headers["accept-encoding"] == "identity"
    assert "cookie" not in seen.headers
    body = json.loads(seen.body)
    assert (body["voice"], body["speed"]) == ("en-tone", 1.25)
    assert 0 < body["first_audio_within_s"] < 20
    assert site.proxy.url.split("//")[1] not in seen.body.decode()


async def test_reference_audio_travels_as_a_wav_file(site: Site) -> None:
    remote = await site.loaded()
    site.voice.clones = True
    clip = ReferenceAudio(pcm=b"\x01\x12" * 64_000, sample_rate_hz=16_000, transcript="Chào bạn")

    await synthesize(remote, SynthesisRequest(text="Xin chào.", reference=clip))

    body = site.bodies[0]
    assert body.voice_transcript == "Chào bạn"
    with wave.open(io.BytesIO(base64.b64decode(body.voice_sample_path or ""))) as wav:
        assert wav.getframerate() == 16_000
        assert wav.readframes(64_000) == clip.pcm


async def test_the_connection_stays_warm_from_one_request_to_the_next(site: Site) -> None:
    remote = await site.loaded()

    for _ in range(3):
        await synthesize(remote, SynthesisRequest(text=TEXT))
    await remote.health()

    assert site.proxy.n_connections == 1


async def test_a_server_that_closes_idle_connections_is_asked_again_at_once(site: Site) -> None:
    site.proxy.close_after_answer = True
    remote = await site.loaded(retries=RetryPolicy(attempts=1))

    for _ in range(3):
        speech = await synthesize(remote, SynthesisRequest(text=TEXT))
        assert same(heard(speech.pcm, 24_000), [expected(s) for s in TEXT])


@pytest.mark.parametrize("moment", [Moment.DURING, Moment.AFTER])
async def test_a_listener_who_leaves_stops_the_server(site: Site, moment: Moment) -> None:
    gate = asyncio.Event()
    site.voice.always = ScriptStep(chunk_delay_s=0.01)
    site.go_wrong(held(gate), moment)
    remote = await site.loaded()

    async with asyncio.timeout(GUARD_S):
        async with aclosing(remote.stream(SynthesisRequest(text=TEXT * 40))) as chunks:
            await anext(chunks)
        gate.set()
        await site.proxy.client_left.wait()
        while site.voice.in_flight:  # noqa: ASYNC110 - a number in a double, not an event
            await asyncio.sleep(0.01)

    assert site.voice.record.closed_early == 1


async def test_a_closed_backend_stays_closed(site: Site) -> None:
    remote = await site.loaded()

    await remote.aclose()

    assert not (await remote.health()).ready
    with pytest.raises(BackendNotLoadedError, match="permanently"):
        await remote.load()


async def test_what_is_wrong_with_the_request_is_told_as_the_server_told_it(site: Site) -> None:
    remote = await site.loaded()

    with pytest.raises(VoiceNotFoundError, match="vi-tone, en-tone"):
        await synthesize(remote, SynthesisRequest(text="Xin chào.", voice="ba"))


async def test_a_text_without_words_does_not_reach_the_server(site: Site) -> None:
    remote = await site.loaded()

    with pytest.raises(EmptyTextError):
        await synthesize(remote, SynthesisRequest(text=" \n "))

    assert site.proxy.posts() == []


async def test_a_failure_midway_reaches_the_listener_by_name(site: Site) -> None:
    site.voice.script = [
        ScriptStep(at_sentence=1, after_chunks=1, error=SynthesisFailedError("No."))
    ]
    remote = await site.loaded(name="far")

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert [c.sentence for c in got if c.final] == [0]
    assert type(error) is SynthesisFailedError
    assert error.backend == "far"
    assert len(site.proxy.posts()) == 1


async def test_nothing_is_spoken_before_load_or_after_unload(site: Site) -> None:
    remote = site.client()

    async def refused() -> None:
        with pytest.raises(BackendNotLoadedError):
            await synthesize(remote, SynthesisRequest(text=TEXT))
        with pytest.raises(BackendNotLoadedError):
            await remote.voices()

    await refused()
    await remote.load()
    await remote.load()
    await synthesize(remote, SynthesisRequest(text=TEXT))
    await remote.unload()
    await refused()
    await remote.load()
    await synthesize(remote, SynthesisRequest(text=TEXT))


async def test_unload_ends_a_stream_that_runs(site: Site) -> None:
    site.voice.script = [ScriptStep(at_sentence=1, hold=asyncio.Event())]
    remote = await site.loaded()

    async def unload_behind_the_first_sentence() -> None:
        async for chunk in remote.stream(SynthesisRequest(text=TEXT)):
            if chunk.final:
                await remote.unload()

    with pytest.raises(BackendError):
        await unload_behind_the_first_sentence()


async def test_a_session_that_was_handed_in_is_used_and_stays_open(site: Site) -> None:
    async with aiohttp.ClientSession() as session:
        remote = await site.loaded(session=session)
        await synthesize(remote, SynthesisRequest(text=TEXT))
        await remote.aclose()
        assert not session.closed
        other = site.client(session=session)
    with pytest.raises(BackendNotLoadedError, match="session"):
        await other.load()


async def test_streams_side_by_side_do_not_mix(site: Site) -> None:
    remote = await site.loaded(codec="opus")
    texts = [f"Đây là bài thứ câu {n}." for n in range(12)]

    async with asyncio.timeout(GUARD_S):
        speeches = await asyncio.gather(
            *(synthesize(remote, SynthesisRequest(text=text)) for text in texts)
        )

    for text, speech in zip(texts, speeches, strict=True):
        assert same(heard(speech.pcm, 24_000), [expected(text)])


async def test_a_stream_that_ends_a_sentence_short_is_no_success(site: Site) -> None:
    site.voice.script = [ScriptStep(at_sentence=2, after_chunks=0, truncate=True)]
    remote = await site.loaded()

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert "2 sentences of 3" in str(error)
    assert [c.sentence for c in got if c.final] == [0, 1]


async def test_voices_are_those_of_the_server(site: Site) -> None:
    remote = await site.loaded()

    assert await remote.voices() == await site.voice.voices()


async def test_a_gap_that_the_audio_already_here_covers_is_no_stall(site: Site) -> None:
    limits = replace(PATIENT, between_chunks_s=0.3)
    texts = tuple(f"Đây là một câu khá dài số {n}." for n in range(6))
    ahead_s = sum(expected(text).seconds for text in texts[:5])
    assert ahead_s > 2
    site.voice.script = [ScriptStep(at_sentence=5, delay_s=1.0)]
    remote = await site.loaded(timeouts=limits)

    speech = await synthesize(remote, SynthesisRequest(text=texts))

    assert same(heard(speech.pcm, 24_000), [expected(text) for text in texts])


async def test_a_stream_that_waits_for_its_first_audio_ends_with_unload_for_good(
    site: Site,
) -> None:
    site.voice.always = ScriptStep(hold=asyncio.Event())
    remote = await site.loaded(retries=RetryPolicy())
    task = asyncio.create_task(synthesize(remote, SynthesisRequest(text=TEXT)))
    async with asyncio.timeout(GUARD_S):
        await site.proxy.asked.wait()
        while not site.voice.in_flight:  # noqa: ASYNC110 - a number in a double, not an event
            await asyncio.sleep(0.01)
        await remote.aclose()
        with pytest.raises(BackendError):
            await task
    assert len(site.proxy.posts()) == 1
    assert remote._connection._session is None
