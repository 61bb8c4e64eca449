"""The speech cache of a running relay: turned on and off, cleared, and what is stated of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from relay_site import TONES, RelaySite, relaying
from remote_site import PATIENT
from server_site import TOKEN

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.config import load_settings

SENTENCE = "Có khách ở cổng."
ON, OFF = {"enabled": True}, {"enabled": False}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    """A relay whose settings do not name the cache."""
    async with relaying(tmp_path) as site:
        yield site


async def is_replayed(site: RelaySite) -> bool:
    """Let the relay speak for a client of vieneu-server; return whether the cache spoke."""
    remote = RemoteBackend(site.url, TOKEN, timeouts=PATIENT)
    try:
        await remote.load()
        speech = await synthesize(remote, SENTENCE)
    finally:
        await remote.aclose()
    return all(speaker.cached for speaker in speech.speakers)


async def until(site: RelaySite, **wanted: object) -> dict[str, Any]:
    while True:
        state: dict[str, Any] = await site.call("GET", "/cache")
        if wanted.items() <= state.items():
            return state
        await asyncio.sleep(0.02)


async def test_it_is_turned_on_used_turned_off_and_cleared(site: RelaySite) -> None:
    nothing = {"enabled": False, "entries": 0, "bytes": 0, "hits": 0, "misses": 0, "problem": None}
    assert await site.call("GET", "/cache") == nothing
    assert not await is_replayed(site)
    assert await site.call("GET", "/cache") == nothing, "nothing is kept unasked"

    state = await site.call("PUT", "/cache", json=ON)
    assert (state["enabled"], state["problem"]) == (True, None)
    assert load_settings(site.config).cache.enabled
    assert not await is_replayed(site)
    await until(site, entries=1, misses=1)
    assert await is_replayed(site)

    state = await site.call("PUT", "/cache", json=OFF)
    assert (state["enabled"], state["entries"], state["hits"]) == (False, 1, 1)
    assert not load_settings(site.config).cache.enabled
    assert not await is_replayed(site)
    await site.call("DELETE", "/cache", status=204)
    assert (await site.call("GET", "/cache"))["entries"] == 0
    assert (await site.call("GET", "/status"))["needs_restart"] == []


async def test_a_change_of_the_file_is_followed(site: RelaySite) -> None:
    site.config.write_text(f"{TONES}cache:\n  enabled: true\n", "utf-8")
    await until(site, enabled=True)
    await is_replayed(site)
    await until(site, entries=1)
    site.config.write_text(TONES, "utf-8")
    await until(site, enabled=False)


async def test_a_folder_that_cannot_be_used_is_stated_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    folder.write_text("no folder", "utf-8")
    async with relaying(tmp_path, f"{TONES}cache:\n  folder: {folder}\n") as site:
        assert (await site.call("GET", "/cache", headers={"Accept-Language": "vi"}))["problem"]
        state = await site.call("PUT", "/cache", json=ON, headers={"Accept-Language": "vi"})
        assert state["enabled"], "it is used once the folder can be"
        assert str(folder) in state["problem"]["detail"]
        assert state["problem"]["title"] == "Cấu hình sai"
        assert not await is_replayed(site)

        await site.call("PUT", "/cache", json=OFF)
        folder.unlink()
        assert (await site.call("PUT", "/cache", json=ON))["problem"] is None


@pytest.mark.parametrize("body", [{}, {"enabled": "true"}, {"enabled": True, "folder": "/"}])
async def test_a_wrong_choice_changes_nothing(site: RelaySite, body: dict[str, object]) -> None:
    before = site.config.read_bytes()
    await site.call("PUT", "/cache", status=422, json=body)
    assert site.config.read_bytes() == before


async def test_only_the_admin_may_change_it(site: RelaySite) -> None:
    stranger = {"Authorization": ""}
    for method in ("GET", "PUT", "DELETE"):
        await site.call(method, "/cache", status=401, json=ON, headers=stranger)
