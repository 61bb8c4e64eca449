"""Vietnamese text-to-speech for Home Assistant, from this machine or from a GPU on Google Colab."""

from __future__ import annotations

from functools import partial
from shutil import rmtree

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from vieneu_core.errors import AllBackendsFailedError, AuthenticationError, VieneuError

from . import (
    address_webhook,
    bus_events,
    entry_update,
    notebook_view,
    notification,
    repair_issues,
    services,
)
from .const import CONF_LOCAL, CONF_REFUSED_BY, DOMAIN
from .install_retry import InstallRetry
from .installing import async_install_again
from .outages import outage_texts
from .runtime import (
    VieneuConfigEntry,
    VieneuRuntime,
    has_embedded_voice,
    local_engine,
    speech_folder,
)
from .tts_cache import cache_store

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TTS,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what is shared by all entries: the actions, and the view of notebooks."""
    services.async_register(hass)
    notebook_view.async_register(hass)
    repair_issues.async_follow_entries(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: VieneuConfigEntry) -> bool:
    """Set up an entry. It is retried later only if no backend can speak."""
    async with hass.timeout.async_freeze(DOMAIN):  # a large download does not count as a slow start
        missing = await async_install_again(hass, local_engine(entry.data[CONF_LOCAL]))
    repair_issues.async_set_missing(hass, entry, missing)
    embedded = await hass.async_add_executor_job(has_embedded_voice)
    runtime = VieneuRuntime(hass, entry, has_embedded_voice=embedded)
    address_webhook.async_listen_until_set_up(hass, entry)
    try:
        await _load(hass, entry, runtime)
        address_webhook.async_stop_until_set_up(hass, entry)
        entry.runtime_data = runtime
        await _begin(hass, entry)
        entry.async_on_unload(InstallRetry(hass, entry, missing).async_begin())
    except BaseException:  # also where Home Assistant cancels the set-up
        await runtime.cached.aclose()
        raise
    return True


async def _load(hass: HomeAssistant, entry: VieneuConfigEntry, runtime: VieneuRuntime) -> None:
    try:
        await runtime.async_load()
    except VieneuError as error:
        repair_issues.async_set_nothing_speaks(hass, entry, error)
        raise _not_set_up(hass, entry, error) from error


def _not_set_up(
    hass: HomeAssistant, entry: VieneuConfigEntry, error: VieneuError
) -> ConfigEntryNotReady | ConfigEntryAuthFailed:
    """Return the error of an entry with which nothing can speak.

    Where servers refuse the token, only an admin can help; any other failure may end by itself.
    """
    causes = error.causes if isinstance(error, AllBackendsFailedError) else (error,)
    refused = [cause for cause in causes if isinstance(cause, AuthenticationError)]
    for cause in refused[:1]:
        entry.async_start_reauth(hass, data={CONF_REFUSED_BY: cause.backend})
    kind = ConfigEntryAuthFailed if len(refused) == len(causes) else ConfigEntryNotReady
    return kind(
        translation_domain=DOMAIN,
        translation_key="nothing_speaks",
        translation_placeholders=outage_texts(hass, error),
    )


async def _begin(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
    coordinator = entry.runtime_data.coordinator
    entry.async_on_unload(coordinator.async_begin())
    entry.async_on_unload(repair_issues.async_watch(hass, coordinator))
    entry.async_on_unload(bus_events.async_fire_events(hass, coordinator))
    entry.async_on_unload(notification.async_watch(hass, coordinator))
    entry.async_on_unload(entry_update.async_follow(hass, entry))
    await coordinator.async_config_entry_first_refresh()
    coordinator.async_check_token()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)


async def async_unload_entry(hass: HomeAssistant, entry: VieneuConfigEntry) -> bool:
    """Unload an entry, and end its processes."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.cached.aclose()
        notification.async_clear(hass)
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
    """Delete the stored data of the entry. Custom voices are the user's and are kept."""
    address_webhook.async_stop_until_set_up(hass, entry)
    repair_issues.async_clear(hass)
    await hass.async_add_executor_job(partial(rmtree, speech_folder(hass), ignore_errors=True))
    await cache_store(hass, entry).async_remove()
