"""The whole system: real worker processes, a real server process, a real router between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from router_rig import pcm
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

    def received(self, kind: type[RouterEvent]) -> list[RouterEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def speak(self, text: str, **fields: object) -> list[AudioChunk]:
        request = SynthesisRequest(text=text, **fields)  # type: ignore[arg-type]
        return [chunk async for chunk in self.router.stream(request)]


OpenSystem = Callable[..., Awaitable[SystemRig]]


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


def sentences(n: int, *, first: int = 0) -> tuple[str, ...]:
    return tuple(f"Đây là câu {first + i} của bản tin." for i in range(n))


def heard_of(chunks: list[AudioChunk]) -> list[Heard]:
    return heard(pcm(chunks), chunks[0].sample_rate_hz)


def nothing_lost(chunks: list[AudioChunk], said: tuple[str, ...]) -> None:
    """Every sentence is heard whole and in order; one that broke while it was heard begins again.

    Checked by ear: the tones of what was received, not what anybody says of it.
    """
    left = heard_of(chunks)
    for sentence in said:
        want = expected(sentence)
        while len(left) > 1 and left[0].hz == left[1].hz == want.hz:
            assert left.pop(0).seconds <= want.seconds + 0.05  # what was heard before it broke
        tone = left.pop(0)
        assert tone.hz == want.hz
        assert tone.seconds == pytest.approx(want.seconds, abs=0.05)
    assert left == []
