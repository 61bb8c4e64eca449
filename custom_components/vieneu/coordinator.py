"""Coordinator: the state that entities show, updated by the router's events without polling."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from vieneu_core.backends.base import BackendState
from vieneu_core.backoff import Backoff
from vieneu_core.errors import VieneuError
from vieneu_core.router import Mode, Router, RouterEvent, RouterStatus
from vieneu_core.voices import Voice

from .const import CONF_REFUSED_BY, DOMAIN
from .error_translation import short_error, translated_detail, translated_error
from .reauth_end import async_end_reauth

_LOGGER = logging.getLogger(__name__)
REFRESH = timedelta(seconds=30)
"""Interval for values that change without an event, such as the time left. Sends no request."""
VOICES_FRESH_S = 60.0
"""Seconds for which a list of voices counts as current, because a server may get new voices."""
VOICES_AGAIN = Backoff(first_s=30.0, longest_s=600.0)
"""Time until a backend that could not list its voices is asked again, unless it was lost."""
SESSION_END_TOLERANCE = timedelta(minutes=2)
"""Smallest change of the session's end that is shown, so that the value does not fluctuate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSpeech:
    """Measurements of the last speech."""

    first_audio_ms: float
    real_time_factor: float
    """Seconds of synthesis for each second of speech, including pauses of the consumer."""
    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The latest failure of a backend, in the language of Home Assistant."""

    backend: str
    code: str
    title: str
    """The failure in a few words."""
    detail: str
    """What failed exactly; English where there is no translation."""
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicesSource:
    """What a list of voices depends on: the list is requested again when this changes."""

    backend: str
    engine: str | None
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VieneuData:
    """A snapshot of the router."""

    status: RouterStatus
    last_error: LastError | None = None
    voices: tuple[Voice, ...] = ()
    """Voices of the backend for the next request, the default one first."""
    voices_of: str = ""
    """Backend of these voices, which may briefly differ from the active one."""
    session_end: datetime | None = None
    last: LastSpeech | None = field(default=None)


class VieneuCoordinator(DataUpdateCoordinator[VieneuData]):
    """Keeps the snapshot for the entities, and forwards the router's events.

    Args:
        hass: Home Assistant.
        entry: The entry that the router was built for.
        router: The router, loaded and closed by the entry's set-up.
    """

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, router: Router) -> None:
        super().__init__(hass, _LOGGER, config_entry=entry, name=DOMAIN, update_interval=REFRESH)
        self.router = router
        self.data = VieneuData(status=router.status())
        self._listeners_of_events: list[Callable[[RouterEvent], None]] = []
        self._listed: VoicesSource | None = None
        self._asked: VoicesSource | None = None
        self._voices_asked_s = 0.0
        self._n_unlisted = 0

    @callback
    def async_begin(self) -> Callable[[], None]:
        """Subscribe to the router. Returns a function that unsubscribes."""
        return self.router.subscribe(self._on_event)

    @callback
    def async_on_router_event(self, listener: Callable[[RouterEvent], None]) -> Callable[[], None]:
        """Call ``listener`` for each event. Returns a function that unsubscribes."""
        self._listeners_of_events.append(listener)
        return lambda: self._listeners_of_events.remove(listener)

    @callback
    def async_record_speech(self, last: LastSpeech) -> None:
        """Store the measurements of a speech."""
        self.async_set_updated_data(replace(self.data, last=last))

    @callback
    def async_check_now(self, mode: Mode) -> None:
        """Check the health of a backend now, regardless of earlier failures."""

        async def verify() -> None:
            backend = self.router.status().backend(mode.value)
            is_unloaded = backend is not None and backend.state is BackendState.UNLOADED
            check = self.router.load_backend if is_unloaded else self.router.check
            with suppress(VieneuError):  # the state shows the failure
                await check(mode.value)
            await self.async_refresh()

        self.config_entry.async_create_background_task(self.hass, verify(), "vieneu-health-check")

    async def async_refresh_voices(self) -> None:
        """Request the voices of the active backend now; after the list that is being received."""
        self._listed = self._asked = None
        await self.async_refresh()

    @callback
    def async_voices_wanted(self) -> None:
        """Request the list of voices again if it is old, because it is being shown."""
        if self.hass.loop.time() - self._voices_asked_s > VOICES_FRESH_S:
            self._voices_asked_s = self.hass.loop.time()
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh_voices(), "vieneu-voices"
            )

    @callback
    def _due_source(self) -> VoicesSource | None:
        """Return the source whose voices are to be requested now; None if there is none."""
        status = self.router.status()
        backend = status.backend(status.active)
        if backend is None or not backend.state.ready:
            self._listed = self._asked = None  # it may be another one when it is back
            return None
        health = backend.health
        source = VoicesSource(
            backend=backend.name,
            engine=health.engine if health else None,
            model=health.model if health else None,
        )
        if source == self._listed:
            return None
        waited_s = self.hass.loop.time() - self._voices_asked_s
        if source == self._asked and waited_s < VOICES_AGAIN.pause_s(self._n_unlisted):
            return None
        return source

    async def _async_update_data(self) -> VieneuData:
        if (source := self._due_source()) is not None:
            if source != self._asked:
                self._n_unlisted = 0
            self._asked, self._voices_asked_s = source, self.hass.loop.time()
            try:
                voices = await self.router.voices()
            except VieneuError as error:  # the former list is kept
                self._n_unlisted += 1
                _LOGGER.debug("The voices cannot be listed: %s", error)
            else:
                if self._asked is source:  # else a new list was requested meanwhile, and is due
                    self._listed = source
                return replace(self._snapshot(), voices=voices, voices_of=source.backend)
        return self._snapshot()  # created last: much can happen during the request

    @callback
    def _on_event(self, event: RouterEvent) -> None:
        self.async_set_updated_data(self._snapshot())
        for listener in list(self._listeners_of_events):
            listener(event)
        if self._due_source() is not None:
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), "vieneu-voices"
            )
        self.async_check_token()

    @callback
    def async_check_token(self) -> None:
        """Start the flow for a new token if a server rejects the current one."""
        for mode in Mode:
            backend = self.data.status.backend(mode.value)
            if backend is None:
                continue
            if backend.state is BackendState.UNAUTHORIZED:
                refused = {CONF_REFUSED_BY: mode.value}
                self.config_entry.async_start_reauth(self.hass, data=refused)
            elif backend.state.ready:  # a valid token was received another way
                async_end_reauth(self.hass, self.config_entry, mode)

    def _snapshot(self) -> VieneuData:
        status = self.router.status()
        return replace(
            self.data,
            status=status,
            last_error=self._last_error(status),
            session_end=self._session_end(status),
        )

    def _last_error(self, status: RouterStatus) -> LastError | None:
        # Current failures come first.
        for backend in sorted(status.backends, key=lambda backend: backend.state.ready):
            if (error := backend.last_error) is not None:
                return LastError(
                    backend=backend.name,
                    code=error.code,
                    title=short_error(self.hass, error),
                    detail=translated_detail(self.hass, error),
                    remedy=translated_error(self.hass, error)["remedy"],
                )
        return None

    def _session_end(self, status: RouterStatus) -> datetime | None:
        if status.session_remaining_s is None:
            return None
        end = dt_util.utcnow() + timedelta(seconds=status.session_remaining_s)
        before = self.data.session_end
        if before is not None and abs(end - before) < SESSION_END_TOLERANCE:
            return before
        return end.replace(second=0, microsecond=0)
