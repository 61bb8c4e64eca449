"""Events that the router publishes. Subscribers only observe."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction

from vieneu_core.arguments import expect, refuse
from vieneu_core.backends.base import BackendState
from vieneu_core.engines.base import LoadProgress
from vieneu_core.errors import ConfigurationError, VieneuError
from vieneu_core.router.policy import Mode

_LOGGER = logging.getLogger(__name__)
BUFFERED_EVENTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """Description of an error, without secrets."""

    code: str
    title: str
    detail: str
    remedy: str

    @classmethod
    def of(cls, error: VieneuError) -> ErrorReport:
        """Describe an error."""
        expect("error", error, VieneuError, "an error of VieNeu Relay")
        return cls(code=error.code, title=error.title, detail=error.detail, remedy=error.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterEvent:
    """Base class of all events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSwitched(RouterEvent):
    """The admin chose another mode."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOver(RouterEvent):
    """Requests are routed to a fallback from now on."""

    from_backend: str
    to_backend: str
    cause: ErrorReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBack(RouterEvent):
    """Requests are routed to the admin's choice again."""

    from_backend: str
    to_backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenByFallback(RouterEvent):
    """A sentence was spoken by another backend than the admin chose."""

    request_id: str
    sentence: int
    backend: str
    cause: ErrorReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceSkipped(RouterEvent):
    """A sentence was left out, because no backend can pronounce it; the rest is spoken."""

    request_id: str
    sentence: int
    cause: ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendTooSlow(RouterEvent):
    """A backend makes speech more slowly than it is played. Published once per episode."""

    backend: str
    real_time_factor: float
    """Seconds needed for a second of audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLost(RouterEvent):
    """The remote backend was ready and no longer is. Published once per outage."""

    cause: ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLost(RouterEvent):
    """The local backend was ready and no longer is, as `RemoteLost`."""

    cause: ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRecovered(RouterEvent):
    """A backend that had failed is ready again."""

    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendStateChanged(RouterEvent):
    """A backend changed state; published on every change, including while loading."""

    backend: str
    state: BackendState


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendLoading(RouterEvent):
    """A backend is loading its model, and made progress."""

    backend: str
    progress: LoadProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRestarted(RouterEvent):
    """The worker process of a backend died and was started again."""

    backend: str
    restarts: int
    """Times that this has happened so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOpened(RouterEvent):
    """A backend failed too often: its circuit breaker is open for a while."""

    backend: str
    cause: ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitClosed(RouterEvent):
    """The circuit breaker of a backend is closed again: it takes requests."""

    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOutdated(RouterEvent):
    """The server runs an earlier release than this machine; it is used nevertheless."""

    version: str
    own: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultVoiceMissing(RouterEvent):
    """A backend has no voice of the id that is set as its default; its own default speaks."""

    backend: str
    voice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpiring(RouterEvent):
    """The remote session ends soon."""

    remaining_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpired(RouterEvent):
    """The remote session has reached its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaWarning(RouterEvent):
    """A large share of the tunnel's monthly quota is used."""

    used: float
    """Used share of the quota, 0 to 1: the larger of the shares of requests and bytes."""


class EventBus:
    """Publishes events to subscribers, none of which can delay or break the publisher."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[RouterEvent], None]] = []

    def publish(self, event: RouterEvent) -> None:
        """Schedule a call of each subscriber on the running event loop."""
        _LOGGER.info("%s", event)
        loop = asyncio.get_running_loop()
        for callback in self._callbacks:
            loop.call_soon(self._call, callback, event)

    def subscribe(self, callback: Callable[[RouterEvent], None]) -> Callable[[], None]:
        """Call ``callback`` on the event loop for each event; returns a function that unsubscribes.

        Raises:
            ConfigurationError: it is not a function, or is an ``async def``.
        """
        if iscoroutinefunction(callback):
            raise ConfigurationError(
                "callback is an async function, which would never be awaited.",
                remedy="Give a plain function, or write: async for event in router.listen()",
            )
        if not callable(callback):
            raise refuse("callback", callback, "a function that takes an event")
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def listen(self) -> AsyncGenerator[RouterEvent, None]:
        """Yield events from now on; a slow subscriber loses the oldest and delays no other."""
        waiting: deque[RouterEvent] = deque(maxlen=BUFFERED_EVENTS)
        arrived = asyncio.Event()

        def keep(event: RouterEvent) -> None:
            waiting.append(event)
            arrived.set()

        async def stream() -> AsyncGenerator[RouterEvent, None]:
            try:
                while True:
                    while waiting:
                        yield waiting.popleft()
                    arrived.clear()
                    await arrived.wait()
            finally:
                unsubscribe()

        unsubscribe = self.subscribe(keep)
        events = stream()
        weakref.finalize(events, unsubscribe)  # for a generator that is never started
        return events

    def _call(self, callback: Callable[[RouterEvent], None], event: RouterEvent) -> None:
        if callback not in self._callbacks:
            return
        try:
            callback(event)
        except Exception:
            # Any error is caught only here: a subscriber is the user's code, and speech continues.
            _LOGGER.exception("A subscriber failed on %s", type(event).__name__)
