"""Health and readiness: the shape of the answer, and the facts in it."""

from __future__ import annotations

import asyncio

import pytest
from fake_clock import FakeClock
from server_site import Site, serving

from vieneu_colab_server import __version__
from vieneu_colab_server.middleware.traffic import OWN_REQUEST
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import BackendConnectionError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.schemas import HealthAnswer


async def test_health_has_the_designed_shape_and_the_facts_around_it(clock: FakeClock) -> None:
    backend = ScriptedBackend(clock=clock)
    backend.reported = Health(
        state=BackendState.READY,
        engine="gguf",
        model="vieneu",
        accelerator="Tesla T4",
        gpu_memory_used_gb=4.2,
        gpu_memory_total_gb=15.0,
    )
    async with serving(backend, clock=clock, session_limit_s=43_200) as site:
        await clock.advance(3_600)
        async with site.get("/health") as response:
            answer = await response.json()

    assert answer == {
        "status": "ok",
        "model_loaded": True,
        "gpu_memory_used_gb": 4.2,
        "uptime_seconds": 3600.0,
        "version": __version__,
        "wire_version": "1.0",
        "state": "ready",
        "engine": "gguf",
        "model": "vieneu",
        "downloaded_bytes": None,
        "download_bytes": None,
        "queue_depth": 0,
        "accelerator": "Tesla T4",
        "gpu_memory_total_gb": 15.0,
        "session_started_at": "2026-11-01T00:00:00Z",
        "session_limit_seconds": 43_200.0,
        "session_remaining_seconds": 39_600.0,
        "clones": False,
        "draining": False,
        "requests_served": 1,
        "bytes_sent": 0,
    }
    health = HealthAnswer.model_validate(answer).to_health(latency_ms=1.0)
    assert (health.ready, health.remaining_s) == (True, 39_600.0)


async def test_health_counts_what_went_out(clock: FakeClock) -> None:
    async with serving(ScriptedBackend(clock=clock), clock=clock) as site:
        async with site.post("/tts/stream", json={"text": "Xin chào."}) as response:
            n_bytes = len(await response.read())
        async with site.get("/health") as response:
            answer = await response.json()

    assert n_bytes > 1_000
    assert (answer["requests_served"], answer["bytes_sent"]) == (2, n_bytes)


async def test_health_counts_the_clients_alone(clock: FakeClock) -> None:
    """Not what the program asks that has started the server."""
    own = {OWN_REQUEST.decode(): "1"}
    async with serving(ScriptedBackend(clock=clock), clock=clock) as site:
        for _ in range(3):
            async with site.get("/health", headers=own) as response:
                await response.read()
        body = {"text": "Xin chào."}
        async with site.post("/tts/stream", json=body, headers=own) as response:
            assert len(await response.read()) > 1_000
        async with site.get("/health") as response:
            answer = await response.json()

    assert (answer["requests_served"], answer["bytes_sent"]) == (1, 0)


async def test_a_session_that_is_over_has_no_time_left(clock: FakeClock) -> None:
    backend = ScriptedBackend(clock=clock)

    async with serving(backend, clock=clock, session_limit_s=10) as site:
        await clock.advance(11)
        async with site.get("/health") as response:
            assert (await response.json())["session_remaining_seconds"] == 0


@pytest.mark.parametrize(
    ("state", "status", "loaded"),
    [
        (BackendState.READY, "ok", True),
        (BackendState.DEGRADED, "ok", True),
        (BackendState.LOADING, "loading", False),
        (BackendState.DRAINING, "draining", False),
        (BackendState.FAILED, "failed", False),
        (BackendState.UNREACHABLE, "failed", False),
    ],
)
async def test_the_state_of_the_backend_is_told(
    site: Site, backend: ScriptedBackend, state: BackendState, status: str, loaded: bool
) -> None:
    backend.reported = Health(state=state)

    async with site.get("/health") as response:
        answer = await response.json()
    async with site.get("/readyz") as ready:
        assert ready.status == (200 if loaded else 503)

    assert (answer["status"], answer["model_loaded"], answer["state"]) == (status, loaded, state)


async def test_a_backend_that_cannot_be_looked_at_is_unreachable(
    site: Site, backend: ScriptedBackend
) -> None:
    backend.reported = BackendConnectionError("The cable is cut.")

    async with site.get("/health") as response:
        answer = await response.json()

    assert (answer["status"], answer["state"]) == ("failed", "unreachable")


async def test_health_answers_while_speech_is_made() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=0, after_chunks=1, hold=hold)])

    async with serving(backend) as site:
        response = await site.session.post(site.url + "/tts/stream", json={"text": "Một."})
        async with site.get("/health") as health:
            assert (await health.json())["queue_depth"] == 1
        hold.set()
        await response.read()
