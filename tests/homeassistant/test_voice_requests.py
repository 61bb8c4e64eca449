"""The list of voices: requested when something has changed, not with every snapshot."""

from __future__ import annotations

import pytest
from conftest import EMBEDDED, SetUp
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
