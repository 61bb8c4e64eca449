"""Packages that could not be installed at the set-up, as without network: installed later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from vieneu_core.backoff import Backoff
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.errors import BackendError

from . import repair_issues
from .const import CONF_LOCAL
from .installing import Missing, async_install_again
from .runtime import VieneuConfigEntry, has_embedded_voice, local_engine

_LOGGER = logging.getLogger(__name__)
PAUSES = Backoff(first_s=300.0, longest_s=24 * 3600.0)
"""Pauses between two tries: some packages are never published for a machine."""


class InstallRetry:
    """Tries again ever more rarely, until nothing is missing; what comes is used at once.

    Args:
        hass: Home Assistant.
        entry: The entry, set up.
        missing: What its set-up could not install.
    """

    def __init__(
        self, hass: HomeAssistant, entry: VieneuConfigEntry, missing: Mapping[str, Missing]
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._missing = missing
        self._tries = 0
        self._cancel: Callable[[], None] = lambda: None

    @callback
    def async_begin(self) -> Callable[[], None]:
        """Schedule the first try, if one is needed. Returns a function that ends all."""
        if not self._hass.config.skip_pip and any(each.wanted for each in self._missing.values()):
            self._tries += 1
            due = HassJob(self._async_due, "vieneu-install", cancel_on_shutdown=True)
            self._cancel = async_call_later(self._hass, PAUSES.pause_s(self._tries), due)
        return self._async_end

    @callback
    def _async_end(self) -> None:
        self._cancel()

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._cancel = lambda: None
        # A task of the entry, which ends with it.
        self._entry.async_create_background_task(self._hass, self._again(), "vieneu-install")

    async def _again(self) -> None:
        try:
            await self._install()
        except OSError:  # a lack of memory, of files, of space
            _LOGGER.warning("Packages could not be installed; that is tried again", exc_info=True)
        self.async_begin()

    async def _install(self) -> None:
        local = local_engine(self._entry.data[CONF_LOCAL])
        before, now = self._missing, await async_install_again(self._hass, local)
        self._missing = now
        changed = {engine for engine in now if now[engine] != before[engine]}
        has_embedded = await self._hass.async_add_executor_job(has_embedded_voice)
        try:
            await self._entry.runtime_data.async_follow_packages(
                local=local in changed,
                last_resort=EMBEDDED_ENGINE in changed,
                has_embedded_voice=has_embedded,
            )
        except BackendError as error:
            _LOGGER.warning("What was installed is not used yet: %s", error.detail)
        # Last: a voice that is only being loaded shall not look like one that is lost.
        repair_issues.async_set_missing(self._hass, self._entry, now)
