"""A queue of long jobs in this process, and an ear for what comes out of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import av
from fake_clock import FakeClock
from guard import GUARD_S
from tone_engine import Heard, expected, heard
from waiting import until

from vieneu_colab_server.relay.jobs.job import Job, JobSpec, JobState
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.backends.base import Backend
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.testing.scripted import ScriptedBackend

RATE_HZ = 24_000
ROOM = 2**30


def numbered(count: int, first: int = 0) -> list[str]:
    """Return sentences each of which has a pitch of its own."""
    return [f"Đây là câu {number}." for number in range(first, first + count)]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def tones(sentences: Sequence[str], *, speed: float = 1.0) -> list[Heard]:
    return [expected(sentence, speed=speed) for sentence in sentences]


def samples_of(path: Path) -> bytes:
    """Decode a file to mono 16-bit samples of `RATE_HZ`, as a player does."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    parts: list[bytes] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += [bytes(out.planes[0])[: out.samples * 2] for out in resampler.resample(frame)]
        parts += [bytes(out.planes[0])[: out.samples * 2] for out in resampler.resample(None)]
    return b"".join(parts)


def heard_in(path: Path) -> list[Heard]:
    return heard(samples_of(path), RATE_HZ)


SENTENCES = numbered(6)
TEXT = " ".join(SENTENCES[:3]) + "\n\n" + " ".join(SENTENCES[3:])
"""Two paragraphs of three sentences."""


@dataclass
class JobRig:
    """A queue, with all that it depends on in the hands of the test."""

    queue: JobQueue
    folder: Path
    clock: FakeClock
    busy: list[str] = field(default_factory=list)
    """Announcements that wait or are being spoken."""

    async def submit(
        self, text: str, *, reference: ReferenceAudio | None = None, owner: str = "", **spec: Any
    ) -> Job:
        given = {"kind": ScriptKind.TEXT, "format": AudioFormat.WAV, **spec}
        return await self.queue.submit(JobSpec(**given), text, reference, owner=owner)

    async def ended(self, job: Job) -> Job:
        """Wait until a job has ended; pauses of the clock pass at once."""
        async with aclosing(self.queue.watch(job.id, every_s=0.01)) as states:
            async for state in states:
                if state.state.ended:
                    return state
                await self.clock.advance(5.0)
        raise AssertionError("removed")

    async def reached(self, job: Job, state: JobState) -> Job:
        await until(lambda: self.queue.get(job.id).state is state)
        return self.queue.get(job.id)

    async def done(self, text: str, **spec: Any) -> Job:
        job = await self.ended(await self.submit(text, **spec))
        assert job.state is JobState.DONE, job.problem
        return job

    def heard(self, job: Job) -> list[Heard]:
        return heard_in(self.queue.audio(job.id))


@asynccontextmanager
async def job_rig(
    backend: Backend, folder: Path, *, clock: FakeClock | None = None, **settings: Any
) -> AsyncIterator[JobRig]:
    """Run a queue; a scripted backend is loaded for it."""
    if isinstance(backend, ScriptedBackend):
        await backend.load()
    busy: list[str] = []
    clock = clock or FakeClock()
    room = cast("int", settings.pop("max_total_bytes", ROOM))
    own_room = cast("int | None", settings.pop("max_owner_bytes", None))
    store = JobStore(folder, max_total_bytes=room, max_owner_bytes=own_room)
    given = {name: settings.pop(name) for name in ("pace", "backend_away") if name in settings}
    limits = JobSettings(**settings)
    queue = JobQueue(backend, store, clock, lambda: bool(busy), limits, **given)
    async with asyncio.timeout(GUARD_S), queue:
        yield JobRig(queue, folder, clock, busy)
