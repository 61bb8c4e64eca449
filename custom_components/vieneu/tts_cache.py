"""Which of the speech that Home Assistant keeps may be heard again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN

if TYPE_CHECKING:
    from .coordinator import VieneuConfigEntry


def cache_store(hass: HomeAssistant, entry: VieneuConfigEntry) -> Store[dict[str, str]]:
    """Return where it is kept when a stand-in last spoke."""
    return Store(hass, 1, f"{DOMAIN}.{entry.entry_id}.cache")


class ProvenCache:
    """Keeps a stand-in's audio from being taken for the chosen voice's.

    Home Assistant keeps audio by text, language and options, and learns too late who spoke. So
    the options hold which backend is active, and when a stand-in last spoke: what was kept until
    then is not found any more.
    """

    def __init__(self, store: Store[dict[str, str]]) -> None:
        self._store = store
        self._since = ""

    async def async_load(self) -> None:
        """Read when a stand-in last spoke."""
        self._since = (await self._store.async_load() or {}).get("since", "")

    @callback
    def async_forget(self) -> None:
        """A stand-in has spoken: what was kept may be its."""
        self._since = dt_util.utcnow().isoformat()
        self._store.async_delay_save(lambda: {"since": self._since}, 1)

    def key(self, active: str) -> str:
        """Return what the key of the cache holds besides the request."""
        return f"{active} {self._since}"
