"""Long jobs as Prometheus sees them: each state is exposed, also where no job is in it."""

from __future__ import annotations

from exposition import exposed
from prometheus_client import CollectorRegistry

from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_colab_server.relay.metrics.job_collector import JobCollector


def test_jobs_are_counted_by_state() -> None:
    jobs = {JobState.QUEUED: 3, JobState.RUNNING: 1}
    registry = CollectorRegistry()
    registry.register(JobCollector(lambda: jobs))

    assert exposed(registry).all("vieneu_jobs") == {
        (("state", state.value),): jobs.get(state, 0) for state in JobState
    }
