"""Time limits of a request to the server, and the errors for exceeding them.

Only *waiting* for the server counts: no limit runs while the consumer holds a chunk, or while the
source of the text is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from enum import Enum

from vieneu_core.arguments import check_fields
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendTimeoutError,
    ConfigurationError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    StreamStalledError,
    TooSlowError,
)
from vieneu_core.translatable import Translatable

CLOUDFLARE_FIRST_BYTE_S = 100.0
"""Cloudflare ends a request after this long without a first byte (status 524)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTimeouts:
    """Time limits for waiting, in seconds.

    Raises:
        ConfigurationError: a limit is not a number above 0, or ``first_byte_s`` is longer than a
            tunnel waits.
    """

    total_s: float = 60.0
    """Total waiting time for one HTTP request, retries included."""
    connect_s: float = 3.0
    """Until the connection is established: name resolution, TCP and TLS."""
    first_byte_s: float = 5.0
    """From the connection to the first byte of the response, which comes with the first audio."""
    between_chunks_s: float = 2.0
    """Longest pause after audio has begun, beyond the playing time of audio received ahead."""
    min_rate: float = 1.0
    """Seconds of audio to be received per second of waiting; 1 is real time."""
    behind_s: float = 3.0
    """Longest lag behind ``min_rate``. Audio received ahead counts in its favour."""

    def __post_init__(self) -> None:
        check_fields(self)
        for limit in fields(self):
            value: float = getattr(self, limit.name)
            if not value > 0:
                raise ConfigurationError(
                    Translatable(
                        "{limit} is {value}; it must be above 0.", limit=limit.name, value=value
                    )
                )
        if self.first_byte_s >= CLOUDFLARE_FIRST_BYTE_S:
            raise ConfigurationError(
                Translatable(
                    "first_byte_s is {first_byte_s}; a tunnel waits"
                    " {cloudflare_first_byte_s:.0f} s at most, so it must be below that.",
                    first_byte_s=self.first_byte_s,
                    cloudflare_first_byte_s=CLOUDFLARE_FIRST_BYTE_S,
                )
            )

    @property
    def first_audio_within_s(self) -> float:
        """Limit sent to the server, so that its error arrives before this client's timeout."""
        return self.first_byte_s * 0.9


_Limit = tuple[float, type[BackendTimeoutError]]
"""Seconds, and the error for exceeding them."""


def _seconds(limit: _Limit) -> float:
    return limit[0]


class WaitingFor(Enum):
    """What a wait is for."""

    ANSWER = "answer"
    BYTES = "bytes"


class Deadlines:
    """Tracks the limits of one request over all its attempts."""

    def __init__(self, timeouts: RemoteTimeouts, clock: Clock, *, host: str) -> None:
        self._timeouts = timeouts
        self._clock = clock
        self._host = host
        self._waited_s = 0.0
        self._audio_s = 0.0
        self._waited_at_answer_s: float | None = None
        self._answered_at_s = 0.0

    @property
    def waited_s(self) -> float:
        """Seconds of waiting so far, the pauses between attempts included."""
        return self._waited_s

    @property
    def remaining_s(self) -> float:
        """Waiting time left until the deadline, in seconds."""
        return max(0.0, self._timeouts.total_s - self._waited_s)

    def answered(self) -> None:
        """Record that audio has begun: ``min_rate`` applies from now on."""
        self._waited_at_answer_s = self._waited_s
        self._answered_at_s = self._clock.monotonic()

    def heard(self, seconds: float) -> None:
        """Record received audio, in seconds."""
        self._audio_s += seconds

    async def pause(self, seconds: float) -> None:
        """Wait between two attempts; the time counts towards the deadline."""
        await self._clock.sleep(seconds)
        self._waited_s += seconds

    @asynccontextmanager
    async def waiting(self, what: WaitingFor) -> AsyncGenerator[Wait, None]:
        """Apply the limits to what is awaited inside.

        Raises:
            BackendTimeoutError: a limit was exceeded; the subclass states which one.
        """
        began = self._clock.monotonic()
        wait = Wait(self._limit(what), self._from_sent())
        try:
            async with wait.timeout:
                yield wait
        except TimeoutError as err:
            if not wait.timeout.expired():
                raise
            raise self._timeout_error(wait.reason) from err
        finally:
            wait.over = True
            self._waited_s += max(0.0, self._clock.monotonic() - began)

    def _from_sent(self) -> _Limit:
        own: _Limit = (self._timeouts.first_byte_s, FirstByteTimeoutError)
        deadline: _Limit = (self.remaining_s, DeadlineExceededError)
        return min(own, deadline, key=_seconds)

    def _limit(self, what: WaitingFor) -> _Limit:
        limits = self._timeouts
        own: _Limit = (limits.between_chunks_s + self._ahead_s(), StreamStalledError)
        if what is WaitingFor.ANSWER:
            own = (limits.connect_s + limits.first_byte_s, FirstByteTimeoutError)
        deadline: _Limit = (self.remaining_s, DeadlineExceededError)
        rate: _Limit = (self._until_too_slow_s(), TooSlowError)
        return min(own, deadline, rate, key=_seconds)

    def _ahead_s(self) -> float:
        """Return how many seconds of the received audio cannot have been played yet."""
        if self._waited_at_answer_s is None:
            return 0.0
        return max(0.0, self._audio_s - (self._clock.monotonic() - self._answered_at_s))

    def _until_too_slow_s(self) -> float:
        if self._waited_at_answer_s is None:
            return float("inf")
        allowed_s = self._audio_s / self._timeouts.min_rate + self._timeouts.behind_s
        return max(0.0, self._waited_at_answer_s + allowed_s - self._waited_s)

    def _timeout_error(self, reason: type[BackendTimeoutError]) -> BackendTimeoutError:
        limits = self._timeouts
        words = {
            FirstByteTimeoutError: Translatable(
                "sent nothing within {first_byte_s:g} s", first_byte_s=limits.first_byte_s
            ),
            StreamStalledError: Translatable(
                "sent no more audio for {between_chunks_s:g} s",
                between_chunks_s=limits.between_chunks_s,
            ),
            DeadlineExceededError: Translatable(
                "was not done after {total_s:g} s of waiting", total_s=limits.total_s
            ),
            TooSlowError: (
                Translatable(
                    "sends audio more slowly than {min_rate:g} times the speed of playing it",
                    min_rate=limits.min_rate,
                )
            ),
        }
        return reason(Translatable("{host} {what}.", host=self._host, what=words[reason]))


class Wait:
    """One wait in progress."""

    def __init__(self, limit: _Limit, from_sent: _Limit) -> None:
        seconds, self.reason = limit
        self.timeout = asyncio.timeout(seconds)
        self.over = False
        self._from_sent = from_sent

    def sent(self) -> None:
        """Record that the request was sent: ``first_byte_s`` applies from now on."""
        if not self.over and not self.timeout.expired():
            seconds, self.reason = self._from_sent
            self.timeout.reschedule(asyncio.get_running_loop().time() + seconds)
