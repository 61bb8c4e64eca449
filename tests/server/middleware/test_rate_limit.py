"""Requests per minute: speech, and everything else apart from it."""

from __future__ import annotations

from server_site import serving

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
