"""Changes of a running entry: another server on Colab is taken without a reload.

What is being spoken ends on the server where it began.
"""

from __future__ import annotations

from collections.abc import Callable

from homeassistant.core import HomeAssistant, callback

from . import pairing
from .const import CONF_COLAB, CONF_LOCAL
from .coordinator import VieneuConfigEntry, VieneuCoordinator


@callback
def async_follow(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Do from now on what a change of the entry means; the answer ends that."""
    known = dict(coordinator.config_entry.data)
    stop_listening = pairing.async_listen(hass, coordinator)

    async def changed(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
        nonlocal known, stop_listening
        before, known = known, dict(entry.data)
        if before == known:  # an option: read where it is needed, shown by entities
            coordinator.async_update_listeners()
            return
        if before[CONF_LOCAL] != known[CONF_LOCAL]:
            hass.config_entries.async_schedule_reload(entry.entry_id)
            return
        if pairing.webhook_key_of(before) != pairing.webhook_key_of(known):
            stop_listening()
            stop_listening = pairing.async_listen(hass, coordinator)
        runtime, colab = coordinator.runtime, known.get(CONF_COLAB)
        await runtime.router.set_remote(runtime.remote(colab) if colab else None)
        await coordinator.async_refresh()

    stop_following = coordinator.config_entry.add_update_listener(changed)

    @callback
    def end() -> None:
        stop_following()
        stop_listening()

    return end
