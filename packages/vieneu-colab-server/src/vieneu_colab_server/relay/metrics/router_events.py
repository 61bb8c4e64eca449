"""Counters of the router's events."""

from __future__ import annotations

from itertools import permutations

from prometheus_client import CollectorRegistry, Counter

from vieneu_colab_server.relay.metrics.labels import BACKENDS, backend_label, cause_label
from vieneu_core.router.events import (
    BackendRecovered,
    CircuitOpened,
    FailedBack,
    FailedOver,
    LocalLost,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    SessionExpired,
    SpokenByFallback,
)


class RouterEventCounters:
    """Counts what a router publishes: ``router.subscribe(RouterEventCounters(registry).count)``.

    Args:
        registry: Exposes the counters.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(name, meaning, labels, registry=registry)

        self._failovers = counter(
            "vieneu_failovers",
            "Times that requests began to go to a fallback.",
            "from_backend",
            "to_backend",
        )
        self._failbacks = counter(
            "vieneu_failbacks",
            "Times that requests went to the admin's choice again.",
            "to_backend",
        )
        self._fallback_sentences = counter(
            "vieneu_fallback_sentences",
            "Sentences that a fallback spoke. cause: code of the error before it.",
            "backend",
            "cause",
        )
        self._circuits = counter(
            "vieneu_circuit_opened",
            "Times that the circuit breaker of a backend opened.",
            "backend",
        )
        self._recoveries = counter(
            "vieneu_backend_recoveries",
            "Times that a backend that had failed was ready again.",
            "backend",
        )
        self._local_lost = counter("vieneu_local_lost", "Outages of the local backend.")
        self._remote_lost = counter("vieneu_remote_lost", "Outages of the remote backend.")
        self._sessions = counter(
            "vieneu_sessions_expired", "Remote sessions that reached their end."
        )
        self._quota_warnings = counter(
            "vieneu_quota_warnings", "Warnings that a large share of the tunnel's quota is used."
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Expose rare events before the first of them: a rate needs the step from 0 to 1.

        That is why only sentences, which are many, have a label for the cause.
        """
        for name in BACKENDS:
            self._failbacks.labels(name)
            self._circuits.labels(name)
            self._recoveries.labels(name)
        for before, after in permutations(BACKENDS, 2):
            self._failovers.labels(before, after)

    def count(self, event: RouterEvent) -> None:
        """Count an event; those that are no metric are passed over."""
        match event:
            case FailedOver(from_backend=before, to_backend=after):
                self._failovers.labels(backend_label(before), backend_label(after)).inc()
            case FailedBack(to_backend=name):
                self._failbacks.labels(backend_label(name)).inc()
            case SpokenByFallback(backend=name, cause=cause):
                self._fallback_sentences.labels(backend_label(name), cause_label(cause)).inc()
            case CircuitOpened(backend=name):
                self._circuits.labels(backend_label(name)).inc()
            case BackendRecovered(backend=name):
                self._recoveries.labels(backend_label(name)).inc()
            case LocalLost():
                self._local_lost.inc()
            case RemoteLost():
                self._remote_lost.inc()
            case SessionExpired():
                self._sessions.inc()
            case QuotaWarning():
                self._quota_warnings.inc()
