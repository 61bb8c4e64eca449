"""Requests of several clients take turns by sentences on one real worker process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from server_site import DecodedFrames, Site, decode_frames, serving
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

PCM = {"Accept": "application/vnd.vieneu.frames+pcm"}
READING = [f"Đây là câu {i} của bài đọc dài." for i in range(12)]
ANNOUNCEMENT = ["Cửa trước đang mở.", "Nhớ khóa cửa nhé."]


class Watched(LocalBackend):
    """A local backend that writes down what it made, in order: the first words of each request."""

    def __init__(self, **options: object) -> None:
        super().__init__(EngineSpec("tone_engine:create", options))
        self.first_audio: list[str] = []
        self.finished: list[str] = []
        self.waited_for: dict[str, int] = {}
        """How many sentences of others were finished before the first audio of a request."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert isinstance(request.text, tuple)
        name, n_before = request.text[0], len(self.finished)
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                if chunk.pcm and name not in self.first_audio:
                    self.first_audio.append(name)
                    self.waited_for[name] = len(self.finished) - n_before
                self.finished.extend([name] * chunk.final)
                yield chunk


async def speak(site: Site, sentences: list[str], request_id: str) -> DecodedFrames:
    body = {"text": sentences, "request_id": request_id, "first_audio_within_s": 250.0}
    async with site.post("/tts/stream", json=body, headers=PCM) as response:
        assert response.status == 200, await response.text()
        return decode_frames(await response.read(), opus=False)


@asynccontextmanager
async def reading_site(backend: Watched, n_readings: int = 1) -> AsyncIterator[Site]:
    """Serve a backend that is busy with long readings."""
    async with serving(backend) as site:
        readings = [
            asyncio.create_task(speak(site, [f"Bài {i}.", *READING], f"reading {i}"))
            for i in range(n_readings)
        ]
        await until(lambda: len(backend.first_audio) == n_readings)
        await until(lambda: len(backend.finished) > n_readings)
        yield site
        for i, got in enumerate(await asyncio.gather(*readings)):
            assert got.n_stated == 1 + len(READING)
            want = [expected(text) for text in [f"Bài {i}.", *READING]]
            assert same(heard(got.pcm, got.sample_rate_hz), want)


@pytest.mark.parametrize("n_readings", [1, 3])
async def test_an_announcement_is_heard_after_one_sentence_of_the_readings_at_most(
    n_readings: int,
) -> None:
    backend = Watched(chunk_delay_s=0.005)
    async with reading_site(backend, n_readings) as site:
        got = await speak(site, ANNOUNCEMENT, "announcement")

        # One more may have been finished before it came, and not be written down yet.
        assert backend.waited_for[ANNOUNCEMENT[0]] <= 2
        assert len(backend.finished) < n_readings * len(READING), "the readings go on behind it"
        assert same(heard(got.pcm, got.sample_rate_hz), [expected(s) for s in ANNOUNCEMENT])
        assert (await (await site.session.get(site.url + "/health")).json())[
            "queue_depth"
        ] == n_readings


async def test_readings_of_several_clients_go_on_side_by_side() -> None:
    backend = Watched(chunk_delay_s=0.001)
    async with reading_site(backend, 2):
        pass

    shares = [backend.finished[: len(backend.finished) // 2].count(f"Bài {i}.") for i in range(2)]
    assert min(shares) > len(READING) // 3


async def test_a_client_that_leaves_gives_its_turns_to_the_others() -> None:
    backend = Watched(chunk_delay_s=0.005)
    async with reading_site(backend) as site:
        body = {"text": READING, "request_id": "gone"}
        leaving = await site.session.post(site.url + "/tts/stream", json=body, headers=PCM)
        assert leaving.status == 200
        leaving.close()
        await until(lambda: site.service.queue.depth == 1)

        got = await speak(site, ANNOUNCEMENT, "announcement")

    assert same(heard(got.pcm, got.sample_rate_hz), [expected(s) for s in ANNOUNCEMENT])
    assert backend.finished.count(READING[0]) < len(READING)
