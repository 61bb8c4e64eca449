"""Publishing of events about changes of the backends, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    BackendTooSlow,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    ErrorReport,
    FailedBack,
    FailedOver,
    LocalLost,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    ServerOutdated,
    SessionExpired,
    SessionExpiring,
    WorkerRestarted,
)
from vieneu_core.router.monthly_tunnel_quota import TunnelQuota
from vieneu_core.router.outage import is_lost
from vieneu_core.router.policy import Mode
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.wire.version import is_older

_LOSSES: Mapping[str, type[LocalLost | RemoteLost]] = {
    Mode.LOCAL.value: LocalLost,
    Mode.REMOTE.value: RemoteLost,
}


class StatusNotifier:
    """Publishes events; remembers what was published, so that one outage is one event."""

    def __init__(self, publish: Callable[[RouterEvent], None]) -> None:
        self._publish = publish
        # By backend, not by name: a replacement starts without a history.
        self._states: WeakKeyDictionary[TrackedBackend, BackendState] = WeakKeyDictionary()
        self._was_ready: WeakSet[TrackedBackend] = WeakSet()
        self._lost: WeakSet[TrackedBackend] = WeakSet()
        self._open: WeakSet[TrackedBackend] = WeakSet()
        self._progress: WeakKeyDictionary[TrackedBackend, LoadProgress] = WeakKeyDictionary()
        self._outdated: WeakKeyDictionary[TrackedBackend, str] = WeakKeyDictionary()
        self._restarts: WeakKeyDictionary[TrackedBackend, int] = WeakKeyDictionary()
        self._missing_voices: WeakKeyDictionary[TrackedBackend, str | None] = WeakKeyDictionary()
        self._slow: WeakSet[TrackedBackend] = WeakSet()
        self._is_falling_back: str | None = None

    def states(self, backends: Iterable[TrackedBackend]) -> None:
        """Publish new states of the backends, and the progress of loading."""
        for tracked in backends:
            self._state(tracked)

    def changes(self, backends: Iterable[TrackedBackend]) -> None:
        """Publish other changes: of circuit, session, version, voice, worker; and outages."""
        for tracked in backends:
            self._circuit(tracked)
            self._session(tracked)
            self._version(tracked)
            self._default_voice(tracked)
            self._worker(tracked)
            self._speed(tracked)
            self._outage(tracked)

    def active(self, chosen: str, active: str, cause: BackendError | None) -> None:
        """Publish when requests start to go to a fallback, and when that ends."""
        before, self._is_falling_back = self._is_falling_back, active if active != chosen else None
        if self._is_falling_back is not None and self._is_falling_back != before:
            report = ErrorReport.of(cause) if cause is not None else None
            self._publish(
                FailedOver(from_backend=before or chosen, to_backend=active, cause=report)
            )
        elif self._is_falling_back is None and before not in {None, active}:
            self._publish(FailedBack(from_backend=before, to_backend=active))

    def quota(self, quota: TunnelQuota) -> None:
        """Publish when a large share of the tunnel's quota is used."""
        if quota.due() is not None:
            self._publish(QuotaWarning(used=quota.status().used))

    def _state(self, tracked: TrackedBackend) -> None:
        if tracked.state is not self._states.get(tracked, BackendState.UNLOADED):
            self._states[tracked] = tracked.state
            self._publish(BackendStateChanged(backend=tracked.name, state=tracked.state))
        progress = tracked.health.loading if tracked.health is not None else None
        if progress is not None and progress != self._progress.get(tracked):
            self._progress[tracked] = progress
            self._publish(BackendLoading(backend=tracked.name, progress=progress))

    def _outage(self, tracked: TrackedBackend) -> None:
        if tracked.state.ready:
            self._was_ready.add(tracked)
            if tracked in self._lost and tracked.usable:
                self._lost.discard(tracked)
                self._publish(BackendRecovered(backend=tracked.name))
        elif tracked in self._was_ready and tracked not in self._lost:
            if not is_lost(tracked.state, tracked.last_error):
                return
            self._lost.add(tracked)
            event = _LOSSES.get(tracked.name)
            cause = tracked.failures.report
            if event is not None and cause is not None:
                self._publish(event(cause=cause))

    def _circuit(self, tracked: TrackedBackend) -> None:
        opened = tracked.breaker.state is not CircuitState.CLOSED
        cause = tracked.failures.report
        if opened and tracked not in self._open and cause is not None:
            self._open.add(tracked)
            self._publish(CircuitOpened(backend=tracked.name, cause=cause))
        elif not opened and tracked in self._open:
            self._open.discard(tracked)
            self._publish(CircuitClosed(backend=tracked.name))

    def _version(self, tracked: TrackedBackend) -> None:
        version = tracked.health.version if tracked.health is not None else None
        if version is None or self._outdated.get(tracked) == version:
            return
        if is_older(version, own=__version__):
            self._outdated[tracked] = version
            self._publish(ServerOutdated(version=version, own=__version__))

    def _default_voice(self, tracked: TrackedBackend) -> None:
        missing = tracked.health.missing_voice if tracked.health is not None else None
        if missing is not None and missing != self._missing_voices.get(tracked):
            self._publish(DefaultVoiceMissing(backend=tracked.name, voice=missing))
        self._missing_voices[tracked] = missing

    def _worker(self, tracked: TrackedBackend) -> None:
        restarts = tracked.health.worker_restarts if tracked.health is not None else None
        if restarts is not None and restarts > self._restarts.get(tracked, 0):
            self._restarts[tracked] = restarts
            self._publish(WorkerRestarted(backend=tracked.name, restarts=restarts))

    def _speed(self, tracked: TrackedBackend) -> None:
        # It may have been left for it before its factor counts as known.
        if not (tracked.speed.slower_than_playback or tracked.state is BackendState.SLOW):
            self._slow.discard(tracked)
        elif tracked not in self._slow:
            self._slow.add(tracked)
            factor = tracked.speed.estimated_factor
            self._publish(BackendTooSlow(backend=tracked.name, real_time_factor=factor))

    def _session(self, tracked: TrackedBackend) -> None:
        mark = tracked.session_mark()
        if mark is None or tracked.session is None:
            return
        if mark == 0:
            self._publish(SessionExpired())
        else:
            self._publish(SessionExpiring(remaining_s=tracked.session.remaining_s or 0.0))
