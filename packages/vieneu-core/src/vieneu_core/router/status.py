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
from vieneu_core.router.policy import Mode
from vieneu_core.router.quota import QuotaStatus
from vieneu_core.router.tracked_backend import TrackedBackend


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

    @classmethod
    def of(cls, tracked: TrackedBackend) -> BackendStatus:
        """Return the current status of a backend."""
        expect("tracked", tracked, TrackedBackend, "a backend of a router")
        error = tracked.last_error
        return cls(
            name=tracked.name,
            state=tracked.state,
            circuit=tracked.breaker.state,
            health=tracked.health,
            last_error=ErrorReport.of(error) if error else None,
            checked_s_ago=None if math.isinf(tracked.silent_s) else tracked.silent_s,
        )

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
    session_remaining_s: float | None
    """Seconds until the remote session ends."""
    quota: QuotaStatus | None
    """Use of the tunnel; None where no remote is set up."""

    def __post_init__(self) -> None:
        check_fields(self)
        items_of("backends", self.backends, BackendStatus, "a BackendStatus")
        expect_optional("quota", self.quota, QuotaStatus, "a QuotaStatus")

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
