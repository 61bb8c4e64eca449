"""Health checks of one backend, as few as possible.

Real traffic is the best check, because it is free. Without traffic the checks of a remote backend
become rarer, because each costs one request of the tunnel's quota. A circuit that has cooled
down is probed by speaking a short sentence, since a server can be healthy and yet unable to speak.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError, BackendLoadingError, BackendTimeoutError
from vieneu_core.router.breaker import CircuitState
from vieneu_core.router.lasting_load import LastingLoad
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.router.probing import Prober
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import Speech
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.translatable import Translatable

_NEEDS_LOADING = {
    BackendState.UNLOADED,
    BackendState.UNREACHABLE,
    BackendState.EXPIRED,
    BackendState.FAILED,
}

_LOGGER = logging.getLogger(__name__)
PROGRESS_EVERY_S = 0.5
_MOST_SKIPPED = 16  # checks of a slow backend between two test sentences
SHORTEST_WAIT_S = 0.05
"""Shortest pause in seconds, so that the monitor never runs in a tight loop."""


class HealthMonitor:
    """Monitors one `TrackedBackend` until it is cancelled."""

    def __init__(
        self,
        tracked: TrackedBackend,
        *,
        policy: Callable[[], RouterPolicy],
        clock: Clock,
        metered: bool,
        each_round: Callable[[], Awaitable[None]],
    ) -> None:
        self._tracked = tracked
        self._policy = policy
        self._clock = clock
        self._metered = metered
        self._each_round = each_round
        self._prober = Prober(tracked, policy=policy, clock=clock)
        self._idle_checks = 0
        self._slow_checks = 0
        self._load_failed = False
        self._lasting_load = LastingLoad(self._load_backend, self.wake)
        self._watching = False
        self._woken = asyncio.Event()
        self.first_load: asyncio.Future[BackendError | None] = (
            asyncio.get_running_loop().create_future()
        )
        """Done when the first load has ended; the result is the failure, or None."""

    def wake(self) -> None:
        """Recompute the time of the next check, because something has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Load the backend, then check it repeatedly."""
        self._watching = True
        try:
            self.first_load.set_result(await self.load())
            await self._watch()
        except Exception:
            _LOGGER.exception("The health monitor of %s failed", self._tracked.name)
            raise
        finally:
            self._watching = False
            self.first_load.cancel()  # without effect if it is done
            await self._lasting_load.stop()

    async def _watch(self) -> None:
        await self._each_round()
        while True:
            self._woken.clear()
            wait_s = self.next_check_in_s()
            if wait_s > 0:
                wait_s = min(wait_s, self._next_session_mark_in_s())
                await self._wait(max(wait_s, SHORTEST_WAIT_S))
            if self.next_check_in_s() <= 0:
                await self.check()
                await self._measure_again()
            await self._each_round()

    async def load(self) -> BackendError | None:
        """Load the backend; return the failure, or None."""
        try:
            health = await self._loaded()
        except BackendError as err:
            self._tracked.health_check_failed(err, tolerated=0)
            return err
        self._tracked.health_checked(health)
        return None

    async def _loaded(self) -> Health:
        backend = self._tracked.backend
        with self._tracked.loading():
            follower = None if self._metered else asyncio.create_task(self._follow_loading())
            try:
                await self._load_backend()
                return await backend.health()
            finally:
                if follower is not None:
                    follower.cancel()

    async def _load_backend(self) -> None:
        self._load_failed = False
        try:
            await self._tracked.backend.load()
        except BackendError:
            self._load_failed = True
            raise

    async def _load_within_check(self) -> None:
        try:
            await self._lasting_load.wait()
        finally:
            if not self._watching:  # nothing would wait for it any more
                await self._lasting_load.stop()

    async def _follow_loading(self) -> None:
        """Report the progress of loading repeatedly: a download can take minutes."""
        while True:
            await self._clock.sleep(PROGRESS_EVERY_S)
            with suppress(BackendError):  # loading itself raises the failure
                health = await self._tracked.backend.health()
                if health.loading is not None:
                    self._tracked.load_progressed(health)

    def next_check_in_s(self) -> float:
        """Return the seconds until the next check; infinite if only an admin can help."""
        tracked = self._tracked
        if self._lasting_load.ended:
            return 0.0
        if math.isinf(tracked.breaker.retry_in_s):
            return math.inf
        half_open = tracked.breaker.state is CircuitState.HALF_OPEN
        if half_open and not tracked.breaker.probing and not self._idle:
            return max(0.0, self._policy().suspect_interval_s - tracked.failures.silent_s)
        due = max(0.0, self._interval_s() - tracked.failures.silent_s)
        spared_s = tracked.breaker.retry_in_s
        return spared_s if spared_s > 0 and not self._idle else max(due, spared_s)

    async def check(self, *, tolerant: bool = True) -> Health:
        """Check the backend now, and probe it if its circuit has cooled down.

        Args:
            tolerant: Whether a single timeout is ignored.

        Failures are recorded, not raised; the last health is returned.
        """
        self._idle_checks = self._idle_checks + 1 if self._idle else 0
        health = await self._health(tolerant=tolerant)
        if health.ready and self._tracked.breaker.state is CircuitState.HALF_OPEN:
            await self._try_probe()
        return health

    async def _measure_again(self) -> None:
        """Let a slow backend that requests avoid speak, ever more rarely: it may be faster now."""
        tracked, policy = self._tracked, self._policy()
        factor, n_chars = tracked.speed.real_time_factor or 0.0, tracked.failures.late_chars
        if factor > 1.0:
            n_chars = int(policy.stall_s / 2 / factor / estimated_seconds((" ",), 1.0))
        late_s = n_chars * estimated_seconds((" ",), 1.0)
        if tracked.speed.sounds_in_s(late_s) <= policy.latest_start_s or not tracked.usable:
            self._slow_checks = 0
        elif tracked.idle_s <= self._policy().in_use_s and not tracked.backlog.n_running:
            self._slow_checks += 1
            doubled = self._slow_checks & (self._slow_checks - 1) == 0
            if doubled or self._slow_checks % _MOST_SKIPPED == 0:
                await self._try_probe(n_chars)

    async def test(self) -> Speech:
        """Speak a short sentence, after loading a backend that could not be loaded before.

        Raises:
            BackendError: it cannot be loaded, or cannot speak.
        """
        if self._needs_loading:
            await self._health(tolerant=False)
            if self._tracked.failures.suspect:
                raise self._tracked.why_not_ready()
        return await self._prober.probe()

    async def _try_probe(self, n_chars: int | None = None) -> None:
        try:
            await self._prober.probe(n_chars)
        except BackendError:
            return  # it is recorded, and the circuit stays open for longer

    async def _health(self, *, tolerant: bool) -> Health:
        tracked = self._tracked
        try:
            async with asyncio.timeout(self._policy().health_check_timeout_s):
                loads = self._needs_loading or self._lasting_load.begun
                if loads:
                    await self._load_within_check()
                health = await tracked.backend.health()
        except TimeoutError:
            self._missed(self._late(), tolerant=tolerant)
        except BackendError as err:
            self._missed(err, tolerant=tolerant)
        else:
            if loads and health.ready:
                tracked.try_again()  # what failed before it was loaded says nothing about it now
            tracked.health_checked(health)
        return tracked.health or Health(state=tracked.state)

    def _late(self) -> BackendError:
        name = self._tracked.name
        if self._lasting_load.begun:
            kind = BackendTimeoutError if self._metered else BackendLoadingError
            return kind(
                Translatable("{name} was not loaded in time; loading goes on.", name=name),
                remedy="It is used as soon as it is loaded.",
            )
        return BackendTimeoutError(
            Translatable("{name} did not report its health in time.", name=name)
        )

    def _missed(self, error: BackendError, *, tolerant: bool) -> None:
        # A server that is busy speaking may respond slowly to a health check; its audio is enough.
        speaking = self._tracked.in_use and isinstance(error, BackendTimeoutError)
        tolerated = math.inf if speaking else self._policy().tolerated_failed_checks
        self._tracked.health_check_failed(error, tolerated=tolerated if tolerant else 0)

    @property
    def _needs_loading(self) -> bool:
        state = self._tracked.state
        if self._tracked.unloaded_by_admin:
            return False
        # A remote one only needs a handshake; a model on this machine is being loaded already.
        being_loaded = self._metered and state is BackendState.LOADING
        # Whatever the reason: what was never connected cannot speak, also when that has ended.
        return self._load_failed or state in _NEEDS_LOADING or being_loaded

    @property
    def _idle(self) -> bool:
        return self._metered and self._tracked.idle_s > self._policy().in_use_s

    def _interval_s(self) -> float:
        policy = self._policy()
        tracked = self._tracked
        # Once it is certain that the backend cannot speak, frequent checks are useless.
        doubted = (
            tracked.failures.suspect
            and tracked.failures.n_failed_checks <= policy.tolerated_failed_checks
        )
        if doubted and tracked.breaker.state is CircuitState.CLOSED:
            return policy.suspect_interval_s
        if not self._idle:
            return policy.health_check_interval_s
        long_idle = tracked.idle_s > policy.long_idle_after_s and self._idle_checks > 0
        longest_s = policy.long_idle_interval_s if long_idle else policy.idle_interval_s
        growing = Backoff(first_s=policy.health_check_interval_s, longest_s=longest_s)
        return growing.pause_s(1 + self._idle_checks)

    def _next_session_mark_in_s(self) -> float:
        session = self._tracked.session
        return math.inf if session is None else session.next_due_in_s()

    async def _sleep(self, seconds: float) -> object:
        await self._clock.sleep(seconds)
        return None

    async def _wait(self, seconds: float) -> None:
        """Wait until the time has passed or `wake` is called."""
        waits: set[asyncio.Task[object]] = {asyncio.create_task(self._woken.wait())}
        if not math.isinf(seconds):
            waits.add(asyncio.create_task(self._sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
