"""The last hour of a relay: means by minute, no more than an hour, nothing counted twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fake_clock import FakeClock
from relay_site import RelaySite, relaying

from vieneu_colab_server.relay.history import MAX_SERIES, MINUTES, SAMPLE_EVERY_S, RelayHistory
from vieneu_colab_server.relay.metrics.measurement import Measurement
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.router import Router
from vieneu_core.testing import ScriptedBackend


@pytest.fixture
async def local() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
async def router(local: ScriptedBackend, clock: FakeClock) -> AsyncIterator[Router]:
    async with Router(local=local, clock=clock) as router:
        yield router


def heard(first_audio_s: float | None, backend: str = "local") -> Measurement:
    return Measurement(first_audio_s=first_audio_s, audio_s={backend: 1.0})


async def test_a_minute_has_mean_and_highest_of_its_requests(
    router: Router, clock: FakeClock
) -> None:
    history = RelayHistory(router, clock=clock)
    for first_audio_s in (0.1, 0.3):
        history.record_speech(heard(first_audio_s))
    history.record_speech(heard(1.0, "remote"))
    await clock.advance(60)
    history.record_speech(heard(0.2))

    minutes = history.to_json()["minutes"]
    assert [each["time"] for each in minutes] == [
        "2026-11-01T00:00:00+00:00",
        "2026-11-01T00:01:00+00:00",
    ]
    assert minutes[0]["first_audio_ms"] == {
        "local": {"n": 2, "mean": 200.0, "highest": 300.0},
        "remote": {"n": 1, "mean": 1000.0, "highest": 1000.0},
    }
    assert minutes[1]["first_audio_ms"]["local"]["n"] == 1


async def test_what_was_not_heard_is_not_counted(router: Router, clock: FakeClock) -> None:
    history = RelayHistory(router, clock=clock)
    history.record_speech(heard(None))
    history.record_speech(Measurement(first_audio_s=0.1))
    assert history.to_json()["minutes"] == []


async def test_an_hour_is_kept_and_no_more(router: Router, clock: FakeClock) -> None:
    history = RelayHistory(router, clock=clock)
    for _ in range(MINUTES + 10):
        history.record_speech(heard(0.1))
        await clock.advance(60)
    history.record_speech(heard(0.1))
    assert len(history.to_json()["minutes"]) == MINUTES
    await clock.advance(60 * (MINUTES - 1))
    assert len(history.to_json()["minutes"]) == 1
    await clock.advance(60)
    assert history.to_json()["minutes"] == []


async def test_names_of_backends_are_bounded(router: Router, clock: FakeClock) -> None:
    history = RelayHistory(router, clock=clock)
    for number in range(3 * MAX_SERIES):
        history.record_speech(heard(0.1, f"backend-{number}"))
    assert len(history.to_json()["minutes"][0]["first_audio_ms"]) == MAX_SERIES


async def test_each_health_check_is_counted_once(
    router: Router, local: ScriptedBackend, clock: FakeClock
) -> None:
    async with RelayHistory(router, clock=clock) as history:
        for latency_ms in (10.0, 30.0):
            local.reported = Health(state=BackendState.READY, latency_ms=latency_ms)
            await router.check("local")
            await clock.advance(5 * SAMPLE_EVERY_S)
        figures = history.to_json()["minutes"][0]["latency_ms"]
    assert figures["local"] == {"n": 2, "mean": 20.0, "highest": 30.0}


async def test_a_relay_states_its_last_hour(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        await _speak(site)
        history = await site.call("GET", "/history")
    assert sum(each["first_audio_ms"]["local"]["n"] for each in history["minutes"]) == 1


async def _speak(site: RelaySite) -> None:
    voice = (await site.call("GET", "/voices/usable"))["voices"][0]["id"]
    async with site.api("POST", f"/voices/{voice}/sample") as answer:
        assert answer.status == 200
        await answer.read()
