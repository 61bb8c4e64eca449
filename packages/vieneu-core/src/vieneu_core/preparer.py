"""Preparation of announcements by the chosen backend, at a pace that the remote's server allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vieneu_core.clock import SystemClock
from vieneu_core.errors import (
    BackendError,
    Consequence,
    EmptyTextError,
    VieneuError,
    error_class,
)
from vieneu_core.request_pace import RequestPace
from vieneu_core.router import BackendStatus, ErrorReport, Mode, Router
from vieneu_core.router.tracked_backend import BRIEF_PAUSE_S
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.passages import passages
from vieneu_core.text.sentence_splitter import sentences

if TYPE_CHECKING:
    from vieneu_core.speech_cache import CachedBackend

LONGEST_WAIT_S = 60.0
"""Longest wait for a backend that asks for a pause: a server counts its requests by the minute."""


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass(slots=True)
class Preparer:
    """Prepares one announcement after the other.

    Args:
        cached: Speaks and keeps them.
        router: Behind the cache.
        pace: Spaces the requests to the remote backend.
        idle: Returns once nobody waits for speech.
    """

    cached: CachedBackend
    router: Router
    pace: RequestPace = field(default_factory=lambda: RequestPace(SystemClock()))
    idle: Callable[[], Awaitable[None]] = _at_once

    async def prepare(self, request: SynthesisRequest) -> bool:
        """As `CachedBackend.prepare`; once more where the backend asks for a pause, after that."""
        status = self._status()
        before = None if status is None else status.last_error
        try:
            return await self._prepare(request)
        except BackendError as error:
            pause_s = self._pause_s(error, before)
            if pause_s is None or pause_s > LONGEST_WAIT_S:
                raise
        await self.pace.clock.sleep(pause_s)
        return await self._prepare(request)

    async def _prepare(self, request: SynthesisRequest) -> bool:
        await self.pace.wait()
        await self.idle()
        begun_s = self.pace.clock.monotonic()
        try:
            spoken = await self.cached.prepare(request)
        except EmptyTextError:
            raise  # nothing was sent
        except VieneuError:
            self._sent(begun_s, 1)
            raise
        if spoken:
            sent = passages(sentences(request.text))
            self._sent(begun_s, len([passage async for passage in sent]))
        return spoken

    def _sent(self, begun_s: float, n_requests: int) -> None:
        if self.router.mode is Mode.REMOTE:
            self.pace.sent(begun_s, n_requests)

    def _status(self) -> BackendStatus | None:
        return self.router.status().backend(self.router.mode.value)

    def _pause_s(self, error: BackendError, before: ErrorReport | None) -> float | None:
        """Return for how long the chosen backend asks to be left alone; None where it does not.

        Where a fallback spoke instead, the error does not say it, but the router knows.

        Args:
            error: What has failed.
            before: The backend's last error before the attempt: it says nothing of this one.
        """
        if error.retry_after_s is not None:
            return error.retry_after_s
        status = self._status()
        if status is None or status.last_error is None:
            return None
        if status.last_error is before and status.pause is None:
            return None
        kind = error_class(status.last_error.code)
        if kind is None or kind.consequence is not Consequence.PAUSE:
            return None
        return BRIEF_PAUSE_S if status.pause is None else status.pause.remaining_s
