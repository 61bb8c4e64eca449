"""Key of Home Assistant's audio cache, which must find only audio of the selected voice."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from vieneu_core.text import version_of

from .const import DOMAIN


def cache_store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, str]]:
    """Return the store of the time when a fallback last spoke."""
    return Store(hass, 1, f"{DOMAIN}.{entry.entry_id}.cache")


class ProvenCache:
    """Prevents cached audio of a fallback from being used as the selected voice's.

    Home Assistant caches audio by text, language and options, before it is known which backend
    speaks. So the options contain the active backend, and when a fallback last spoke: audio
    cached until then is no longer found. They also tell one dictionary of the user from another.
    """

    def __init__(self, store: Store[dict[str, str]]) -> None:
        self._store = store
        self._since = ""

    async def async_load(self) -> None:
        """Load the time when a fallback last spoke."""
        self._since = (await self._store.async_load() or {}).get("since", "")

    @callback
    def async_forget(self) -> None:
        """Invalidate all cached audio, because a fallback has spoken."""
        self._since = dt_util.utcnow().isoformat()
        self._store.async_delay_save(lambda: {"since": self._since}, 1)

    def key(self, active: str, dictionary: str) -> str:
        """Return the additional part of the cache key.

        Args:
            active: The active backend.
            dictionary: Text of the user's dictionary: another one says other words.
        """
        return f"{active} {self._since} {version_of(dictionary) if dictionary else ''}".rstrip()
