"""Rate limits: requests per minute."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import RateLimitedError
from vieneu_core.translatable import Translatable
from vieneu_core.wire.routes import STREAM, SYNTHESIZE

SPEECH_PATHS = frozenset({SYNTHESIZE, STREAM})


class PerMinute:
    """Counts events over the last minute, for each key."""

    def __init__(self, limit: int) -> None:
        self._item = RateLimitItemPerMinute(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, key: str) -> None:
        """Count one event.

        Raises:
            RateLimitedError: there were too many.
        """
        if self._limiter.hit(self._item, key):
            return
        wait_s = self._limiter.get_window_stats(self._item, key).reset_time - time.time()
        raise RateLimitedError(
            Translatable(
                "More than {amount} {key} within a minute.", amount=self._item.amount, key=key
            ),
            retry_after_s=round(max(1.0, wait_s), 1),
        )


class RateLimit:
    """Limits the requests per minute of the only token.

    Args:
        app: Receives the requests within the limits.
        speech: Counts requests for speech.
        health_checks: Counts all others, apart from speech.
        speech_paths: Paths of requests for speech.
        exempt: Paths that are not counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        speech: PerMinute,
        health_checks: PerMinute,
        speech_paths: frozenset[str],
        exempt: frozenset[str],
    ) -> None:
        self._app = app
        self._speech = speech
        self._health_checks = health_checks
        self._speech_paths = speech_paths
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            try:
                self._count(scope["path"])
            except RateLimitedError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _count(self, path: str) -> None:
        if path in self._speech_paths:
            self._speech.hit("requests for speech")
        else:
            self._health_checks.hit("other requests")
