"""The volume of an announcement: raised only once there is speech."""

from __future__ import annotations

import asyncio
from typing import Any

from conftest import SetUp
from homeassistant.core import HomeAssistant
from player_rig import KITCHEN, Player
from test_announcer import Have, announce, have

from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

__all__ = ["have"]


async def test_music_is_not_louder_before_there_is_speech(
    hass: HomeAssistant,
    set_up: SetUp,
    have: Have,
    colab: dict[str, Any],
    engine: ScriptedBackend,
) -> None:
    await set_up(colab, mode="remote")
    kitchen = Player("Kitchen", plays_s=1.6)
    await have(kitchen)
    kitchen.play_music()
    hold = asyncio.Event()
    engine.script = [ScriptStep(hold=hold, at_sentence=0)]
    speaking = asyncio.ensure_future(announce(hass, KITCHEN, volume=0.7))
    await asyncio.sleep(0.3)
    assert kitchen.noted == []
    hold.set()
    await speaking
    assert kitchen.noted[:2] == [("volume", 0.7), ("speaks", 0.7)]
