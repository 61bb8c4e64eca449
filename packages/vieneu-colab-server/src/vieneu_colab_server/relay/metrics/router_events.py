"""Counters of the router's events."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from vieneu_colab_server.relay.metrics.labels import backend_label, cause_label
from vieneu_core.router.events import (
    BackendRecovered,
    CircuitOpened,
    FailedBack,
    FailedOver,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    SessionExpired,
    SpokenByFallback,
)
from vieneu_core.router.policy import BACKENDS


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
            "Times that requests began to go to a fallback. cause: code of the error.",
            "from_backend",
            "to_backend",
            "cause",
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
            "Times that the circuit breaker of a backend opened. cause: code of the error.",
            "backend",
            "cause",
        )
        self._recoveries = counter(
            "vieneu_backend_recoveries",
            "Times that a backend that had failed was ready again.",
            "backend",
        )
        self._remote_lost = counter(
            "vieneu_remote_lost",
            "Outages of the remote backend. cause: code of the error.",
            "cause",
        )
        self._sessions = counter(
            "vieneu_sessions_expired", "Remote sessions that reached their end."
        )
        self._quota_warnings = counter(
            "vieneu_quota_warnings", "Warnings that a large share of the tunnel's quota is used."
        )
        for name in BACKENDS:
            self._failbacks.labels(name)
            self._recoveries.labels(name)

    def count(self, event: RouterEvent) -> None:
        """Count an event; those that are no metric are passed over."""
        match event:
            case FailedOver(from_backend=before, to_backend=after, cause=cause):
                labels = backend_label(before), backend_label(after), cause_label(cause)
                self._failovers.labels(*labels).inc()
            case FailedBack(to_backend=name):
                self._failbacks.labels(backend_label(name)).inc()
            case SpokenByFallback(backend=name, cause=cause):
                self._fallback_sentences.labels(backend_label(name), cause_label(cause)).inc()
            case CircuitOpened(backend=name, cause=cause):
                self._circuits.labels(backend_label(name), cause_label(cause)).inc()
            case BackendRecovered(backend=name):
                self._recoveries.labels(backend_label(name)).inc()
            case RemoteLost(cause=cause):
                self._remote_lost.labels(cause_label(cause)).inc()
            case SessionExpired():
                self._sessions.inc()
            case QuotaWarning():
                self._quota_warnings.inc()
