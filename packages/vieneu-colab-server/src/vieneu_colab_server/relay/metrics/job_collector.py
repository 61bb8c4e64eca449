"""Collector of the long jobs, read whenever Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vieneu_colab_server.relay.jobs.job import JobState


class JobCollector(Collector):
    """Exposes how many long jobs are in each state.

    Args:
        jobs: Number of jobs by state, those of 0 may be left out; it is called on the thread of the
            scrape.
    """

    def __init__(self, jobs: Callable[[], Mapping[JobState, int]]) -> None:
        self._jobs = jobs

    def describe(self) -> Iterator[Metric]:
        """Yield the metric without its samples."""
        yield _metric()

    def collect(self) -> Iterator[Metric]:
        """Yield the metric as it is now."""
        metric, jobs = _metric(), self._jobs()
        for state in JobState:
            metric.add_metric((state.value,), jobs.get(state, 0))
        yield metric


def _metric() -> GaugeMetricFamily:
    meaning = "Long jobs that are kept, by state; those in the state queued wait."
    return GaugeMetricFamily("vieneu_jobs", meaning, labels=("state",))
