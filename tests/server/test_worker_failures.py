"""A server alone: what a client hears of it when its worker dies or hangs."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from chaos.announcement import Announcement, AnnouncementListener
from chaos.engine import Script, write_script
from fault_line import Moment
from plain_client import HEADER_BYTES, plain_speech
from server_process import ServerHandle, running_server
from server_site import DecodedFrames, decode_frames
from tone_engine import expected, heard, same

from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.wire.routes import FRAMES_PCM

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(4))
TEXT = " ".join(SENTENCES)
SLOWLY = {"chunk_delay_s": 0.02}
"""Five times as fast as speech is played."""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script.json"


@pytest.fixture
async def server(script: Path) -> AsyncIterator[ServerHandle]:
    options = {"voice": "remote", "script": str(script), **SLOWLY}
    async with running_server("chaos.engine:create", options=options) as running:
        yield running


def worker_of(server: ServerHandle) -> psutil.Process | None:
    return next(iter(psutil.Process(server.pid).children()), None)


def strike(server: ServerHandle, number: signal.Signals) -> None:
    worker = worker_of(server)
    assert worker is not None
    worker.send_signal(number)


def same_speech(pcm: bytes) -> bool:
    return same(heard(pcm, 24_000), [expected(sentence) for sentence in SENTENCES])


async def frames(
    server: ServerHandle, *, at_first: signal.Signals | None, **body: Any
) -> DecodedFrames:
    """Ask for frames; send a signal to the worker when the first bytes are there."""
    headers = {**server.headers, "Accept": FRAMES_PCM}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(server.url + "/tts/stream", json={"text": SENTENCES, **body}) as answer,
    ):
        assert answer.status == 200, await answer.text()
        data = await answer.content.readany()
        if at_first is not None:
            strike(server, at_first)
        return decode_frames(data + await answer.read(), opus=False)


async def whole(server: ServerHandle) -> bytes:
    async with (
        aiohttp.ClientSession(headers=server.headers) as session,
        session.post(server.url + "/tts/synthesize", json={"text": TEXT}) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return base64.b64decode((await answer.json())["audio_base64"])[HEADER_BYTES:]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("moment", [Moment.DURING, Moment.AFTER])
async def test_a_plain_client_hears_everything(
    server: ServerHandle, number: signal.Signals, moment: Moment
) -> None:
    await whole(server)  # by now it is known for how long the engine is usually silent

    def speak(request: SynthesisRequest) -> Any:
        assert isinstance(request.text, str)
        return plain_speech(server.url, server.token, request.text)

    announcement = Announcement(first=1, n_sentences=5, style="text", plays=True)
    listener = AnnouncementListener(announcement)
    listening = asyncio.create_task(listener.listen(speak))
    await listener.moments[moment].wait()
    strike(server, number)
    got = await listening

    assert got.error == ""
    assert not got.verdict.broken, got.verdict
    assert set(got.verdict.voices) == {"remote"}


async def test_frames_are_whole_as_well_for_a_client_that_has_nothing_else(
    server: ServerHandle,
) -> None:
    got = await frames(server, at_first=signal.SIGKILL)

    assert got.problem is None
    assert got.n_stated == len(SENTENCES)
    kept = got.sentences[-len(SENTENCES) :]  # before them what was heard of one that begins again
    assert same_speech(b"".join(kept))
    assert len(got.sentences) <= len(SENTENCES) + 1


async def test_a_client_that_can_go_on_elsewhere_is_told_at_once(server: ServerHandle) -> None:
    got = await frames(server, at_first=signal.SIGKILL, replaceable=True)

    assert got.problem is not None
    assert got.problem.code == "worker_died"
    assert got.n_stated is None
    assert len(got.sentences) <= len(SENTENCES), "nothing began again"


async def test_a_whole_answer_waits_for_a_worker_that_is_being_started(
    server: ServerHandle,
) -> None:
    strike(server, signal.SIGKILL)
    async with aiohttp.ClientSession(headers=server.headers) as session:
        while True:
            async with session.get(server.url + "/readyz") as answer:
                if answer.status == 503:
                    break

    assert same_speech(await whole(server))
    assert worker_of(server) is not None


async def test_what_always_fails_is_stated_in_frames(server: ServerHandle, script: Path) -> None:
    write_script(script, Script(trouble="sigkill", skip=1, lasting=True))
    got = await frames(server, at_first=None)

    assert got.problem is not None
    assert got.problem.code == "worker_died"
    assert got.n_stated is None
    assert same(heard(got.sentences[0], 24_000), [expected(SENTENCES[0])])


async def test_what_always_fails_breaks_plain_audio_and_the_next_request_is_served(
    server: ServerHandle, script: Path
) -> None:
    write_script(script, Script(trouble="sigkill", skip=1, lasting=True))
    headers = {**server.headers, "Accept": "audio/wav"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(server.url + "/tts/stream", json={"text": TEXT}) as answer,
    ):
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()

    write_script(script, Script())
    assert same_speech(await whole(server))
