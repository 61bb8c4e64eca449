"""Selection of the backend for the next request, and publishing of what changes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.router.events import RouterEvent
from vieneu_core.router.monthly_tunnel_quota import TunnelQuota
from vieneu_core.router.notifier import StatusNotifier
from vieneu_core.router.policy import Mode, RouterPolicy, candidates
from vieneu_core.router.pool import REMOTE, BackendPool
from vieneu_core.router.status import RouterStatus


class Selection:
    """The backends of a router, the admin's choice among them, and which one is active.

    Args:
        backends: Backends by name; None where there is none.
        mode: The admin's choice.
        policy: Parameters of the router.
        clock: Clock of all parts.
        rng: Source of the circuits' jitter.
        quota: Use of the tunnel.
        publish: Called with each event.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        backends: Mapping[str, Backend | None],
        *,
        mode: Mode,
        policy: RouterPolicy,
        clock: Clock,
        rng: random.Random,
        quota: TunnelQuota | None,
        publish: Callable[[RouterEvent], None],
    ) -> None:
        self.mode = mode
        self.loaded = False
        """Whether the router is loaded; before, only the states of the backends are published."""
        self._quota = quota
        self._notifier = StatusNotifier(publish)
        self.pool = BackendPool(
            {name: backend for name, backend in backends.items() if backend is not None},
            policy=policy,
            clock=clock,
            rng=rng,
            on_change=self.publish_changes,
            each_round=self._update_quota,
        )

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the backends for the next request: the admin's choice, then the fallbacks."""
        policy = self.pool.policy
        fallbacks = policy.fallback if policy.fallback_enabled else ()
        return candidates(self.mode, fallbacks, self.pool.names)

    @property
    def active(self) -> str:
        """Name of the backend that the next request goes to."""
        return self.pool.first_usable(self.candidates)

    def status(self) -> RouterStatus:
        """Return a snapshot of the router. Sends no request."""
        remote, active = self.pool.get(REMOTE), self.active
        return RouterStatus(
            mode=self.mode,
            active=active,
            fallback_active=active != self.mode.value,
            backends=self.pool.statuses(),
            ready=tuple(name for name in self.candidates if self.pool.can_speak(name)),
            session_remaining_s=remote.session.remaining_s if remote and remote.session else None,
            quota=self._quota.status() if self._quota and remote else None,
        )

    def publish_changes(self) -> None:
        """Publish changes of the backends, and of the one that gets the next request."""
        self._notifier.states(self.pool)
        if self.loaded:
            chosen = self.pool.get(self.mode.value)
            cause = chosen.last_error if chosen else None
            self._notifier.changes(self.pool)
            self._notifier.active(self.mode.value, self.active, cause)

    async def _update_quota(self) -> None:
        if self._quota is not None:
            self._notifier.quota(self._quota)
            await self._quota.flush()
        self.publish_changes()
