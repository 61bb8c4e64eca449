"""Lifecycle of the server: loading, accepting requests, draining, and the end of its session."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    InternalServerError,
    VieneuError,
)

_LOGGER = logging.getLogger(__name__)
_HEALTH_CHECK_TIMEOUT_S = 2.0


class Lifecycle:
    """Loads a backend, decides whether it accepts requests, and closes it."""

    def __init__(
        self,
        backend: Backend,
        clock: Clock,
        *,
        session_limit_s: float | None,
        session_drain_s: float = 0.0,
        loading_retry_after_s: float,
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._session_limit_s = session_limit_s
        self._session_drain_s = session_drain_s
        self.started_at = clock.now()
        """Start of the session, as calendar time."""
        self._loading_retry_after_s = loading_retry_after_s
        self._started_s = clock.monotonic()
        self._loading: asyncio.Task[None] | None = None
        self._load_ended = asyncio.Event()
        self._drain_asked = False
        self._stopped_s: float | None = None
        self.load_failure: VieneuError | None = None
        """Why the backend could not be loaded."""

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started_s

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the session ends; None if it has no end."""
        if self._session_limit_s is None:
            return None
        return max(0.0, self._session_limit_s - self.uptime_s)

    @property
    def session_limit_s(self) -> float | None:
        """Length of the session in seconds; None if it has no end."""
        return self._session_limit_s

    @property
    def ends_at(self) -> datetime | None:
        """End of the session as calendar time; None if it has no end."""
        if self._session_limit_s is None:
            return None
        return self.started_at + timedelta(seconds=self._session_limit_s)

    @property
    def stopping_for_s(self) -> float:
        """Seconds since the stop of the server began; 0 before it."""
        return 0.0 if self._stopped_s is None else self._clock.monotonic() - self._stopped_s

    @property
    def draining(self) -> bool:
        """Whether it refuses new requests: on command, as it stops, or as its session ends."""
        remaining_s = self.remaining_s
        ending = remaining_s is not None and remaining_s <= self._session_drain_s
        return self._drain_asked or self._stopped_s is not None or ending

    @property
    def loading(self) -> bool:
        """Whether the backend is being loaded."""
        return self._loading is None or not self._loading.done()

    async def loaded(self) -> None:
        """Wait until the backend is loaded, or could not be: see `load_failure`."""
        await self._load_ended.wait()

    def start(self) -> None:
        """Start to load; the server responds meanwhile."""
        self._loading = asyncio.create_task(self._backend.load())
        self._loading.add_done_callback(self._end_load)

    async def aclose(self) -> None:
        """Stop loading, and close the backend."""
        if self._loading is not None and not self._loading.done():
            self._loading.cancel()
            await asyncio.wait([self._loading])
        await self._backend.aclose()

    def drain(self) -> None:
        """Refuse new requests from now on, until `resume`."""
        self._drain_asked = True

    def resume(self) -> None:
        """Undo `drain`; without effect on a server that stops or whose session ends."""
        self._drain_asked = False

    def stop(self) -> None:
        """Refuse new requests for good."""
        if self._stopped_s is None:
            self._stopped_s = self._clock.monotonic()

    def check_accepting(self) -> None:
        """Check that a request would be accepted now.

        Raises:
            BackendDrainingError, BackendLoadingError: it would not.
            VieneuError: the backend could not be loaded.
        """
        if self.draining:
            raise BackendDrainingError("The server is shutting down.", retry_after_s=30.0)
        if self.load_failure is not None:
            raise self.load_failure
        if self.loading:
            raise BackendLoadingError(
                "The model is being loaded.", retry_after_s=self._loading_retry_after_s
            )

    async def health(self) -> Health:
        """Return the backend's current health in every state."""
        if self.load_failure is not None:
            return Health(state=BackendState.FAILED)
        try:
            async with asyncio.timeout(_HEALTH_CHECK_TIMEOUT_S):
                health = await self._backend.health()
        except (BackendError, TimeoutError):
            health = Health(state=BackendState.UNREACHABLE)
        if self.loading:
            return Health(state=BackendState.LOADING, loading=health.loading)
        return health

    async def ready(self) -> bool:
        """Return whether a request would be accepted now."""
        return not self.draining and (await self.health()).ready

    def _end_load(self, task: asyncio.Task[None]) -> None:
        self._load_ended.set()
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if isinstance(error, VieneuError):
            self.load_failure = error
            _LOGGER.error("The backend could not be loaded: %s", error)
        else:
            self.load_failure = InternalServerError("The backend could not be loaded.")
            _LOGGER.error("The backend could not be loaded.", exc_info=error)
