"""The router: a backend made of backends. Picks, streams, fails over, fails back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
)
from vieneu_core.router.announcer import Announcer
from vieneu_core.router.budget import TunnelBudget
from vieneu_core.router.delivery import Delivery, Route
from vieneu_core.router.events import BackendSwitched, EventBus, RouterEvent
from vieneu_core.router.monitor import Monitor
from vieneu_core.router.place import Place
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.router.selection import LAST_RESORT, Mode, candidates
from vieneu_core.router.session import SessionClock
from vieneu_core.router.status import BackendStatus, RouterStatus
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.voices import Voice

_REMOTE = Mode.REMOTE.value


class Router:
    """Serves requests from the backend that the admin chose, or from a stand-in.

    ``mode`` is the admin's choice; ``active`` is who gets the next request. It owns the backends
    that it is given, and closes them.
    """

    name = "router"

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        *,
        local: Backend,
        remote: Backend | None = None,
        last_resort: Backend | None = None,
        mode: Mode = Mode.LOCAL,
        policy: RouterPolicy | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        budget: TunnelBudget | None = None,
    ) -> None:
        self._policy = policy or RouterPolicy()
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._mode = mode
        self._budget = budget
        self._events = EventBus()
        self._places: dict[str, Place] = {}
        self._monitors: dict[str, tuple[Monitor, asyncio.Task[None]]] = {}
        self._retiring: dict[asyncio.Task[None], asyncio.Event] = {}
        self._loaded = False
        self._loading = asyncio.Lock()
        self._replacing = asyncio.Lock()
        self._announcer = Announcer(self._events.publish)
        for name, backend in (
            (Mode.LOCAL.value, local),
            (_REMOTE, remote),
            (LAST_RESORT, last_resort),
        ):
            if backend is not None:
                self._places[name] = self._place(name, backend)

    # --- what it is -------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """The admin's choice."""
        return self._mode

    @property
    def active(self) -> str:
        """Name of the backend that the next request goes to."""
        names = self._candidates()
        usable = (n for n in names if n in self._places and self._places[n].usable)
        return next(usable, names[0])

    def status(self) -> RouterStatus:
        """Take a snapshot of everything an admin looks at. Costs no request."""
        remote, active = self._places.get(_REMOTE), self.active
        return RouterStatus(
            mode=self._mode,
            active=active,
            fallback_active=active != self._mode.value,
            backends=tuple(self._status_of(name) for name in self._known_names()),
            session_remaining_s=remote.session.remaining_s if remote and remote.session else None,
            budget=self._budget.status() if self._budget else None,
        )

    def subscribe(self, callback: Callable[[RouterEvent], None]) -> Callable[[], None]:
        """Call ``callback`` on the event loop for each event; the answer ends that."""
        return self._events.subscribe(callback)

    def listen(self) -> AsyncGenerator[RouterEvent, None]:
        """Yield events as they come, from now on."""
        return self._events.listen()

    # --- what the admin does ----------------------------------------------------------------

    def set_mode(self, mode: Mode) -> None:
        """Send requests to the other backend from now on. Running ones end where they started.

        Raises:
            BackendError: the target is not ready; nothing has changed.
        """
        place = self._places.get(mode.value)
        if place is None:
            raise BackendNotConfiguredError(f"No {mode} backend is set up.", backend=mode.value)
        if not place.usable:
            raise place.why_not_ready()
        if mode is not self._mode:
            self._mode = mode
            self._events.publish(BackendSwitched(mode=mode))
            self._settle()

    async def set_remote(self, remote: Backend | None) -> None:
        """Put another remote backend in the place of the present one, or none.

        Requests that run on the old one end there; then it is closed.
        """
        async with self._replacing:
            old = self._places.pop(_REMOTE, None)
            self._announcer.forget(_REMOTE)
            await self._stop_monitors(_REMOTE)
            if old is not None:
                self._retire(old)
            if remote is not None:
                self._places[_REMOTE] = self._place(_REMOTE, remote)
                if self._monitors:  # loaded, or being loaded
                    self._start_monitor(_REMOTE, self._places[_REMOTE])
        if _REMOTE in self._monitors:
            await asyncio.wait({self._monitors[_REMOTE][0].first_load})
        self._settle()

    async def load_backend(self, name: str) -> Health:
        """Load one backend, and forget what failed there before.

        Raises:
            BackendError: it cannot be loaded.
        """
        place = self._require(name)
        place.forgive()
        error = await self._monitor(name, place).load()
        self._settle()
        if error is not None:
            raise error
        return place.health or Health(state=place.state)

    async def unload_backend(self, name: str) -> None:
        """Unload one backend; it stays unloaded until `load_backend`."""
        place = self._require(name)
        place.kept_unloaded = True
        await place.backend.unload()
        place.seen(Health(state=BackendState.UNLOADED))

    async def check(self, name: str) -> Health:
        """Look at one backend now, and forget that it was given up.

        Raises:
            BackendError: it does not answer.
        """
        place = self._require(name)
        place.forgive()
        health = await self._monitor(name, place).look(tolerant=False)
        if place.last_error is not None:
            raise place.last_error
        return health

    async def probe(self, name: str) -> Speech:
        """Speak one short sentence on one backend now, whatever the mode.

        Raises:
            BackendError: it cannot speak.
        """
        place = self._require(name)
        place.forgive()
        return await self._monitor(name, place).probe()

    # --- what a backend does ----------------------------------------------------------------

    async def load(self) -> None:
        """Load all backends at once, then keep an eye on them.

        Returns when the admin's choice and the last resort are loaded; or, where that fails or
        takes long, when anything can speak. What is not ready by then goes on loading.

        Raises:
            BackendError: not one of them can speak, or `unload` was called meanwhile.
        """
        async with self._loading:
            if self._loaded:
                return
            try:
                await self._load()
            except BaseException:
                await self.unload()
                raise

    async def _load(self) -> None:
        if self._budget is not None:
            await self._budget.load()
        loads = {n: self._start_monitor(n, p).first_load for n, p in self._places.items()}
        awaited = {loads[name] for name in (self._mode.value, LAST_RESORT) if name in loads}
        if awaited:
            await asyncio.wait(awaited, timeout=self._policy.load_wait_s)
        pending = set(loads.values())
        while pending and not any(place.usable for place in self._places.values()):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if not self._monitors:
            raise BackendNotLoadedError("The router was unloaded while it was being loaded.")
        if not any(place.usable for place in self._places.values()):
            raise self._not_loadable(loads)
        self._loaded = True
        self._settle()

    @staticmethod
    def _not_loadable(loads: dict[str, asyncio.Future[BackendError | None]]) -> BackendError:
        results = (load.result() for load in loads.values() if not load.cancelled())
        causes = tuple(error for error in results if error is not None)
        if len(causes) == 1:
            return causes[0]
        return AllBackendsFailedError("No backend could be loaded.", causes=causes)

    async def unload(self) -> None:
        """Stop watching, and unload all backends."""
        self._loaded = False
        await self._stop_monitors(*self._monitors)
        for place in self._places.values():
            place.health = None
        await asyncio.gather(*(place.backend.unload() for place in self._places.values()))
        if self._budget is not None:
            await self._budget.flush()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`. All chunks have the rate of the first one."""
        if not self._loaded:
            raise BackendNotLoadedError("The router is not loaded.", backend=self.name)
        route = self._route()
        delivery = Delivery(
            request,
            route,
            policy=self._policy,
            clock=self._clock,
            publish=self._events.publish,
        )
        for place in route.places:
            place.leases += 1
        try:
            async with aclosing(delivery.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            for place in route.places:
                place.leases -= 1
                place.on_change()

    async def health(self) -> Health:
        """Return the health of the backend that gets the next request."""
        place = self._places.get(self.active)
        if place is None or not self._loaded:
            return Health(state=BackendState.UNLOADED)
        return place.health or Health(state=place.state)

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the backend that gets the next request."""
        if not self._loaded:
            raise BackendNotLoadedError("The router is not loaded.", backend=self.name)
        place = self._places.get(self.active)
        if place is None:
            raise BackendNotConfiguredError(f"No {self.active} backend is set up.")
        return await place.backend.voices()

    async def aclose(self) -> None:
        """Unload, and close all backends for good."""
        await self.unload()
        for idle in self._retiring.values():
            idle.set()  # whoever still listens there has waited long enough
        await asyncio.gather(*self._retiring)
        await asyncio.gather(*(place.backend.aclose() for place in self._places.values()))

    # --- inside -----------------------------------------------------------------------------

    def _place(self, name: str, backend: Backend) -> Place:
        session = None
        if name == _REMOTE:
            session = SessionClock(policy=self._policy.session, clock=self._clock)
        place = Place(
            backend,
            name=name,
            policy=self._policy.breaker,
            clock=self._clock,
            rng=self._rng,
            session=session,
        )
        place.on_change = lambda: self._changed(name)
        return place

    def _require(self, name: str) -> Place:
        if name not in self._places:
            raise BackendNotConfiguredError(f"No {name} backend is set up.", backend=name)
        return self._places[name]

    def _candidates(self) -> tuple[str, ...]:
        stand_ins = self._policy.fallback if self._policy.fallback_enabled else ()
        return candidates(self._mode, stand_ins, self._places)

    def _route(self) -> Route:
        names = self._candidates()
        places = tuple(self._places[name] for name in names if name in self._places)
        missing = None
        if names[0] not in self._places:
            missing = BackendNotConfiguredError(
                f"No {names[0]} backend is set up.", backend=names[0]
            )
        return Route(places, missing)

    def _monitor(self, name: str, place: Place) -> Monitor:
        if name in self._monitors:
            return self._monitors[name][0]
        return Monitor(
            place,
            policy=self._policy,
            clock=self._clock,
            metered=name == _REMOTE,
            each_round=self._keep_books,
        )

    def _start_monitor(self, name: str, place: Place) -> Monitor:
        monitor = self._monitor(name, place)
        task = asyncio.create_task(monitor.run(), name=f"vieneu-monitor-{name}")
        self._monitors[name] = (monitor, task)
        return monitor

    async def _stop_monitors(self, *names: str) -> None:
        tasks = [self._monitors.pop(name)[1] for name in names if name in self._monitors]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, name: str) -> None:
        if name in self._monitors:
            self._monitors[name][0].nudge()
        self._settle()

    def _settle(self) -> None:
        """Tell what has become of the backends, and of who gets the next request."""
        if not self._loaded:
            return
        for name, place in self._places.items():
            self._announcer.backend(name, place)
        chosen = self._places.get(self._mode.value)
        cause = chosen.last_error if chosen else None
        self._announcer.active(self._mode.value, self.active, cause)

    async def _keep_books(self) -> None:
        if self._budget is not None:
            self._announcer.budget(self._budget)
            await self._budget.flush()
        self._settle()

    def _retire(self, place: Place) -> None:
        idle = asyncio.Event()

        def released() -> None:
            if place.leases == 0:
                idle.set()

        async def close_when_idle() -> None:
            await idle.wait()
            await place.backend.aclose()

        place.on_change = released
        released()
        task = asyncio.create_task(close_when_idle(), name="vieneu-retire")
        self._retiring[task] = idle
        task.add_done_callback(self._retiring.pop)

    def _known_names(self) -> tuple[str, ...]:
        names = (Mode.LOCAL.value, _REMOTE, LAST_RESORT)
        return tuple(n for n in names if n in self._places or n == _REMOTE)

    def _status_of(self, name: str) -> BackendStatus:
        place = self._places.get(name)
        return BackendStatus.absent(name) if place is None else BackendStatus.of(place)
