"""A hundred reloads and a day without speech: neither leaves, nor writes, more and more."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from logging import INFO, WARNING
from typing import Any

import psutil
import pytest
from conftest import SetUp, until
from fake_clock import FakeClock
from freezegun import freeze_time
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)
from server_site import TOKEN, Site, serving
from test_model_flow import workers
from test_runtime import listening

from vieneu_core.backends.base import Backend, Health
from vieneu_core.router import Router
from vieneu_core.testing.scripted import ScriptedBackend

RELOADS = 100
SPARE_DESCRIPTORS = 3
SPARE_BYTES = 12 << 20
"""More memory than this after the reloads would be a leak of 120 KB each."""
STEP = timedelta(minutes=2)
"""Longer than the interval of the coordinator; what it shows changes with the checks of Colab."""
STEPS = 24 * 30
MOST_ROWS = 10
MOST_LINES = 10
MOST_OF_COLAB = 24 * 4 + 20
"""A check every quarter of an hour; more often while it counts as in use. A tunnel has a quota."""
MOST_OF_LAN = 24 * 120 + 20
"""A check every 30 seconds: they cost nothing there."""
OWN_LOGGERS = ("custom_components.vieneu", "vieneu_core")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A server without end, which is asked more often than in real life."""
    async with serving(ScriptedBackend(), health_checks_per_minute=10_000) as site:
        yield site


def both(site: Site) -> dict[str, Any]:
    """The data of an entry with the same server on the network and on Colab."""
    server = {"url": site.url, "token": TOKEN}
    return {"local": {"kind": "server", **server}, "colab": server, "webhook_id": "a-webhook"}


@pytest.mark.usefixtures("no_embedded_voice")
async def test_a_hundred_reloads_leave_nothing(
    hass: HomeAssistant, set_up: SetUp, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(WARNING)  # kept lines would be memory too
    hass.config.external_url = "https://house.example"
    entry = await set_up(both(site), mode="remote")

    async def reload(times: int) -> None:
        for _ in range(times):
            assert await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()

    def left() -> tuple[int, dict[str, int], int, int]:
        n_tasks = len(asyncio.all_tasks())
        return n_tasks, listening(hass), len(workers()), len(hass.data["webhook"])

    here = psutil.Process()
    await reload(10)  # what is begun once, as connections that are kept, is there now
    gc.collect()
    before, n_open, rss = left(), here.num_fds(), here.memory_info().rss
    await reload(RELOADS)
    await until(hass, lambda: left() == before)
    gc.collect()
    assert here.num_fds() <= n_open + SPARE_DESCRIPTORS
    assert here.memory_info().rss <= rss + SPARE_BYTES
    await hass.config_entries.async_unload(entry.entry_id)


class Asked:
    """Counts the health checks of a backend, and answers them with ``health`` or by the server."""

    def __init__(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch, health: Health | None = None
    ) -> None:
        self.n_asked = self.n_answered = 0
        self._ask, self._health = backend.health, health
        monkeypatch.setattr(backend, "health", self._answer)

    async def _answer(self) -> Health:
        self.n_asked += 1
        try:
            return self._health or await self._ask()
        finally:
            self.n_answered += 1


@pytest.mark.usefixtures("no_embedded_voice")
async def test_a_day_without_speech_writes_and_asks_little(
    hass: HomeAssistant,
    set_up: SetUp,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("custom_components.vieneu.runtime.Router", partial(Router, clock=clock))
    entry = await set_up(both(site), mode="remote")
    router = entry.runtime_data.router
    await until(hass, lambda: set(router.status().ready) == {"local", "remote"})
    await hass.async_block_till_done()
    pool = router._pool
    colab = Asked(pool.require("remote").backend, monkeypatch)
    lan_backend = pool.require("local").backend  # asked often: its answer is always the same
    lan = Asked(lan_backend, monkeypatch, await lan_backend.health())
    caplog.set_level(WARNING)
    for name in OWN_LOGGERS:
        caplog.set_level(INFO, name)
    caplog.clear()
    rows = async_capture_events(hass, EVENT_STATE_CHANGED)
    with freeze_time(dt_util.utcnow(), real_asyncio=True) as now:
        for _ in range(STEPS):
            await clock.advance(STEP.total_seconds())
            while colab.n_answered < colab.n_asked:
                await asyncio.sleep(0.001)
            async_fire_time_changed(hass, dt_util.utcnow() + STEP)
            now.tick(STEP)
    lines = [line for line in caplog.records if line.name.startswith(OWN_LOGGERS)]
    assert len(rows) <= MOST_ROWS
    assert len(lines) <= MOST_LINES
    assert 24 * 4 <= colab.n_asked <= MOST_OF_COLAB
    assert lan.n_asked <= MOST_OF_LAN
    await hass.config_entries.async_unload(entry.entry_id)
