"""Players of an announcement: what an action's target means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.const import ATTR_SUPPORTED_FEATURES, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant, callback, split_entity_id
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

# Not imported: the component needs packages that a Home Assistant without Assist does not have.
ASSIST_SATELLITE: Final = Platform.ASSIST_SATELLITE.value
CAN_ANNOUNCE: Final = 1
"""Bit of `AssistSatelliteEntityFeature.ANNOUNCE`."""
DOMAINS: Final = (ASSIST_SATELLITE, MEDIA_PLAYER)
"""Those that can speak; of the entities of one device in an area, the first one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceTargets:
    """Entities that speak, and what was named but cannot."""

    players: tuple[str, ...]
    """Entity ids of media players and Assist satellites, sorted."""
    absent: tuple[str, ...]
    """Ids of named entities that are not available or no players, and of unknown areas and such."""


@callback
def async_targets(hass: HomeAssistant, target: Mapping[str, Any]) -> AnnounceTargets:
    """Resolve a target.

    Entities that it names must be there. Of areas, floors, labels and devices those are taken that
    can speak now; a device with a player and a satellite speaks once.
    """
    found = async_extract_referenced_entity_ids(hass, TargetSelection(dict(target)))
    named = {entity_id for entity_id in found.referenced if _can_speak(hass, entity_id)}
    others = _one_for_each_device(hass, found.indirectly_referenced - found.referenced)
    missing = found.missing_areas | found.missing_devices | found.missing_floors
    absent = (found.referenced - named) | missing | found.missing_labels
    return AnnounceTargets(
        players=tuple(sorted(named | others)),
        absent=tuple(sorted(absent)),
    )


def is_satellite(entity_id: str) -> bool:
    """Return whether an entity is an Assist satellite, else it is a media player."""
    return split_entity_id(entity_id)[0] == ASSIST_SATELLITE


def _can_speak(hass: HomeAssistant, entity_id: str) -> bool:
    state = hass.states.get(entity_id)
    if state is None or state.domain not in DOMAINS or state.state == STATE_UNAVAILABLE:
        return False
    features = int(state.attributes.get(ATTR_SUPPORTED_FEATURES, 0))
    return not is_satellite(entity_id) or bool(features & CAN_ANNOUNCE)


def _plays(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity plays media: not so a television that is only switched."""
    state = hass.states.get(entity_id)
    features = 0 if state is None else int(state.attributes.get(ATTR_SUPPORTED_FEATURES, 0))
    return is_satellite(entity_id) or bool(features & MediaPlayerEntityFeature.PLAY_MEDIA)


def _one_for_each_device(hass: HomeAssistant, entity_ids: Iterable[str]) -> set[str]:
    registry = er.async_get(hass)
    chosen: dict[str, str] = {}
    for entity_id in sorted(entity_ids):  # satellites come before players
        if _can_speak(hass, entity_id) and _plays(hass, entity_id):
            entry = registry.async_get(entity_id)
            device_id = entry.device_id if entry is not None else None
            chosen.setdefault(device_id or entity_id, entity_id)
    return set(chosen.values())
