"""Fixtures for the tests of long jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from job_site import JobSite
from server_site import serving

from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.routes import job_routes
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_core.clock import SystemClock
from vieneu_core.testing.scripted import ScriptedBackend


@pytest.fixture
async def jobs(backend: ScriptedBackend, tmp_path: Path, no_leaks: None) -> AsyncIterator[JobSite]:
    del no_leaks
    async with serving(backend, health_checks_per_minute=10_000) as site:
        store = JobStore(tmp_path / "jobs", max_total_bytes=10**9)
        settings = JobSettings(busy_check_s=0.005, max_script_bytes=10**6)
        speech = site.service.queue
        async with JobQueue(
            backend, store, SystemClock(), lambda: speech.depth > 0, settings
        ) as queue:
            app = site.app
            running = JobSite(site, queue, app)
            read = site.service.speech.reference
            app.routes.extend(job_routes(queue, read, stopping=lambda: running.stopping).routes)
            yield running
