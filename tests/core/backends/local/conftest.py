"""Local backends over the tone engine, closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from local_rig import AT_ONCE, PATIENT, Make

from vieneu_core.backends.local import LocalBackend
from vieneu_core.clock import Clock
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerTimes


@pytest.fixture
async def make(no_leaks: None) -> AsyncIterator[Make]:  # noqa: ARG001 - it is checked after this one
    made: list[LocalBackend] = []

    def new(
        *,
        clock: Clock | None = None,
        restart: RestartPolicy = AT_ONCE,
        times: WorkerTimes = PATIENT,
        voices: VoiceCatalogue | None = None,
        default_voice: str | None = None,
        recovers: bool = False,
        on_demand: bool = False,
        **options: object,
    ) -> LocalBackend:
        spec = EngineSpec("tone_engine:create", options)
        backend = LocalBackend(
            spec,
            clock=clock,
            restart=restart,
            times=times,
            voices=voices,
            default_voice=default_voice,
            recovers=recovers,
            on_demand=on_demand,
        )
        made.append(backend)
        return backend

    yield new
    for backend in made:
        await backend.aclose()
