"""Announcements on players: heard whole, in turn, and afterwards all is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press
from custom_components.vieneu.player_snapshot import PlayerSnapshot
from homeassistant.components.media_player import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from player_rig import BATH, KITCHEN, MUSIC, PLAIN, Player
from pytest_homeassistant_custom_component.common import setup_test_component_platform
from test_tts import SENTENCES

from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

Have = Callable[..., Any]


@pytest.fixture
def have(hass: HomeAssistant) -> Have:
    """Add players."""

    async def make(*players: Player) -> None:
        setup_test_component_platform(hass, "media_player", players)
        assert await async_setup_component(
            hass, "media_player", {"media_player": {"platform": "test"}}
        )
        await hass.async_block_till_done()

    return make


async def announce(hass: HomeAssistant, *players: str, **data: Any) -> Any:
    given = {"entity_id": list(players), "text": "Cơm chín rồi.", **data}
    return await hass.services.async_call(
        "vieneu", "announce", given, blocking=True, return_response=True
    )


async def test_it_is_louder_while_it_is_heard_and_no_longer(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.6), Player("Bath", plays_s=2.4)
    await have(kitchen, bath)
    answer = await announce(hass, KITCHEN, BATH, volume=0.7, speed=1.2)

    for player in (kitchen, bath):
        assert player.noted == [
            ("volume", 0.7), ("speaks", 0.7), ("silent", 0.7), ("volume", 0.2),
        ]  # fmt: skip
    slower = await announce(hass, KITCHEN, volume=0.7)
    assert 0.5 < answer["seconds"] < slower["seconds"] < 3


async def test_a_player_that_tells_no_state_is_not_put_back_before_the_last_word(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    mute = Player("Kitchen", plays_s=0.0)
    await have(mute)
    began_s = hass.loop.time()
    answer = await announce(hass, KITCHEN, volume=0.7)

    assert hass.loop.time() - began_s >= answer["seconds"]
    assert mute.noted[-1] == ("volume", 0.2)


async def test_two_at_once_are_heard_one_after_the_other(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.4), Player("Bath", plays_s=1.4)
    await have(kitchen, bath)
    await asyncio.gather(
        announce(hass, KITCHEN, BATH, volume=0.7),
        announce(hass, BATH, KITCHEN, volume=0.9, text="Có người gọi cửa."),
    )

    once = [("volume", 0.7), ("speaks", 0.7), ("silent", 0.7), ("volume", 0.2)]
    again = [("volume", 0.9), ("speaks", 0.9), ("silent", 0.9), ("volume", 0.2)]
    assert kitchen.noted == bath.noted == [*once, *again]


async def test_without_a_volume_none_is_touched(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1)
    await have(kitchen)
    await announce(hass, KITCHEN, language="vi")

    assert kitchen.noted == [("speaks", 0.2), ("silent", 0.2)]


async def test_music_goes_on_where_it_was(hass: HomeAssistant, set_up: SetUp, have: Have) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", PLAIN | MediaPlayerEntityFeature.SEEK, plays_s=1)
    bath = Player("Bath", plays_s=1)
    hall = Player("Hall", PLAIN | MediaPlayerEntityFeature.SEEK, plays_s=1)
    await have(kitchen, bath, hall)
    kitchen.play_music(position=61)
    bath.play_music()
    hall.play_music()
    await announce(hass, KITCHEN, BATH, "media_player.hall", volume=0.7)

    assert kitchen.noted[-3:] == [("volume", 0.2), ("plays", MUSIC), ("at", 61)]
    assert bath.noted[-2:] == hall.noted[-2:] == [("volume", 0.2), ("plays", MUSIC)]


def test_a_player_that_vanished_while_others_spoke_has_nothing_to_be_put_back() -> None:
    before = PlayerSnapshot.of(None)
    assert (before.volume, before.played, before.position_s) == (None, None, None)


async def test_a_player_that_goes_on_by_itself_is_left_to_it(
    hass: HomeAssistant, set_up: SetUp, have: Have, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.vieneu.announcer.LAG_S", 0.5)
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", PLAIN | MediaPlayerEntityFeature.MEDIA_ANNOUNCE, plays_s=1)
    await have(kitchen)
    kitchen.play_music()
    await announce(hass, KITCHEN, volume=0.7)

    assert kitchen.noted == [
        ("volume", 0.7), ("speaks", 0.7), ("silent", 0.7), ("volume", 0.2),
    ]  # fmt: skip
    assert kitchen.state is MediaPlayerState.PLAYING


async def test_a_player_that_fails_is_an_error_and_does_not_interrupt_the_others(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.4), Player("Bath", plays_s=1.4)
    await have(kitchen, bath)
    bath.error = HomeAssistantError("The player is off.")
    with pytest.raises(HomeAssistantError, match="The player is off"):
        await announce(hass, BATH, volume=0.9)
    assert bath.noted == [("volume", 0.9), ("volume", 0.2)]

    with pytest.raises(HomeAssistantError, match="The player is off"):
        await announce(hass, KITCHEN, BATH, volume=0.9)
    assert kitchen.noted == [
        ("volume", 0.9), ("speaks", 0.9), ("silent", 0.9), ("volume", 0.2),
    ]  # fmt: skip


async def test_a_player_that_lacks_something_does_not_silence_the_others(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1.4)
    fixed = Player("Fixed", MediaPlayerEntityFeature.PLAY_MEDIA, plays_s=1.4)
    screen = Player("Screen", MediaPlayerEntityFeature.VOLUME_SET)
    await have(kitchen, fixed, screen)
    with pytest.raises(HomeAssistantError):  # the screen plays nothing at all
        await announce(hass, "media_player.fixed", "media_player.screen", KITCHEN, volume=0.7)
    assert fixed.noted == [("speaks", 0.2), ("silent", 0.2)]
    assert kitchen.noted == [
        ("volume", 0.7), ("speaks", 0.7), ("silent", 0.7), ("volume", 0.2),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [OSError("the socket is gone"), TimeoutError()])
async def test_an_error_of_another_kind_is_no_reason_to_interrupt_others(
    hass: HomeAssistant, set_up: SetUp, have: Have, error: Exception
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.4), Player("Bath")
    await have(kitchen, bath)
    bath.error = error
    with pytest.raises(HomeAssistantError) as caught:
        await announce(hass, BATH, KITCHEN, volume=0.9)
    assert caught.value.translation_key == "player_failed"
    reason = str(error) or type(error).__name__
    assert caught.value.translation_placeholders == {"player": BATH, "reason": reason}
    assert kitchen.noted[1:] == [("speaks", 0.9), ("silent", 0.9), ("volume", 0.2)]


async def test_a_player_that_never_answers_does_not_block_the_next_announcement(
    hass: HomeAssistant, set_up: SetUp, have: Have, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.vieneu.announcer.ANSWER_S", 1.0)
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.4), Player("Bath", plays_s=1.4)
    await have(kitchen, bath)
    bath.play_music()
    bath.hold = asyncio.Event()
    with pytest.raises(HomeAssistantError) as caught:
        await announce(hass, BATH, KITCHEN)
    assert caught.value.translation_key == "player_failed"
    assert kitchen.noted == [("speaks", 0.2), ("silent", 0.2)]
    bath.hold = None
    await announce(hass, BATH)
    assert bath.noted == [("speaks", 0.2), ("silent", 0.2), ("plays", MUSIC)]


async def test_who_cannot_be_put_back_does_not_keep_others_from_it(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1.4), Player("Bath", plays_s=1.4)
    await have(kitchen, bath)
    bath.play_music()
    bath.volume_error = HomeAssistantError("stuck")
    await announce(hass, BATH, KITCHEN, volume=0.9)
    assert kitchen.noted[-1] == ("volume", 0.2)
    assert bath.noted == [("speaks", 0.2), ("silent", 0.2), ("plays", MUSIC)]


async def test_a_late_first_sound_cuts_no_last_word(
    hass: HomeAssistant,
    set_up: SetUp,
    have: Have,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.vieneu.announcer.LAG_S", 0.8)
    await set_up(colab, mode="remote")
    kitchen = Player("Kitchen", plays_s=3.2)  # from its call: it has nothing for 1 s
    await have(kitchen)
    kitchen.play_music()
    hold = asyncio.Event()
    engine.script = [ScriptStep(hold=hold, at_sentence=0)]
    speaking = asyncio.ensure_future(announce(hass, KITCHEN, text=" ".join(SENTENCES[:2])))
    await asyncio.sleep(1.0)
    hold.set()
    answer = await speaking

    assert 2.2 < answer["seconds"] < 3.6, "two sentences, and the pause between them"
    assert kitchen.noted[-2:] == [("silent", 0.2), ("plays", MUSIC)]


async def test_what_was_announced_before_is_not_announced_again(
    hass: HomeAssistant, set_up: SetUp, have: Have, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.vieneu.announcer.LAG_S", 0.1)
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=4.0)  # its state lags behind
    await have(kitchen)
    await announce(hass, KITCHEN)
    kitchen.plays_s = 0.0
    await announce(hass, KITCHEN, text="Có người gọi cửa.")
    assert [what for what, _ in kitchen.noted].count("speaks") == 2
    assert "plays" not in [what for what, _ in kitchen.noted]
    await asyncio.sleep(3.0)


async def test_an_announcement_waits_for_an_entry_that_is_reloading(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    entry = await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1.0)
    await have(kitchen)
    reloading = asyncio.ensure_future(hass.config_entries.async_reload(entry.entry_id))
    await asyncio.sleep(0)
    answer = await announce(hass, KITCHEN)
    assert await reloading
    assert answer["seconds"] > 0.5
    assert kitchen.noted == [("speaks", 0.2), ("silent", 0.2)]


async def test_a_player_that_is_not_there_is_named_and_the_others_speak(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1)
    await have(kitchen)
    hass.states.async_set(BATH, "unavailable")
    with pytest.raises(ServiceValidationError) as caught:
        await announce(hass, KITCHEN, BATH, "media_player.gone")
    assert kitchen.noted == [("speaks", 0.2), ("silent", 0.2)]
    assert caught.value.translation_key == "players_absent"
    assert caught.value.translation_placeholders == {"players": f"{BATH}, media_player.gone"}


async def test_what_cannot_be_spoken_is_an_error_of_the_automation(
    hass: HomeAssistant, set_up: SetUp, have: Have
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen")
    await have(kitchen)
    await press(hass, "unload_local_model")
    with pytest.raises(HomeAssistantError) as caught:
        await announce(hass, KITCHEN, volume=0.7)
    assert caught.value.translation_key == "not_spoken"
    assert kitchen.noted == []
