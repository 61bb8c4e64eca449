"""Turns what has become of the backends into events, each told once."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary, WeakSet

from vieneu_core import __version__
from vieneu_core.backends.base import BackendState
from vieneu_core.engines.base import LoadProgress
from vieneu_core.errors import BackendError
from vieneu_core.router.breaker import CircuitState
from vieneu_core.router.events import (
    BackendLoading,
    BackendRecovered,
    BackendStateChanged,
    BudgetWarning,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    ErrorReport,
    FailedBack,
    FailedOver,
    RemoteLost,
    RouterEvent,
    ServerOutdated,
    SessionExpired,
    SessionExpiring,
)
from vieneu_core.router.quota import TunnelBudget
from vieneu_core.router.selection import Mode
from vieneu_core.router.tracked_backend import Place
from vieneu_core.wire.version import is_older

_LOST = {
    BackendState.UNREACHABLE,
    BackendState.UNAUTHORIZED,
    BackendState.EXPIRED,
    BackendState.FAILED,
}


class Announcer:
    """Remembers what was told, so that one outage is one event."""

    def __init__(self, publish: Callable[[RouterEvent], None]) -> None:
        self._publish = publish
        # Of places, not of names: one that takes another's place begins with a clean sheet.
        self._states: WeakKeyDictionary[Place, BackendState] = WeakKeyDictionary()
        self._was_ready: WeakSet[Place] = WeakSet()
        self._lost: WeakSet[Place] = WeakSet()
        self._open: WeakSet[Place] = WeakSet()
        self._progress: WeakKeyDictionary[Place, LoadProgress] = WeakKeyDictionary()
        self._outdated: WeakKeyDictionary[Place, str] = WeakKeyDictionary()
        self._missing_voices: WeakKeyDictionary[Place, str | None] = WeakKeyDictionary()
        self._standing_in: str | None = None

    def state(self, place: Place) -> None:
        """Tell what state a backend is in now, and how far its loading has come."""
        if place.state is not self._states.get(place, BackendState.UNLOADED):
            self._states[place] = place.state
            self._publish(BackendStateChanged(backend=place.name, state=place.state))
        progress = place.health.loading if place.health is not None else None
        if progress is not None and progress != self._progress.get(place):
            self._progress[place] = progress
            self._publish(BackendLoading(backend=place.name, progress=progress))

    def backend(self, place: Place) -> None:
        """Publish what has become of a backend: circuit, session, version, voice, outage."""
        self._circuit(place)
        self._session(place)
        self._version(place)
        self._default_voice(place)
        if place.state.ready:
            self._was_ready.add(place)
            if place in self._lost and place.usable:
                self._lost.discard(place)
                self._publish(BackendRecovered(backend=place.name))
        elif place.state in _LOST and place in self._was_ready and place not in self._lost:
            self._lost.add(place)
            if place.name == Mode.REMOTE.value and place.last_error is not None:
                self._publish(RemoteLost(cause=ErrorReport.of(place.last_error)))

    def active(self, chosen: str, active: str, cause: BackendError | None) -> None:
        """Tell when requests begin to go to a stand-in, and when that ends."""
        before, self._standing_in = self._standing_in, active if active != chosen else None
        if self._standing_in is not None and self._standing_in != before:
            report = ErrorReport.of(cause) if cause is not None else None
            self._publish(
                FailedOver(from_backend=before or chosen, to_backend=active, cause=report)
            )
        elif self._standing_in is None and before not in {None, active}:
            self._publish(FailedBack(from_backend=before, to_backend=active))

    def budget(self, budget: TunnelBudget) -> None:
        """Tell when a large share of the tunnel's allowance is used."""
        if budget.due() is not None:
            self._publish(BudgetWarning(used=budget.status().used))

    def _circuit(self, place: Place) -> None:
        opened = place.breaker.state is not CircuitState.CLOSED
        if opened and place not in self._open and place.last_error is not None:
            self._open.add(place)
            self._publish(CircuitOpened(backend=place.name, cause=ErrorReport.of(place.last_error)))
        elif not opened and place in self._open:
            self._open.discard(place)
            self._publish(CircuitClosed(backend=place.name))

    def _version(self, place: Place) -> None:
        version = place.health.version if place.health is not None else None
        if version is None or self._outdated.get(place) == version:
            return
        if is_older(version, own=__version__):
            self._outdated[place] = version
            self._publish(ServerOutdated(version=version, own=__version__))

    def _default_voice(self, place: Place) -> None:
        missing = place.health.missing_voice if place.health is not None else None
        if missing is not None and missing != self._missing_voices.get(place):
            self._publish(DefaultVoiceMissing(backend=place.name, voice=missing))
        self._missing_voices[place] = missing

    def _session(self, place: Place) -> None:
        mark = place.session.due() if place.session is not None else None
        if mark is None or place.session is None:
            return
        if mark == 0:
            self._publish(SessionExpired())
        else:
            self._publish(SessionExpiring(remaining_s=place.session.remaining_s or 0.0))
