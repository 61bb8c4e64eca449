"""Snapshot of the router, for the command line, Home Assistant and programs."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from vieneu_core.arguments import check_fields, expect, expect_optional, items_of
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.router.breaker import CircuitState
from vieneu_core.router.events import ErrorReport
from vieneu_core.router.monthly_tunnel_quota import QuotaStatus
from vieneu_core.router.outage import is_lost
from vieneu_core.router.policy import Mode
from vieneu_core.router.tracked_backend import BRIEF_PAUSE_S, TrackedBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Time for which a backend is sent no requests."""

    cause: ErrorReport
    remaining_s: float | None
    """Seconds until it ends; None if only the admin can end it."""

    @classmethod
    def of(cls, tracked: TrackedBackend) -> Pause | None:
        """Return the pause of a backend, or None if it is sent requests."""
        expect("tracked", tracked, TrackedBackend, "a backend of a router")
        refusal = tracked.refusal() if tracked.pause_s > BRIEF_PAUSE_S else None
        if refusal is None:
            return None
        remaining_s = None if math.isinf(tracked.pause_s) else tracked.pause_s
        return cls(cause=ErrorReport.of(refusal), remaining_s=remaining_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendStatus:
    """Status of one backend."""

    name: str
    state: BackendState
    circuit: CircuitState
    health: Health | None
    """The last health check; None if there was none yet."""
    last_error: ErrorReport | None
    checked_s_ago: float | None
    """Seconds since it last responded or failed."""
    pause: Pause | None = None
    """Why and until when it is sent no requests, if it is paused."""
    real_time_factor: float | None = None
    """Seconds that it recently needed for a second of audio; None: unknown."""

    @classmethod
    def of(cls, tracked: TrackedBackend) -> BackendStatus:
        """Return the current status of a backend."""
        expect("tracked", tracked, TrackedBackend, "a backend of a router")
        silent_s = tracked.failures.silent_s
        return cls(
            name=tracked.name,
            state=tracked.state,
            circuit=tracked.breaker.state,
            health=tracked.health,
            last_error=tracked.failures.report,
            checked_s_ago=None if math.isinf(silent_s) else silent_s,
            pause=Pause.of(tracked),
            real_time_factor=tracked.speed.real_time_factor,
        )

    @property
    def lost(self) -> bool:
        """True if it cannot speak because of a failure; a busy or loading one is not lost."""
        return is_lost(self.state, self.last_error)

    @classmethod
    def absent(cls, name: str) -> BackendStatus:
        """Return the status of a backend that is not configured."""
        return cls(
            name=name,
            state=BackendState.NOT_CONFIGURED,
            circuit=CircuitState.CLOSED,
            health=None,
            last_error=None,
            checked_s_ago=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterStatus:
    """Status of the router and all its backends."""

    mode: Mode
    """The admin's choice."""
    active: str
    """The backend that the next request goes to."""
    fallback_active: bool
    """True if that is not the admin's choice."""
    backends: tuple[BackendStatus, ...]
    ready: tuple[str, ...]
    """Names of the backends that can speak now, in the order in which a request tries them."""
    session_remaining_s: float | None
    """Seconds until the remote session ends."""
    quota: QuotaStatus | None
    """Use of the tunnel; None where no remote is set up."""

    def __post_init__(self) -> None:
        check_fields(self)
        items_of("backends", self.backends, BackendStatus, "a BackendStatus")
        items_of("ready", self.ready, str, "the name of a backend")
        expect_optional("quota", self.quota, QuotaStatus, "a QuotaStatus")

    @property
    def nothing_speaks(self) -> bool:
        """True if no backend can speak, and none is loading that soon might."""
        return not self.ready and all(b.state is not BackendState.LOADING for b in self.backends)

    def backend(self, name: str) -> BackendStatus | None:
        """Return the status of one backend, or None if there is none of that name."""
        expect("name", name, str, "the name of a backend")
        return next((b for b in self.backends if b.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the status as plain JSON values."""
        values = dataclasses.asdict(self)
        if self.quota is not None:
            values["quota"]["used"] = round(self.quota.used, 4)
        values["budget"] = values["quota"]  # former name, deprecated
        return values
