"""Collector of a router's status, read whenever Prometheus scrapes. Costs no request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vieneu_colab_server.relay.metrics.labels import backend_label
from vieneu_core.backends.base import BackendState
from vieneu_core.router.breaker import CircuitState
from vieneu_core.router.policy import Mode
from vieneu_core.router.status import BackendStatus, RouterStatus

_BYTES_PER_GB = 1e9
Sample = tuple[tuple[str, ...], float]
"""Values of the labels, and the value."""


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric: how it is exposed, and its samples in a status."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[RouterStatus], Iterable[Sample]]
    kind: type[GaugeMetricFamily | CounterMetricFamily] = GaugeMetricFamily

    def metric(self, status: RouterStatus | None) -> Metric:
        """Return the metric; without a status it has no samples."""
        metric = self.kind(self.name, self.meaning, labels=self.labels)
        for labels, value in () if status is None else self.samples(status):
            metric.add_metric(labels, value)
        return metric


class RouterCollector(Collector):
    """Exposes the status of a router, and the queue in front of it.

    Args:
        status: `Router.status`; it is called on the thread of the scrape.
        queue_depth: Requests waiting or running in the relay's own queue; None exposes none.
    """

    def __init__(
        self, status: Callable[[], RouterStatus], *, queue_depth: Callable[[], int] | None = None
    ) -> None:
        self._status = status
        self._queue_depth = queue_depth

    def describe(self) -> Iterator[Metric]:
        """Yield each metric without its samples."""
        for family in _FAMILIES:
            yield family.metric(None)
        yield self._queue(None)

    def collect(self) -> Iterator[Metric]:
        """Yield each metric as it is now."""
        status = self._status()
        for family in _FAMILIES:
            yield family.metric(status)
        if self._queue_depth is not None:
            yield self._queue(self._queue_depth())

    def _queue(self, depth: int | None) -> Metric:
        meaning = "Requests over HTTP that wait or are being spoken."
        return GaugeMetricFamily("vieneu_queue_depth", meaning, value=depth)


def _of_each(value: Callable[[BackendStatus], float | None]) -> Callable[..., Iterator[Sample]]:
    """Return the samples of a fact of each backend; unknown ones are left out."""

    def samples(status: RouterStatus) -> Iterator[Sample]:
        for backend in status.backends:
            if (known := value(backend)) is not None:
                yield (backend_label(backend.name),), known

    return samples


def _latency_s(backend: BackendStatus) -> float | None:
    latency_ms = backend.health.latency_ms if backend.health else None
    return None if latency_ms is None else latency_ms / 1000


def _modes(status: RouterStatus) -> Iterator[Sample]:
    return (((mode.value,), float(mode is status.mode)) for mode in Mode)


def _states(status: RouterStatus) -> Iterator[Sample]:
    for backend in status.backends:
        for state in BackendState:
            yield (backend_label(backend.name), state.value), float(state is backend.state)


def _circuits(status: RouterStatus) -> Iterator[Sample]:
    for backend in status.backends:
        for state in CircuitState:
            yield (backend_label(backend.name), state.value), float(state is backend.circuit)


def _active(status: RouterStatus) -> Iterator[Sample]:
    for backend in status.backends:
        yield (backend_label(backend.name),), float(backend.name == status.active)


def _gpu_memory(status: RouterStatus) -> Iterator[Sample]:
    for backend in status.backends:
        health = backend.health
        if health is None or health.gpu_memory_used_gb is None:
            continue
        name, used_gb = backend_label(backend.name), health.gpu_memory_used_gb
        yield (name, "used"), used_gb * _BYTES_PER_GB
        if health.gpu_memory_total_gb is not None:
            yield (name, "free"), (health.gpu_memory_total_gb - used_gb) * _BYTES_PER_GB


def _session(status: RouterStatus) -> Iterator[Sample]:
    if status.session_remaining_s is not None:
        yield (), status.session_remaining_s


def _quota(status: RouterStatus) -> Iterator[Sample]:
    if status.quota is not None:
        yield (), status.quota.used


_FAMILIES = (
    _Family("vieneu_mode", "The admin's choice: 1 for the mode that is set.", ("mode",), _modes),
    _Family(
        "vieneu_backend_active",
        "1 for the backend that the next request goes to.",
        ("backend",),
        _active,
    ),
    _Family(
        "vieneu_fallback_active",
        "1 where the next request goes to a fallback.",
        (),
        lambda status: [((), float(status.fallback_active))],
    ),
    _Family(
        "vieneu_backend_state",
        "State of a backend: 1 for the one that it is in.",
        ("backend", "state"),
        _states,
    ),
    _Family(
        "vieneu_circuit_state",
        "State of a backend's circuit breaker: 1 for the one that it is in.",
        ("backend", "state"),
        _circuits,
    ),
    _Family(
        "vieneu_backend_queue_depth",
        "Requests that wait or run at a backend, at its last health check.",
        ("backend",),
        _of_each(lambda backend: backend.health.queue_depth if backend.health else None),
    ),
    _Family(
        "vieneu_backend_latency_seconds",
        "Round trip of a backend's last health check, in seconds.",
        ("backend",),
        _of_each(_latency_s),
    ),
    _Family(
        "vieneu_backend_last_contact_seconds",
        "Seconds since a backend last answered or failed.",
        ("backend",),
        _of_each(lambda backend: backend.checked_s_ago),
    ),
    _Family(
        "vieneu_gpu_memory_bytes",
        "Memory of a backend's GPU, used and free, at its last health check.",
        ("backend", "state"),
        _gpu_memory,
    ),
    _Family(
        "vieneu_worker_restarts",
        "Times that the worker process of a backend died and was started again.",
        ("backend",),
        _of_each(lambda backend: backend.health.worker_restarts if backend.health else None),
        CounterMetricFamily,
    ),
    _Family(
        "vieneu_session_remaining_seconds",
        "Seconds until the remote session ends.",
        (),
        _session,
    ),
    _Family(
        "vieneu_quota_used_ratio",
        "Share of the tunnel's monthly quota that is used, 0 to 1 and beyond.",
        (),
        _quota,
    ),
)
