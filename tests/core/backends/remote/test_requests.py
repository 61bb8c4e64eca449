"""What goes to a server: texts in requests, clips, who asks, over which connection."""

from __future__ import annotations

import base64
import io
import json
import wave
from dataclasses import replace

import pytest
from remote_site import PATIENT, RemoteSite
from spoken_texts import GREETING
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RetryPolicy
from vieneu_core.errors import EmptyTextError, VoiceNotFoundError
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest


async def test_a_text_beyond_the_servers_limit_goes_in_several_requests(site: RemoteSite) -> None:
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


async def test_the_request_says_who_asks_and_how_long_we_wait(site: RemoteSite) -> None:
    remote = await site.loaded(timeouts=replace(PATIENT, first_byte_s=20))

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
    assert body["replaceable"] is False
    assert site.proxy.url.split("//")[1] not in seen.body.decode()


async def test_the_request_says_whether_another_backend_can_go_on(site: RemoteSite) -> None:
    remote = await site.loaded()

    await synthesize(remote, SynthesisRequest(text="Xin chào.", replaceable=True))

    assert site.bodies[0].replaceable


async def test_reference_audio_travels_as_a_wav_file(site: RemoteSite) -> None:
    remote = await site.loaded()
    site.voice.clones = True
    clip = ReferenceAudio(pcm=b"\x01\x12" * 64_000, sample_rate_hz=16_000, transcript="Chào bạn")

    await synthesize(remote, SynthesisRequest(text="Xin chào.", reference=clip))

    body = site.bodies[0]
    assert body.voice_transcript == "Chào bạn"
    with wave.open(io.BytesIO(base64.b64decode(body.voice_sample_path or ""))) as wav:
        assert wav.getframerate() == 16_000
        assert wav.readframes(64_000) == clip.pcm


async def test_the_connection_stays_warm_from_one_request_to_the_next(site: RemoteSite) -> None:
    remote = await site.loaded()

    for _ in range(3):
        await synthesize(remote, SynthesisRequest(text=GREETING))
    await remote.health()

    assert site.proxy.n_connections == 1


async def test_a_server_that_closes_idle_connections_is_asked_again_at_once(
    site: RemoteSite,
) -> None:
    site.proxy.close_after_answer = True
    remote = await site.loaded(retries=RetryPolicy(attempts=1))

    for _ in range(3):
        speech = await synthesize(remote, SynthesisRequest(text=GREETING))
        assert same(heard(speech.pcm, 24_000), [expected(s) for s in GREETING])


async def test_what_is_wrong_with_the_request_is_told_as_the_server_told_it(
    site: RemoteSite,
) -> None:
    remote = await site.loaded()

    with pytest.raises(VoiceNotFoundError, match="vi-tone, en-tone"):
        await synthesize(remote, SynthesisRequest(text="Xin chào.", voice="ba"))


async def test_a_text_without_words_does_not_reach_the_server(site: RemoteSite) -> None:
    remote = await site.loaded()

    with pytest.raises(EmptyTextError):
        await synthesize(remote, SynthesisRequest(text=" \n "))

    assert site.proxy.posts() == []


async def test_voices_are_those_of_the_server(site: RemoteSite) -> None:
    remote = await site.loaded()

    assert await remote.voices() == await site.voice.voices()
