"""Changes of a loaded entry: a new server on Colab is used without a reload.

Running speech ends on the old server.
"""

from __future__ import annotations

from collections.abc import Callable

from homeassistant.core import HomeAssistant, callback

from vieneu_core.router import Mode

from . import address_webhook
from .const import CONF_COLAB, CONF_LOCAL, CONF_MODE
from .options import SpeechOptions, async_store
from .runtime import VieneuConfigEntry


@callback
def async_follow(hass: HomeAssistant, entry: VieneuConfigEntry) -> Callable[[], None]:
    """Apply each change of the entry. Returns a function that unsubscribes."""
    runtime = entry.runtime_data
    known, options = dict(entry.data), SpeechOptions.of(entry.options)
    stop_listening = address_webhook.async_listen(hass, entry)

    async def changed(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
        nonlocal known, options, stop_listening
        before, known = known, dict(entry.data)
        if before == known:  # an option: read when needed, shown by entities
            options, earlier = SpeechOptions.of(entry.options), options
            await runtime.async_follow_options(earlier)
            runtime.coordinator.async_update_listeners()
            return
        if before[CONF_LOCAL] != known[CONF_LOCAL]:
            hass.config_entries.async_schedule_reload(entry.entry_id)
            return
        if address_webhook.webhook_key_of(before) != address_webhook.webhook_key_of(known):
            stop_listening()
            stop_listening = address_webhook.async_listen(hass, entry)
        colab = known.get(CONF_COLAB)
        if colab is None:
            runtime.router.set_mode(Mode.LOCAL, require_ready=False)
            async_store(hass, entry, **{CONF_MODE: Mode.LOCAL.value})
        await runtime.router.set_remote(runtime.remote(colab) if colab else None)
        await runtime.coordinator.async_refresh()

    stop_following = entry.add_update_listener(changed)

    @callback
    def end() -> None:
        stop_following()
        stop_listening()

    return end
