"""The list of voices: requested when something has changed, not with every snapshot."""

from __future__ import annotations

import asyncio

import pytest
from conftest import EMBEDDED, SetUp, until
from homeassistant.core import HomeAssistant

from vieneu_core.errors import BackendError
from vieneu_core.voices import Voice


async def test_a_list_that_failed_is_not_requested_with_every_snapshot(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(EMBEDDED)
    coordinator, asked = entry.runtime_data.coordinator, []

    async def voices() -> tuple[Voice, ...]:
        asked.append(coordinator.router.active)
        raise BackendError("They cannot be listed.")

    monkeypatch.setattr(coordinator.router, "voices", voices)
    await coordinator.async_refresh_voices()
    for _ in range(5):
        await coordinator.async_refresh()
    assert len(asked) == 1
    assert coordinator.data.voices, "the former list is kept"


async def test_what_is_asked_for_while_voices_are_listed_is_listed_once_after_it(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voice may have been added after the backend had made its list."""
    entry = await set_up(EMBEDDED)
    coordinator = entry.runtime_data.coordinator
    asked: list[asyncio.Future[str]] = []

    async def voices() -> tuple[Voice, ...]:
        asked.append(asyncio.Future())
        name = await asked[-1]
        return (Voice(id=f"vi-{name}", name=name, language="vi"),)

    monkeypatch.setattr(coordinator.router, "voices", voices)
    refreshes = [asyncio.ensure_future(coordinator.async_refresh_voices())]
    await until(hass, lambda: asked)
    refreshes += [asyncio.ensure_future(coordinator.async_refresh_voices()) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert len(asked) == 1, "one list at a time"
    asked[0].set_result("old")
    await until(hass, lambda: len(asked) == 2)
    asked[1].set_result("new")
    await asyncio.gather(*refreshes)
    await coordinator.async_refresh()
    assert len(asked) == 2, "the three were listed at once"
    assert [voice.name for voice in coordinator.data.voices] == ["new"]
