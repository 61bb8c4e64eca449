"""All backends of a router: monitoring and replacement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from vieneu_core.arguments import expect
from vieneu_core.backends.base import Backend, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    TooSlowError,
)
from vieneu_core.router.breaker import CircuitBreaker
from vieneu_core.router.health_monitor import HealthMonitor
from vieneu_core.router.policy import BACKENDS, Mode, RouterPolicy, SlowEngine
from vieneu_core.router.session_countdown import SessionClock
from vieneu_core.router.status import BackendStatus
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import Speech
from vieneu_core.translatable import Translatable

REMOTE = Mode.REMOTE.value


class BackendPool:
    """The backends by name; each has a monitor while they are watched.

    Args:
        backends: Backends by name.
        policy: How often they are checked, and when their circuits open.
        clock: Clock of all parts.
        rng: Source of the circuits' jitter.
        on_change: Called after each change of one of them.
        each_round: Awaited by a monitor after each of its rounds.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        backends: Mapping[str, Backend],
        *,
        policy: RouterPolicy,
        clock: Clock,
        rng: random.Random,
        on_change: Callable[[], None],
        each_round: Callable[[], Awaitable[None]],
    ) -> None:
        self.policy = policy
        self._clock = clock
        self._rng = rng
        self._on_change = on_change
        self._each_round = each_round
        self._monitors: dict[str, tuple[HealthMonitor, asyncio.Task[None]]] = {}
        self.watched = False
        """True between `watch` and `unwatch`; also while its only backend is replaced."""
        self._retiring: dict[asyncio.Task[None], asyncio.Event] = {}
        self._replacing = asyncio.Lock()
        self._by_name = {name: self._tracked(name, backend) for name, backend in backends.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[TrackedBackend]:
        return iter(self._by_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the configured backends."""
        return tuple(self._by_name)

    @property
    def any_usable(self) -> bool:
        """Whether at least one of them can speak now."""
        return any(tracked.usable for tracked in self)

    def set_policy(self, policy: RouterPolicy) -> None:
        """Use another policy from now on; see `Router.set_policy`."""
        self.policy = policy
        for tracked in self:
            if isinstance(tracked.last_error, TooSlowError) and not self._must_keep_up(
                tracked.name
            ):
                tracked.reset()  # it failed by the former policy only
        for monitor, _ in self._monitors.values():
            monitor.wake()

    def get(self, name: str) -> TrackedBackend | None:
        """Return the backend of this name, or None if there is none."""
        return self._by_name.get(name)

    def require(self, name: str) -> TrackedBackend:
        """Return the backend of this name.

        Raises:
            ConfigurationError: the name is not a string.
            BackendNotConfiguredError: there is none.
        """
        expect("name", name, str, "the name of a backend")
        if name not in self._by_name:
            remedy = (
                None
                if name in BACKENDS
                else Translatable("A router may have: {backends}.", backends=", ".join(BACKENDS))
            )
            raise BackendNotConfiguredError(
                Translatable("No {name} backend is set up.", name=name), remedy=remedy, backend=name
            )
        return self._by_name[name]

    def first_usable(self, names: Sequence[str]) -> str:
        """Return the first of these names whose backend can speak now, or else the first name."""
        backends = ((name, self.get(name)) for name in names)
        return next((name for name, tracked in backends if tracked and tracked.usable), names[0])

    def can_speak(self, name: str) -> bool:
        """Return whether a backend can speak, if need be more slowly than it is played."""
        tracked = self.get(name)
        return tracked is not None and tracked.state.ready

    def statuses(self) -> tuple[BackendStatus, ...]:
        """Describe all backends; a missing remote one is listed too."""
        names = [name for name in BACKENDS if name in self or name == REMOTE]
        return tuple(
            BackendStatus.absent(name)
            if (tracked := self.get(name)) is None
            else BackendStatus.of(tracked)
            for name in names
        )

    # --- watching ---------------------------------------------------------------------------

    async def load(self, *first: str) -> None:
        """Start to load and watch all; return when the given ones are loaded, or any can speak.

        Raises:
            BackendError: none of them can speak, or `unwatch` was called meanwhile.
        """
        loads = self.watch()
        awaited = {loads[name] for name in first if name in loads}
        if awaited:
            await asyncio.wait(awaited, timeout=self.policy.load_wait_s)
        pending = set(loads.values())
        while pending and not self.any_usable:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if not self.watched:
            raise BackendNotLoadedError("The router was unloaded while it was being loaded.")
        if not self.any_usable:
            raise _not_loadable(loads)

    def watch(self) -> dict[str, asyncio.Future[BackendError | None]]:
        """Start to load and watch all; each future results in the failure of loading, or None."""
        self.watched = True
        for tracked in self:
            tracked.reset()  # what failed before it was loaded anew says nothing about it now
        return {name: self._watch(name).first_load for name in self.names}

    async def unwatch(self, *names: str) -> None:
        """Stop watching the given ones, or all if none is given."""
        self.watched = self.watched and bool(names)
        chosen = names or tuple(self._monitors)
        ended = [self._monitors.pop(name) for name in chosen if name in self._monitors]
        for _, task in ended:
            task.cancel()
        await asyncio.gather(*(task for _, task in ended), return_exceptions=True)
        for monitor, _ in ended:
            monitor.first_load.cancel()  # for a monitor that was cancelled before its first step

    def monitor(self, name: str) -> HealthMonitor:
        """Return the monitor that watches a backend, or one that checks on demand only.

        Raises:
            BackendNotConfiguredError: there is no such backend.
        """
        if name in self._monitors:
            return self._monitors[name][0]
        return HealthMonitor(
            self.require(name),
            policy=lambda: self.policy,
            clock=self._clock,
            metered=name == REMOTE,
            each_round=self._each_round,
        )

    # --- one of them, on demand ---------------------------------------------------------------

    async def load_one(self, name: str) -> Health:
        """Load one backend, and forget what failed there before; see `Router.load_backend`."""
        tracked = self.require(name)
        tracked.reset()
        error = await self.monitor(name).load()
        if error is not None:
            raise error
        return tracked.health or Health(state=tracked.state)

    async def check(self, name: str) -> Health:
        """Check one backend now, whatever its circuit says; see `Router.check`."""
        tracked = self.require(name)
        tracked.try_again()
        health = await self.monitor(name).check(tolerant=False)
        if not tracked.usable:
            raise tracked.why_not_ready()
        return health

    async def probe(self, name: str) -> Speech:
        """Speak one short sentence on one backend now; see `Router.probe`."""
        self.require(name).try_again()
        return await self.monitor(name).test()

    # --- replacement -------------------------------------------------------------------

    async def replace(self, name: str, backend: Backend | None) -> None:
        """Replace a backend; None removes it.

        The old one is closed once no request holds a lease on it. Between `watch` and `unwatch`
        the new one is watched too, and this returns when its loading has ended.
        """
        async with self._replacing:
            old = self._by_name.pop(name, None)
            await self.unwatch(name)
            if old is not None:
                self._retire(old)
            if backend is not None:
                self._by_name[name] = self._tracked(name, backend)
                if self.watched:
                    self._watch(name)
        if name in self._monitors:
            await asyncio.wait({self._monitors[name][0].first_load})

    async def unload(self) -> None:
        """Unload all backends."""
        for tracked in self:
            tracked.clear_health()
        await asyncio.gather(*(tracked.backend.unload() for tracked in self))

    async def aclose(self) -> None:
        """Close all backends permanently, also replaced ones."""
        async with self._replacing:  # a backend that is being replaced has to be closed as well
            for idle in self._retiring.values():
                idle.set()  # running requests on it are interrupted
            await asyncio.gather(*self._retiring)
            await asyncio.gather(*(tracked.backend.aclose() for tracked in self))

    def _tracked(self, name: str, backend: Backend) -> TrackedBackend:
        session = None
        if name == REMOTE:
            session = SessionClock(policy=self.policy.session, clock=self._clock)
        return TrackedBackend(
            backend,
            name=name,
            breaker=CircuitBreaker(
                name, policy=self.policy.breaker, clock=self._clock, rng=self._rng
            ),
            clock=self._clock,
            on_change=lambda: self._changed(name),
            session=session,
            keeps_up=lambda: self._must_keep_up(name),
        )

    def _must_keep_up(self, name: str) -> bool:
        to_fallback = self.policy.slow_engine is SlowEngine.FALLBACK
        return name == REMOTE or (name == Mode.LOCAL and to_fallback)

    def _watch(self, name: str) -> HealthMonitor:
        monitor = self.monitor(name)
        task = asyncio.create_task(
            monitor.run(),
            name=f"vieneu-monitor-{name}",
        )
        self._monitors[name] = (monitor, task)
        return monitor

    def _changed(self, name: str) -> None:
        if name in self._monitors:
            self._monitors[name][0].wake()
        self._on_change()

    def _retire(self, tracked: TrackedBackend) -> None:
        idle = asyncio.Event()
        tracked.retire(idle.set)

        async def close_when_idle() -> None:
            await idle.wait()
            await tracked.backend.aclose()

        task = asyncio.create_task(close_when_idle(), name="vieneu-retire")
        self._retiring[task] = idle
        task.add_done_callback(self._retiring.pop)


def _not_loadable(loads: dict[str, asyncio.Future[BackendError | None]]) -> BackendError:
    results = (load.result() for load in loads.values() if not load.cancelled())
    causes = tuple(error for error in results if error is not None)
    if len(causes) == 1:
        return causes[0]
    return AllBackendsFailedError("No backend could be loaded.", causes=causes)
