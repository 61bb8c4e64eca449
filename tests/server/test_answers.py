"""The answers that the API's design fixes: shapes of JSON, health, voices."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from typing import Any

import pytest
import soundfile
from fake_clock import FakeClock
from server_site import TOKEN, Site, serving
from tone_engine import expected, heard, same

from vieneu_colab_server import __version__
from vieneu_colab_server.middleware.traffic import OWN_REQUEST
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import BackendConnectionError, SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.schemas import HealthAnswer, SynthesisAnswer


async def test_the_answer_of_synthesize_has_the_designed_shape(site: Site) -> None:
    body = {"text": "Xin chào. Đây là câu 9.", "speed": 1.0, "request_id": "r"}

    async with site.post("/tts/synthesize", json=body) as response:
        answer = await response.json()

    assert response.content_type == "application/json"
    assert {"audio_base64", "sample_rate", "duration_ms"} <= set(answer)
    assert (answer["engine"], answer["voice"], answer["request_id"]) == ("scripted", "vi-tone", "r")
    samples, rate = soundfile.read(
        io.BytesIO(base64.b64decode(answer["audio_base64"])), dtype="int16"
    )
    assert rate == answer["sample_rate"] == 24_000
    assert answer["duration_ms"] == round(len(samples) / 24)
    assert same(heard(samples.tobytes(), rate), [expected("Xin chào."), expected("Đây là câu 9.")])
    assert SynthesisAnswer.model_validate(answer).stand_in is False


async def test_a_failure_midway_is_no_answer_with_half_of_the_speech() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, error=SynthesisFailedError("No."))])

    async with (
        serving(backend) as site,
        site.post("/tts/synthesize", json={"text": ["Một.", "Hai."]}) as response,
    ):
        assert (await site.problem(response)).code == "synthesis_failed"


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


async def test_voices_are_listed_the_default_first(site: Site) -> None:
    async with site.get("/voices") as response:
        answer = await response.json()

    assert answer == {
        "voices": [
            {"id": "vi-tone", "name": "Âm thử", "language": "vi"},
            {"id": "en-tone", "name": "Test tone", "language": "en"},
        ]
    }


async def test_the_token_is_in_no_log_line_and_no_answer(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/health", {}),
        ("GET", f"/health?token={TOKEN}", {}),
        ("GET", f"/{TOKEN}", {}),
        ("POST", "/tts/stream", {"json": {"text": "Một.", "request_id": TOKEN * 9}}),
        ("POST", "/tts/stream", {"json": {"text": ["Một."], "speed": TOKEN}}),
        ("POST", "/tts/stream", {"data": TOKEN}),
        ("GET", "/health", {"headers": {"Authorization": f"Basic {TOKEN}"}}),
        ("GET", "/health", {"headers": {"Authorization": f"Bearer x{TOKEN}"}}),
        ("GET", "/health", {"headers": {"Vieneu-Wire-Version": TOKEN}}),
    ]

    answers = []
    for method, path, fields in requests:
        async with site.session.request(method, site.url + path, **fields) as response:
            answers.append((str(response.headers), await response.text()))

    own = [r for r in caplog.records if r.name.startswith(("vieneu", "uvicorn", "fastapi"))]
    assert len(own) >= len(requests)
    assert not any(TOKEN in record.getMessage() + str(record.exc_info) for record in own)
    assert not any(TOKEN in header + text for header, text in answers)
