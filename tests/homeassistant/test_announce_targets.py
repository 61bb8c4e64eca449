"""Who speaks an announcement: areas, floors, labels, devices, groups and Assist satellites."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import probatio as vol
import pytest
from conftest import EMBEDDED, SetUp
from homeassistant.components.assist_satellite import (
    AssistSatelliteAnnouncement,
    AssistSatelliteConfiguration,
    AssistSatelliteEntity,
    AssistSatelliteEntityFeature,
)
from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.setup import async_setup_component
from player_rig import BATH, KITCHEN, Player
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    setup_test_component_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

SATELLITE = "assist_satellite.hall"
SPOKE = [("speaks", 0.2), ("silent", 0.2)]


class Satellite(AssistSatelliteEntity):
    """A satellite that fetches what it announces, as real ones do."""

    _attr_name = _attr_unique_id = "Hall"

    def __init__(self, fetch: Callable[[str], Any], *, announces: bool = True) -> None:
        self._fetch = fetch
        self.announced: list[AssistSatelliteAnnouncement] = []
        self.audio: list[bytes] = []
        self.error: Exception | None = None
        if announces:
            self._attr_supported_features = AssistSatelliteEntityFeature.ANNOUNCE

    def async_get_configuration(self) -> AssistSatelliteConfiguration:
        return AssistSatelliteConfiguration([], [], 0)

    async def async_set_configuration(self, config: AssistSatelliteConfiguration) -> None:
        raise NotImplementedError

    def on_pipeline_event(self, event: object) -> None:
        raise NotImplementedError

    async def async_announce(self, announcement: AssistSatelliteAnnouncement) -> None:
        if self.error is not None:
            raise self.error
        self.announced.append(announcement)
        self.audio.append(await self._fetch(announcement.media_id))


@pytest.fixture
async def fetch(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Callable[[str], Any]:
    assert await async_setup_component(hass, "http", {})
    hass.config.internal_url = "http://127.0.0.1:8123"

    async def get(url: str) -> bytes:
        client = await hass_client()  # once all components are set up
        answer = await client.get("/" + url.split("/", 3)[3])
        assert answer.status == 200
        return bytes(await answer.read())

    return get


async def add(hass: HomeAssistant, domain: str, *entities: Any) -> None:
    setup_test_component_platform(hass, domain, entities)
    assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    await hass.async_block_till_done()


async def announce(hass: HomeAssistant, target: dict[str, Any], **data: Any) -> Any:
    given = {"text": "Cơm chín rồi.", **data}
    return await hass.services.async_call(
        "vieneu", "announce", given, target=target, blocking=True, return_response=True
    )


@pytest.mark.parametrize("kind", ["area_id", "floor_id", "label_id"])
async def test_players_of_an_area_a_floor_or_a_label_speak_and_no_others(
    hass: HomeAssistant, set_up: SetUp, kind: str
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1), Player("Bath", plays_s=1)
    hall = Player("Hall", MediaPlayerEntityFeature.PLAY_MEDIA, plays_s=1)
    screen = Player("Screen", MediaPlayerEntityFeature.TURN_ON)
    await add(hass, "media_player", kitchen, bath, hall, screen)
    floor = fr.async_get(hass).async_create("Below")
    area = ar.async_get(hass).async_create("Food", floor_id=floor.floor_id)
    label = lr.async_get(hass).async_create("Loud")
    for player in (KITCHEN, "media_player.hall", "media_player.screen"):
        er.async_get(hass).async_update_entity(player, area_id=area.id, labels={label.label_id})
    hass.states.async_set("media_player.hall", "unavailable")
    ids = {"area_id": area.id, "floor_id": floor.floor_id, "label_id": label.label_id}
    await announce(hass, {kind: ids[kind]})
    assert kitchen.noted == SPOKE
    assert bath.noted == hall.noted == [], "who is away is not waited for, nor an error"
    assert screen.noted == [], "nor is who plays nothing"


async def test_a_group_and_an_area_that_overlap_speak_once(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up(EMBEDDED)
    kitchen, bath = Player("Kitchen", plays_s=1), Player("Bath", plays_s=1)
    await add(hass, "media_player", kitchen, bath)
    members = {"group": {"all": {"name": "All", "entities": [KITCHEN, BATH]}}}
    assert await async_setup_component(hass, "group", members)
    await hass.async_block_till_done()
    area = ar.async_get(hass).async_create("Food")
    er.async_get(hass).async_update_entity(KITCHEN, area_id=area.id)
    await announce(hass, {"entity_id": ["group.all"], "area_id": [area.id]})
    assert kitchen.noted == bath.noted == SPOKE


async def test_a_satellite_speaks_what_the_players_speak(
    hass: HomeAssistant, set_up: SetUp, fetch: Callable[[str], Any]
) -> None:
    await set_up(EMBEDDED)
    kitchen, satellite = Player("Kitchen", plays_s=1), Satellite(fetch)
    await add(hass, "media_player", kitchen)
    await add(hass, "assist_satellite", satellite)
    answer = await announce(hass, {"entity_id": [KITCHEN, SATELLITE]}, volume=0.7, chime=True)
    assert answer["seconds"] > 1.5, "the chime, and the speech"
    (announced,) = satellite.announced
    assert announced.message == "Cơm chín rồi."
    assert announced.preannounce_media_id is None, "the chime is in the speech"
    assert len(satellite.audio[0]) > 5_000
    assert ("speaks", 0.7) in kitchen.noted


async def test_a_device_with_a_satellite_and_a_player_speaks_once(
    hass: HomeAssistant, set_up: SetUp, fetch: Callable[[str], Any]
) -> None:
    await set_up(EMBEDDED)
    kitchen, satellite = Player("Kitchen", plays_s=1), Satellite(fetch)
    await add(hass, "media_player", kitchen)
    await add(hass, "assist_satellite", satellite)
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", "speaker")}
    )
    for entity_id in (KITCHEN, SATELLITE):
        er.async_get(hass).async_update_entity(entity_id, device_id=device.id)
    await announce(hass, {"device_id": device.id})
    assert len(satellite.announced) == 1
    assert kitchen.noted == []


async def test_a_satellite_that_fails_or_cannot_announce_is_named(
    hass: HomeAssistant, set_up: SetUp, fetch: Callable[[str], Any]
) -> None:
    await set_up(EMBEDDED)
    kitchen, satellite = Player("Kitchen", plays_s=1), Satellite(fetch)
    await add(hass, "media_player", kitchen)
    await add(hass, "assist_satellite", satellite)
    satellite.error = TimeoutError()
    with pytest.raises(HomeAssistantError) as caught:
        await announce(hass, {"entity_id": [KITCHEN, SATELLITE]})
    assert caught.value.translation_placeholders == {
        "player": SATELLITE, "reason": "TimeoutError",
    }  # fmt: skip
    assert kitchen.noted == SPOKE
    satellite._attr_supported_features = AssistSatelliteEntityFeature(0)
    satellite.async_write_ha_state()
    with pytest.raises(ServiceValidationError) as refused:
        await announce(hass, {"entity_id": [SATELLITE]})
    assert refused.value.translation_placeholders == {"players": SATELLITE}


async def test_what_is_not_there_is_named_and_nothing_at_all_is_an_error(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1)
    await add(hass, "media_player", kitchen)
    hass.states.async_set("light.lamp", "on")
    with pytest.raises(ServiceValidationError) as caught:
        await announce(hass, {"entity_id": [KITCHEN, "light.lamp"], "area_id": ["nowhere"]})
    assert caught.value.translation_placeholders == {"players": "light.lamp, nowhere"}
    assert kitchen.noted == SPOKE
    empty = ar.async_get(hass).async_create("Empty")
    with pytest.raises(ServiceValidationError) as none:
        await announce(hass, {"area_id": empty.id})
    assert none.value.translation_key == "no_players"
    with pytest.raises(vol.Invalid, match="at least one of"):
        await announce(hass, {})


async def test_an_urgent_announcement_goes_before_those_that_wait(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1)
    await add(hass, "media_player", kitchen)
    target = {"entity_id": [KITCHEN]}
    volumes = [(0.4, "normal"), (0.5, "normal"), (0.6, "normal"), (0.9, "high")]
    calls = []
    for volume, priority in volumes:
        call = announce(hass, target, volume=volume, priority=priority)
        calls.append(asyncio.ensure_future(call))
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    spoken = [volume for what, volume in kitchen.noted if what == "speaks"]
    assert spoken == [0.4, 0.9, 0.5, 0.6]


async def test_one_that_is_given_up_while_it_waits_keeps_nobody_from_speaking(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up(EMBEDDED)
    kitchen = Player("Kitchen", plays_s=1)
    await add(hass, "media_player", kitchen)
    calls = []
    for volume in (0.4, 0.5, 0.6):
        call = announce(hass, {"entity_id": [KITCHEN]}, volume=volume)
        calls.append(asyncio.ensure_future(call))
        await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    spoken = [volume for what, volume in kitchen.noted if what == "speaks"]
    assert spoken == [0.4, 0.6]
