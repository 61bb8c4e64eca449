"""The last hour of a relay: how fast its backends answered, minute by minute. Kept in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from fastapi import APIRouter

from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_colab_server.relay.metrics.measurement import Measurement
from vieneu_core.backends.base import Health
from vieneu_core.clock import Clock
from vieneu_core.router import Router

MINUTES = 60
SAMPLE_EVERY_S = 2.0
"""Between two reads of the router's status, which cost no request."""
HISTORY = "/history"
MINUTE_S = 60
MAX_SERIES = 8
"""Most backends of which figures are kept for a minute."""


@dataclass(slots=True)
class Figures:
    """Figures of one kind in one minute, in milliseconds."""

    n: int = 0
    total_ms: float = 0.0
    highest_ms: float = 0.0

    def add(self, value_ms: float) -> None:
        """Add a measured value."""
        self.n += 1
        self.total_ms += value_ms
        self.highest_ms = max(self.highest_ms, value_ms)

    def to_json(self) -> dict[str, float]:
        """Return number, mean and highest value as JSON values."""
        return {
            "n": self.n,
            "mean": round(self.total_ms / self.n, 1),
            "highest": round(self.highest_ms, 1),
        }


@dataclass(slots=True)
class Minute:
    """Figures of one minute, by backend."""

    number: int
    """Minutes since 1970, UTC."""
    latency: dict[str, Figures] = field(default_factory=dict)
    """Round trips of health checks."""
    first_audio: dict[str, Figures] = field(default_factory=dict)
    """Times to first audio of live requests."""

    def to_json(self) -> dict[str, Any]:
        """Return the minute as JSON values."""
        return {
            "time": datetime.fromtimestamp(self.number * MINUTE_S, UTC).isoformat(),
            "latency_ms": {name: each.to_json() for name, each in self.latency.items()},
            "first_audio_ms": {name: each.to_json() for name, each in self.first_audio.items()},
        }


class RelayHistory:
    """The last hour of a router. ``async with`` records its health checks meanwhile.

    Args:
        router: Its status is read.
        clock: Time.
    """

    def __init__(self, router: Router, *, clock: Clock) -> None:
        self._router = router
        self._clock = clock
        self._minutes: deque[Minute] = deque(maxlen=MINUTES)
        self._seen: dict[str, Health] = {}
        self._sampling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to record."""
        self._sampling = asyncio.create_task(self._sample(), name="sample-history")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Record no longer."""
        if self._sampling is not None:
            self._sampling.cancel()
            await asyncio.wait({self._sampling})

    def record_health(self) -> None:
        """Record the health checks that were made since the last call."""
        for backend in self._router.status().backends:
            health = backend.health
            if health is None or health is self._seen.get(backend.name):
                continue
            self._seen[backend.name] = health
            if health.latency_ms is not None:
                _add(self._minute().latency, backend.name, health.latency_ms)

    def record_speech(self, measured: Measurement) -> None:
        """Record the time to first audio, where somebody waited for it and no cache had it."""
        if (heard := measured.first_heard) is not None:
            backend, first_audio_s = heard
            _add(self._minute().first_audio, backend, first_audio_s * 1_000)

    def to_json(self) -> dict[str, Any]:
        """Return the last hour as JSON values, the oldest minute first; idle ones are left out."""
        now = self._now()
        kept = [each for each in self._minutes if each.number > now - MINUTES]
        return {
            "until": datetime.fromtimestamp((now + 1) * MINUTE_S, UTC).isoformat(),
            "minutes": [each.to_json() for each in kept],
        }

    async def _sample(self) -> None:
        while True:
            self.record_health()
            await self._clock.sleep(SAMPLE_EVERY_S)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() // MINUTE_S)

    def _minute(self) -> Minute:
        number = self._now()
        # A clock that was set back adds to the latest minute.
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(Minute(number))
        return self._minutes[-1]


def history_routes(history: RelayHistory) -> APIRouter:
    """Return the route of the last hour."""
    api = APIRouter(tags=["relay"], prefix=ADMIN_API)

    @api.get(HISTORY)
    async def last_hour() -> dict[str, Any]:
        """State latency and time to first audio of the last hour, by minute and backend."""
        return history.to_json()

    return api


def _add(series: dict[str, Figures], name: str, value_ms: float) -> None:
    if name in series or len(series) < MAX_SERIES:
        series.setdefault(name, Figures()).add(value_ms)
