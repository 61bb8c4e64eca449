"""The router: a backend that delegates to other backends, with failover and failback."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.arguments import expect, expect_optional, one_of
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.router.events import BackendSwitched, EventBus, RouterEvent
from vieneu_core.router.failover_delivery import Delivery
from vieneu_core.router.memory import Memory
from vieneu_core.router.monthly_tunnel_quota import TunnelQuota
from vieneu_core.router.nothing_to_say import spoken_or_silent
from vieneu_core.router.policy import LAST_RESORT, Mode, RouterPolicy
from vieneu_core.router.pool import REMOTE
from vieneu_core.router.route import Route
from vieneu_core.router.selection import Selection
from vieneu_core.router.status import RouterStatus
from vieneu_core.synthesis import Speech, SynthesisRequest, check_request
from vieneu_core.text.current_reading import CurrentReading, Entries
from vieneu_core.text.reading import Reader
from vieneu_core.voices import Voice


class Router(Backend):
    """Serves requests from the backend that the admin chose, or from a fallback.

    ``mode`` is the admin's choice; ``active`` is the backend of the next request. It owns and
    closes the given backends. It must be used on the event loop that loaded it.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """

    name = "router"

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        *,
        local: Backend,
        remote: Backend | None = None,
        last_resort: Backend | None = None,
        mode: Mode | str = Mode.LOCAL,
        policy: RouterPolicy | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        quota: TunnelQuota | None = None,
        dictionary: Entries | None = None,
    ) -> None:
        expect("local", local, Backend, "a backend, such as LocalBackend('espeak')")
        expect_optional("remote", remote, Backend, "a backend, such as a RemoteBackend")
        expect_optional("last_resort", last_resort, Backend, "a backend")
        expect_optional("policy", policy, RouterPolicy, "a RouterPolicy")
        expect_optional("clock", clock, Clock, "a Clock")
        expect_optional("rng", rng, random.Random, "a random.Random")
        expect_optional("quota", quota, TunnelQuota, "a TunnelQuota")
        self._clock = clock or SystemClock()
        self._lifetime = Lifetime("The router", backend=self.name)
        self._quota = quota
        self._events = EventBus()
        self._loading = asyncio.Lock()
        self._selection = Selection(
            {Mode.LOCAL.value: local, REMOTE: remote, LAST_RESORT: last_resort},
            mode=one_of("mode", mode, Mode),
            policy=policy or RouterPolicy(),
            clock=self._clock,
            rng=rng or random.Random(),  # noqa: S311 - jitter, not a secret
            quota=quota,
            publish=self._events.publish,
        )
        self._pool = self._selection.pool
        self.reading = CurrentReading(dictionary, lambda: self._pool.policy.pauses, self._clock)

    @property
    def mode(self) -> Mode:
        """The admin's choice."""
        return self._selection.mode

    @property
    def active(self) -> str:
        """Name of the backend that the next request goes to."""
        return self._selection.active

    def status(self) -> RouterStatus:
        """Return a snapshot of the router. Sends no request."""
        return self._selection.status()

    def subscribe(self, callback: Callable[[RouterEvent], None]) -> Callable[[], None]:
        """Call ``callback`` on the event loop for each event; returns a function that unsubscribes.

        Raises:
            ConfigurationError: ``callback`` is not a plain function.
        """
        return self._events.subscribe(callback)

    def listen(self) -> AsyncGenerator[RouterEvent, None]:
        """Yield events from now on."""
        self._lifetime.check()
        return self._events.listen()

    def set_mode(self, mode: Mode | str, *, require_ready: bool = True) -> None:
        """Send requests to the other backend from now on. Running ones end where they started.

        Without ``require_ready`` a backend that is not ready is chosen all the same, and a fallback
        speaks until it is.

        Raises:
            ConfigurationError: there is no such mode.
            BackendError: the target is not ready, or not set up; nothing has changed.
        """
        mode = one_of("mode", mode, Mode)
        expect("require_ready", require_ready, bool, "True or False")
        self._lifetime.check()
        tracked = self._pool.require(mode.value)
        if require_ready and not tracked.usable:
            raise tracked.why_not_ready()
        if mode is not self.mode:
            self._selection.mode = mode
            self._events.publish(BackendSwitched(mode=mode))
            self._selection.publish_changes()

    def set_policy(self, policy: RouterPolicy) -> None:
        """Use other parameters: for requests from the next one on, for health checks at once.

        ``breaker`` and ``session`` hold for backends that are set from now on.

        Raises:
            ConfigurationError: it is no policy.
        """
        expect("policy", policy, RouterPolicy, "a RouterPolicy")
        self._lifetime.check()
        self._pool.set_policy(policy)
        self._selection.publish_changes()

    def set_fallback(self, *, enabled: bool, order: Sequence[str] | None = None) -> None:
        """Let fallbacks speak where the admin's choice fails, or not; from the next request on.

        Raises:
            ConfigurationError: ``enabled`` is neither True nor False, or ``order`` has a name that
                is unknown; None leaves the order as it is.
        """
        expect("enabled", enabled, bool, "True or False")
        fallback = self._pool.policy.fallback if order is None else tuple(order)
        self.set_policy(replace(self._pool.policy, fallback_enabled=enabled, fallback=fallback))

    async def set_local(self, local: Backend) -> None:
        """Replace the local backend, as `set_remote`; a fallback speaks while it loads."""
        expect("local", local, Backend, "a backend, such as LocalBackend('espeak')")
        await self._replace(Mode.LOCAL.value, local)

    async def set_remote(self, remote: Backend | None) -> None:
        """Replace the remote backend, or remove it. Requests on the old one end there first."""
        expect_optional("remote", remote, Backend, "a backend, such as a RemoteBackend")
        await self._replace(REMOTE, remote)

    async def set_last_resort(self, last_resort: Backend | None) -> None:
        """Replace the embedded voice, or remove it, as `set_remote`."""
        expect_optional("last_resort", last_resort, Backend, "a backend")
        await self._replace(LAST_RESORT, last_resort)

    async def load_backend(self, name: str) -> Health:
        """Load one backend, and reset its earlier failures.

        Raises:
            BackendError: it cannot be loaded.
        """
        self._lifetime.require_open()
        try:
            return await self._pool.load_one(name)
        finally:
            self._selection.publish_changes()

    async def unload_backend(self, name: str) -> None:
        """Unload one backend; it stays unloaded until `load_backend`.

        Raises:
            BackendNotConfiguredError: it has not been set up.
        """
        self._lifetime.use()
        await self._pool.require(name).unload_by_admin()

    async def check(self, name: str) -> Health:
        """Check one backend now, regardless of its circuit breaker.

        If its circuit is not closed, it must also speak a short sentence.

        Raises:
            BackendError: it does not answer, or cannot speak.
        """
        self._lifetime.require_open()
        return await self._pool.check(name)

    async def probe(self, name: str) -> Speech:
        """Speak one short sentence on one backend now, in any mode.

        Raises:
            BackendError: it cannot speak.
        """
        self._lifetime.require_open()
        return await self._pool.probe(name)

    async def load(self) -> None:
        """Load all backends at once, then monitor them.

        Returns when the admin's choice and the last resort are loaded; where that fails or takes
        long, when anything can speak. The rest goes on loading.

        Raises:
            BackendError: none of them can speak, or `unload` was called meanwhile, or the router
                is closed.
        """
        self._lifetime.use()
        async with self._loading:
            if self._selection.loaded:
                return
            self._lifetime.require_open()
            try:
                if self._quota is not None:
                    await self._quota.load()
                await self.reading.start()
                await self._pool.load(self.mode.value, LAST_RESORT)
                self._selection.loaded = True
                self._selection.publish_changes()
            except BaseException:
                await self.unload()
                raise

    async def unload(self) -> None:
        """Stop monitoring, and unload all backends."""
        self._lifetime.use()
        self._selection.loaded = False
        await self.reading.stop()
        await self._pool.unwatch()
        await self._pool.unload()
        if self._quota is not None:
            await self._quota.flush()

    async def stream(
        self, request: SynthesisRequest, *, memory: Memory | None = None
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`. All chunks have the sample rate of the first.

        What ``memory`` knows is replayed, and no backend is asked for it. Signs alone are a short
        silence, whose `Speaker.engine` is `SILENT_ENGINE`.
        """
        check_request(request)
        self._require_loaded()
        route = Route.along(self._selection.candidates, self._pool)
        reader = Reader(self.reading.now, speed=request.speed)
        delivery = Delivery(
            request,
            reader.passages(request.text, self._clock),
            route,
            policy=self._pool.policy,
            clock=self._clock,
            publish=self._events.publish,
            memory=memory,
        )
        with route.leased():
            async with aclosing(reader.paced(spoken_or_silent(delivery, self.active))) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def health(self) -> Health:
        """Return the health of the backend that gets the next request."""
        tracked = self._pool.get(self.active)
        if tracked is None or not self._selection.loaded:
            return Health(state=BackendState.UNLOADED)
        return tracked.health or Health(state=tracked.state)

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the backend that gets the next request."""
        self._require_loaded()
        return await self._pool.require(self.active).backend.voices()

    async def aclose(self) -> None:
        """Unload, and close all backends permanently."""
        self._lifetime.close()
        await self.unload()
        await self._pool.aclose()

    def _require_loaded(self) -> None:
        self._lifetime.use()
        if not self._selection.loaded:
            raise self._lifetime.not_loaded()

    async def _replace(self, name: str, backend: Backend | None) -> None:
        self._lifetime.require_open()
        await self._pool.replace(name, backend)
        self._selection.publish_changes()
