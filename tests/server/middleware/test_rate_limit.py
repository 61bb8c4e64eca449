"""Requests per minute: speech, and everything else apart from it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from fake_clock import FakeClock
from server_site import serving

from vieneu_colab_server.middleware import client_table
from vieneu_colab_server.middleware.client_table import MOST_CLIENTS
from vieneu_colab_server.middleware.rate_limit import PerMinute, client_of
from vieneu_core.errors import RateLimitedError
from vieneu_core.testing.scripted import ScriptedBackend


async def test_too_many_requests_for_speech_and_how_long_to_wait(
    backend: ScriptedBackend,
) -> None:
    async with serving(backend, requests_per_minute=2) as site:
        statuses = []
        for path in ("/tts/synthesize", "/tts/stream", "/tts/synthesize"):
            async with site.post(path, json={"text": "Một."}) as response:
                statuses.append(response.status)
                last = await response.read()
        assert b'"rate_limited"' in last
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        async with site.get("/health") as response:
            assert response.status == 200, "health checks are counted apart"

    assert statuses == [200, 200, 429]


async def test_too_many_health_checks_do_not_starve_speech(backend: ScriptedBackend) -> None:
    async with serving(backend, health_checks_per_minute=2) as site:
        statuses = []
        for _ in range(3):
            async with site.get("/health") as response:
                statuses.append(response.status)
        async with site.post("/tts/synthesize", json={"text": "Một."}) as response:
            assert response.status == 200
        async with site.get("/readyz") as response:
            assert response.status == 200, "probes are not counted"

    assert statuses == [200, 200, 429]


async def test_other_requests_of_one_client_do_not_starve_another(
    backend: ScriptedBackend,
) -> None:
    async with serving(backend, health_checks_per_minute=2) as site:
        statuses = []
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
            headers = {"X-Forwarded-For": address}  # as a proxy on this machine states it
            async with site.get("/health", headers=headers) as response:
                statuses.append(response.status)

    assert statuses == [200, 200, 429, 200]


def test_clients_beyond_the_most_share_one_counter() -> None:
    counted = PerMinute(1)
    for n in range(MOST_CLIENTS):
        counted.hit("requests", f"client {n}")
    counted.hit("requests", "one more")
    for client in ("another", "client 0"):
        with pytest.raises(RateLimitedError):
            counted.hit("requests", client)


async def test_a_client_that_was_idle_for_a_minute_yields_its_counter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_table, "MOST_CLIENTS", 2)
    clock = FakeClock()
    counted = PerMinute(1, clock=clock)
    for seconds, client in ((0, "a"), (1, "b"), (61, "c"), (1, "d")):
        await clock.advance(seconds)
        counted.hit("requests", client)
    with pytest.raises(RateLimitedError):
        counted.hit("requests", "c")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_calendar_clock_that_is_set_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    clock = FakeClock()
    counted = PerMinute(1, clock=clock)
    counted.hit("requests")
    before = time.time()
    monkeypatch.setattr(time, "time", lambda: before + hours * 3_600)
    monkeypatch.setattr(clock, "_start", clock.now() + timedelta(hours=hours))
    await clock.advance(10)
    with pytest.raises(RateLimitedError) as caught:
        counted.hit("requests")
    assert caught.value.retry_after_s == 50
    await clock.advance(50)
    counted.hit("requests")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no address", "no address"),
    ],
)
def test_a_client_is_known_by_its_address(address: str, client: str) -> None:
    assert client_of({"type": "http", "client": (address, 1)}) == client


def test_a_client_without_an_address_is_one_too() -> None:
    assert client_of({"type": "http", "client": None}) == ""
