"""One request id is spoken once: for two readers, for a retry, and not for another body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from server_site import Site, decode_frames, serving
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import FRAMES_PCM

SENTENCES = ["Đây là câu 5.", "Và đây là câu 30."]
BODY = {"text": SENTENCES, "request_id": "once"}
PCM = {"Accept": FRAMES_PCM}


async def test_a_retry_hears_the_same_speech_and_it_is_not_made_again(
    site: Site, backend: ScriptedBackend
) -> None:
    heard_twice = [await listen(site), await listen(site)]

    assert heard_twice[0] == heard_twice[1]
    assert len(backend.record.requests) == 1


async def test_two_clients_at_once_hear_the_same_speech() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=1, after_chunks=3, hold=hold)])

    async with serving(backend) as site:
        first = asyncio.ensure_future(listen(site))
        await until(lambda: len(backend.record.begun) == 2)
        second = asyncio.ensure_future(listen(site))
        await until(lambda: site.service.recorder.n_readers == 2)
        hold.set()
        heard_twice = await asyncio.gather(first, second)

    assert heard_twice[0] == heard_twice[1]
    assert len(backend.record.requests) == 1


async def test_a_retry_may_ask_for_another_form_and_wait_for_another_time(
    site: Site, backend: ScriptedBackend
) -> None:
    await listen(site)
    async with site.post("/tts/synthesize", json=BODY | {"first_audio_within_s": 9.0}) as response:
        assert response.status == 200

    assert len(backend.record.requests) == 1


@pytest.mark.parametrize("change", [{"text": "Khác."}, {"speed": 1.1}, {"voice": "vi-tone"}])
async def test_the_same_id_for_another_body_is_a_conflict(
    site: Site, change: dict[str, Any]
) -> None:
    await listen(site)

    async with site.post("/tts/stream", json=BODY | change) as response:
        assert (await site.problem(response)).code == "request_conflict"
        assert response.status == 409


async def test_failed_speech_is_made_again_by_a_retry() -> None:
    backend = ScriptedBackend([ScriptStep(error=SynthesisFailedError("No."))])

    async with serving(backend) as site:
        async with site.post("/tts/stream", json=BODY) as response:
            assert response.status == 500
        await listen(site)

    assert len(backend.record.requests) == 2


async def test_speech_is_kept_only_for_a_while(backend: ScriptedBackend) -> None:
    async with serving(backend, replay_keep_s=0.05) as site:
        await listen(site)
        await until(lambda: site.service.recorder.n_bytes == 0)
        await listen(site)

    assert len(backend.record.requests) == 2


async def test_a_client_that_went_before_any_audio_finds_its_speech_when_it_comes_back() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold)])

    async with serving(backend, replay_grace_s=5.0) as site:
        gone = asyncio.ensure_future(listen(site))
        await until(lambda: backend.record.begun)
        gone.cancel()
        await until(lambda: site.service.recorder.n_readers == 0)
        hold.set()
        await listen(site)

    assert len(backend.record.requests) == 1


@pytest.mark.parametrize("path", ["/tts/stream", "/tts/synthesize"])
async def test_a_client_that_does_not_come_back_in_time_ends_the_synthesis(path: str) -> None:
    backend = ScriptedBackend([ScriptStep(hold=asyncio.Event())])

    async with serving(backend, replay_grace_s=0.05) as site:
        gone = asyncio.ensure_future(site.session.post(site.url + path, json=BODY))
        await until(lambda: backend.record.begun)
        gone.cancel()
        await until(lambda: not backend.in_flight)
        await until(lambda: site.service.queue.depth == 0)

    assert backend.record.closed_early == 1


async def test_a_client_that_waits_for_the_whole_may_go_and_come_back_midway() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=1, hold=hold)])

    async with serving(backend, replay_grace_s=5.0) as site:
        gone = asyncio.ensure_future(site.session.post(site.url + "/tts/synthesize", json=BODY))
        await until(lambda: len(backend.record.begun) == 2)
        gone.cancel()
        await until(lambda: site.service.recorder.n_readers == 0)
        hold.set()
        await listen(site)

    assert len(backend.record.requests) == 1


async def test_the_last_of_two_clients_ends_the_synthesis() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, hold=asyncio.Event())])

    async with serving(backend) as site:
        url = site.url + "/tts/stream"
        responses = [await site.session.post(url, json=BODY, headers=PCM) for _ in range(2)]
        for response in responses:
            await response.content.readexactly(100)
        responses[0].close()
        await until(lambda: site.service.recorder.n_readers == 1)
        assert backend.in_flight == 1
        responses[1].close()
        await until(lambda: not backend.in_flight)


async def test_speech_too_long_to_keep_is_made_again(backend: ScriptedBackend) -> None:
    async with serving(backend, max_recording_bytes=20_000) as site:
        await listen(site)
        await listen(site)

    assert len(backend.record.requests) == 2


async def test_kept_speech_gives_way_to_new_speech(backend: ScriptedBackend) -> None:
    async with serving(backend, max_replay_bytes=60_000) as site:
        for number in range(4):
            await listen(site, BODY | {"request_id": str(number)})
            assert site.service.recorder.n_bytes < 120_000


async def test_too_much_speech_held_by_slow_clients_refuses_new_speech() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)
    long = {"text": "câu 3 " * 600, "request_id": "long"}

    async with serving(backend, max_replay_bytes=1_000) as site:
        slow = await site.session.post(site.url + "/tts/stream", json=long, headers=PCM)
        async with site.post("/tts/stream", json=BODY) as response:
            assert (await site.problem(response)).code == "busy"
            assert response.headers["Retry-After"] == "2"
        slow.close()


async def listen(site: Site, body: dict[str, Any] = BODY) -> bytes:
    async with site.post("/tts/stream", json=body, headers=PCM) as response:
        assert response.status == 200, await response.text()
        got = decode_frames(await response.read(), opus=False)
    assert same(heard(got.pcm, got.sample_rate_hz), [expected(text) for text in SENTENCES])
    return got.pcm
