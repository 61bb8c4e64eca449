"""All metrics of one relay, in one registry."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Info, ProcessCollector

from vieneu_colab_server import __version__
from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_colab_server.relay.metrics.job_collector import JobCollector
from vieneu_colab_server.relay.metrics.router_collector import RouterCollector
from vieneu_colab_server.relay.metrics.router_events import RouterEventCounters
from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_core.router import Router
from vieneu_core.wire.version import WIRE_VERSION


@dataclass(frozen=True, slots=True)
class RelayMetrics:
    """The registry that ``/metrics`` exposes, and what is recorded from outside."""

    registry: CollectorRegistry
    speech: SpeechMetrics
    """For a `MeasuredBackend`, and for a cache of speech."""
    unsubscribe: Callable[[], None]
    """Ends the counting of the router's events."""


def relay_metrics(
    router: Router,
    *,
    queue_depth: Callable[[], int] | None = None,
    jobs: Callable[[], Mapping[JobState, int]] | None = None,
) -> RelayMetrics:
    """Make the metrics of a relay, and count the events of its router from now on.

    Args:
        router: Its status is read at each scrape.
        queue_depth: Requests waiting or running in the server's queue; None exposes none.
        jobs: Number of long jobs by state; None exposes none.
    """
    registry = CollectorRegistry()
    speech = SpeechMetrics(registry)
    counters = RouterEventCounters(registry)
    registry.register(RouterCollector(router.status, queue_depth=queue_depth))
    if jobs is not None:
        registry.register(JobCollector(jobs))
    Info("vieneu_build", "Versions of the relay.", registry=registry).info(
        {
            "version": __version__,
            "wire_version": str(WIRE_VERSION),
            "python_version": platform.python_version(),
        }
    )
    ProcessCollector(registry=registry)
    return RelayMetrics(registry, speech, router.subscribe(counters.count))
