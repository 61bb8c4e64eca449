"""Preparation of announcements: each is spoken once, unheard, and kept in the speech cache."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from vieneu_colab_server.relay.event_stream import report_json
from vieneu_core.errors import (
    BackendError,
    InvalidRequestError,
    NothingToSayError,
    RequestError,
    VieneuError,
)
from vieneu_core.preparer import Preparer
from vieneu_core.request_pace import RequestPace
from vieneu_core.router import ErrorReport, Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from vieneu_core.speech_cache import CachedBackend

MOST_ANNOUNCEMENTS = 1_000
READY_CHECKS = 20
READY_CHECK_S = 0.5
"""Between two checks whether the chosen backend is ready again, at most `READY_CHECKS`."""
BUSY_CHECK_S = 0.1
"""Between two checks whether announcements that somebody waits for have ended."""


class PreparationBody(BaseModel):
    """Body of ``POST /cache/prepare``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    announcements: list[str] = Field(min_length=1, max_length=MOST_ANNOUNCEMENTS)
    voice: str | None = None
    speed: float = Field(default=1.0, strict=True)
    language: str = "vi"

    def requests(self) -> list[SynthesisRequest]:
        """Make the request for each of them.

        Raises:
            InvalidRequestError: a value is out of its range.
        """
        return [
            SynthesisRequest(text=text, voice=self.voice, speed=self.speed, language=self.language)
            for text in self.announcements
        ]


class AnnouncementPreparation:
    """Prepares announcements one after the other, and yields to those that somebody waits for.

    Where the chosen backend is lost, or the cache turned off, it stops: those left are untried.

    Args:
        cached: Speaks and keeps them.
        router: Behind the cache; says when its chosen backend is ready again.
        busy: Whether announcements wait or are being spoken.
        pace: Spaces the requests to the remote backend; it has the clock.
        max_chars: Longest announcement.
    """

    def __init__(
        self,
        cached: CachedBackend,
        *,
        router: Router,
        busy: Callable[[], bool],
        pace: RequestPace,
        max_chars: int,
    ) -> None:
        self._cached = cached
        self._router = router
        self._busy = busy
        self._pace = pace
        self._max_chars = max_chars

    def start(self, body: PreparationBody, language: str) -> AsyncGenerator[bytes, None]:
        """Check the announcements; return the outcomes, a line of JSON for each.

        Raises:
            InvalidRequestError: a value is out of its range, an announcement is too long, or the
                settings want no cache.
        """
        if not self._cached.enabled:
            raise _off()
        requests = body.requests()
        for number, text in enumerate(body.announcements, 1):
            if len(text) > self._max_chars:
                raise InvalidRequestError(
                    Translatable(
                        "Announcement {number} has more than {most} characters.",
                        number=number,
                        most=self._max_chars,
                    ),
                    remedy="Shorten it.",
                )
        return self._prepared(requests, language)

    async def _prepared(
        self, requests: list[SynthesisRequest], language: str
    ) -> AsyncGenerator[bytes, None]:
        preparer = Preparer(self._cached, self._router, pace=self._pace, idle=self._idle)
        away: VieneuError | None = None
        for number, request in enumerate(requests, 1):
            if away is None and not self._cached.enabled:
                away = _off()
            if away is not None:
                yield _line(number, "untried", away, language)
                continue
            problem: VieneuError | None = None
            outcome = "present"
            try:
                if await preparer.prepare(request):
                    outcome = "prepared"
            except NothingToSayError as error:  # it sounds the same without being prepared
                outcome, problem = "silent", error
            except (RequestError, BackendError) as error:
                outcome, problem = "failed", error
                if isinstance(error, BackendError):
                    away = await self._until_ready(error)
            yield _line(number, outcome, problem, language)

    async def _idle(self) -> None:
        while self._busy():
            await self._pace.clock.sleep(BUSY_CHECK_S)

    async def _until_ready(self, failure: BackendError) -> BackendError | None:
        """Let a worker that died be restarted: one announcement must not take the next with it.

        Return why the chosen backend is not ready, if it does not become so.
        """
        for _ in range(READY_CHECKS):
            try:
                if (await self._router.check(self._router.mode.value)).ready:
                    return None
            except BackendError as error:
                failure = error
            await self._pace.clock.sleep(READY_CHECK_S)
        return failure


def _off() -> InvalidRequestError:
    return InvalidRequestError(
        "The speech cache is off.",
        remedy="Set cache.enabled: true in the settings.",
    )


def _line(number: int, outcome: str, problem: VieneuError | None, language: str) -> bytes:
    values: dict[str, Any] = {"number": number, "outcome": outcome}
    if problem is not None:
        values["problem"] = report_json(ErrorReport.of(problem), language)
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"
