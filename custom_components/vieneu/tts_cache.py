"""Key of Home Assistant's speech cache: it finds only what the chosen voice has spoken."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN


def cache_store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, str]]:
    """Return the store of the time when a fallback last spoke."""
    return Store(hass, 1, f"{DOMAIN}.{entry.entry_id}.cache")


class ProvenCache:
    """Keeps a fallback's audio from being taken for the chosen voice's.

    Home Assistant keeps audio by text, language and options, and learns too late which backend
    spoke. So the options hold the active backend, and the time when a fallback last spoke: what
    was kept until then is no longer found.
    """

    def __init__(self, store: Store[dict[str, str]]) -> None:
        self._store = store
        self._since = ""

    async def async_load(self) -> None:
        """Read when a fallback last spoke."""
        self._since = (await self._store.async_load() or {}).get("since", "")

    @callback
    def async_forget(self) -> None:
        """Find nothing that was kept until now: a fallback has spoken."""
        self._since = dt_util.utcnow().isoformat()
        self._store.async_delay_save(lambda: {"since": self._since}, 1)

    def key(self, active: str) -> str:
        """Return what the key of the cache holds besides the request."""
        return f"{active} {self._since}"
