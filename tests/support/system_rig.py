"""The whole system: real worker processes, a real server process, a real router between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from guard import GUARD_S
from server_process import ServerHandle
from tone_engine import Heard, expected, heard

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.router import Mode, Router, RouterEvent, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import RestartPolicy

TONES = "tone_engine:create"
QUICK = RestartPolicy(first_delay_s=0.05, max_delay_s=0.2)
"""Tests kill workers more often in a minute than a home does in a year."""
SUPPORT = Path(__file__).parent


@dataclass
class SystemRig:
    """The parts of a home: a router, its backends, and the server far away."""

    router: Router
    local: LocalBackend
    last_resort: LocalBackend
    server: ServerHandle | None
    events: list[RouterEvent] = field(default_factory=list)

    def told(self, kind: type[RouterEvent]) -> list[RouterEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def speak(self, text: str, **fields: object) -> list[AudioChunk]:
        request = SynthesisRequest(text=text, **fields)  # type: ignore[arg-type]
        return [chunk async for chunk in self.router.stream(request)]


OpenHouse = Callable[..., Awaitable[SystemRig]]


@asynccontextmanager
async def open_rig(
    *,
    mode: Mode = Mode.REMOTE,
    server: ServerHandle | None = None,
    engine: str = TONES,
    policy: RouterPolicy | None = None,
) -> AsyncIterator[SystemRig]:
    local = LocalBackend(engine, restart=QUICK)
    last_resort = LocalBackend(engine, name="last_resort", restart=QUICK)
    remote = RemoteBackend(server.url, server.token) if server is not None else None
    router = Router(
        local=local,
        remote=remote,
        last_resort=last_resort,
        mode=mode,
        policy=policy or RouterPolicy(),
    )
    rig = SystemRig(router, local, last_resort, server)
    router.subscribe(rig.events.append)
    try:
        await router.load()
        yield rig
    finally:
        await router.aclose()


def pcm(chunks: list[AudioChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def speakers(chunks: list[AudioChunk]) -> list[str]:
    return [chunk.speaker.backend for chunk in chunks if chunk.final]


def sentences(n: int, *, first: int = 0) -> tuple[str, ...]:
    return tuple(f"Đây là câu {first + i} của bản tin." for i in range(n))


def heard_of(chunks: list[AudioChunk]) -> list[Heard]:
    return heard(pcm(chunks), chunks[0].sample_rate_hz)


def nothing_lost(chunks: list[AudioChunk], said: tuple[str, ...]) -> None:
    """Every sentence is heard whole and in order; only the first may be begun twice.

    Checked by ear: the tones of what was received, not what anybody says of it.
    """
    want = [expected(sentence) for sentence in said]
    got = heard_of(chunks)
    begun_twice = got[: len(got) - len(want)]
    assert [tone.hz for tone in got[len(begun_twice) :]] == [tone.hz for tone in want]
    for tone, whole in zip(got[len(begun_twice) :], want, strict=True):
        assert tone.seconds == pytest.approx(whole.seconds, abs=0.05)
    for tone in begun_twice:  # what was heard of the first sentence before it broke
        assert tone.hz == want[0].hz
        assert tone.seconds <= want[0].seconds + 0.05


async def until(condition: Callable[[], bool], *, within_s: float = GUARD_S) -> None:
    """Wait for something that other processes bring about."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.01)
