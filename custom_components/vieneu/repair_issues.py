"""Repair issues: created for a problem, deleted when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from vieneu_core import __version__
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.errors import VieneuError
from vieneu_core.router import LAST_RESORT, BackendStatus, Mode, RouterStatus
from vieneu_core.wire.version import is_older

from .const import APP_PAGE, CONF_APP, CONF_LOCAL, DOMAIN, RECONFIGURE_MENU
from .coordinator import VieneuCoordinator, VieneuData
from .error_translation import message
from .installing import Missing
from .options import SpeechOptions
from .outages import (
    APP_LOST,
    APP_TOO_OLD,
    INTEGRATION_TOO_OLD,
    LOCAL_LOST,
    REMOTE_LOST,
    REMOTE_TOO_OLD,
    SERVER_LOST,
    SERVER_TOO_OLD,
    is_lost,
    lost_backends,
    lost_key,
    name_of,
    outage_texts,
    speaks_without,
)
from .runtime import VieneuConfigEntry, local_engine

ENDING_S = 30 * 60.0
"""Seconds before the end of the session at which its issue is created."""
QUOTA_SHARE = 0.9
"""Share of the tunnel's monthly quota from which on its issue exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A problem that an admin should repair."""

    key: str
    placeholders: dict[str, str]
    form: str | None = None
    """Step of the reconfigure flow that repairs it; None if no form does."""
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    page: str | None = None
    """Page of Home Assistant on which it is repaired, if no form does."""


_FORMS = {
    REMOTE_LOST: "paste",
    REMOTE_TOO_OLD: "colab",
    SERVER_LOST: "server",
    LOCAL_LOST: RECONFIGURE_MENU,
}
"""Step of the reconfigure flow for each lost backend that a form repairs."""
_OF_THE_APP = {APP_LOST, APP_TOO_OLD}
"""An app is started and updated on its own page."""
ENGINE_MISSING = "engine_missing"
LAST_RESORT_MISSING = "last_resort_missing"
LAST_RESORT_LOST = "last_resort_lost"
NOTHING_SPEAKS = "nothing_speaks"
KEYS = (
    NOTHING_SPEAKS,
    REMOTE_LOST,
    SERVER_LOST,
    APP_LOST,
    LOCAL_LOST,
    REMOTE_TOO_OLD,
    SERVER_TOO_OLD,
    APP_TOO_OLD,
    INTEGRATION_TOO_OLD,
    LAST_RESORT_LOST,
    "session_ending",
    "fallback_active",
    "default_voice_missing",
    "server_outdated",
    "tunnel_budget",
)


@callback
def async_watch(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Keep the issues up to date. Returns a function that unsubscribes."""

    @callback
    def settle() -> None:
        entry = coordinator.config_entry
        present = {issue.key: issue for issue in issues_of(hass, entry, coordinator.data)}
        if ir.async_get(hass).async_get_issue(DOMAIN, ENGINE_MISSING) is not None:
            present.pop(LOCAL_LOST, None)  # the same failure
        for key in KEYS:
            if (issue := present.get(key)) is None:
                ir.async_delete_issue(hass, DOMAIN, key)
            else:
                _create(hass, entry, issue)

    return coordinator.async_add_listener(settle)


@callback
def _create(hass: HomeAssistant, entry: VieneuConfigEntry, issue: Issue) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue.key,
        data={"entry_id": entry.entry_id, "form": issue.form},
        is_fixable=issue.form is not None,
        severity=issue.severity,
        learn_more_url=issue.page,
        translation_key=issue.key,
        translation_placeholders=issue.placeholders,
    )


@callback
def async_set_nothing_speaks(
    hass: HomeAssistant, entry: VieneuConfigEntry, error: VieneuError
) -> None:
    """Create the issue of an entry that cannot be set up; deleted when it is set up or removed."""
    _create(hass, entry, _nothing_speaks(outage_texts(hass, error)))


@callback
def async_set_missing(
    hass: HomeAssistant, entry: VieneuConfigEntry, missing: Mapping[str, Missing]
) -> None:
    """Create the issues of packages that could not be installed; delete those of none.

    They exist until the next installation.
    """
    chosen = local_engine(entry.data[CONF_LOCAL])
    unmet = {engine: each.unmet for engine, each in missing.items()}
    # The embedded voice is the last resort of any other voice, also of a server.
    last_resort = () if chosen == EMBEDDED_ENGINE else unmet.get(EMBEDDED_ENGINE, ())
    found = {ENGINE_MISSING: unmet.get(chosen or "", ()), LAST_RESORT_MISSING: last_resort}
    for key, requirements in found.items():
        if requirements:
            _create(hass, entry, Issue(key=key, placeholders={"packages": ", ".join(requirements)}))
        else:
            ir.async_delete_issue(hass, DOMAIN, key)


@callback
def async_follow_entries(hass: HomeAssistant) -> None:
    """Delete the issues of an entry that is not loaded any more, or is no longer retried."""

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            async_clear(hass)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def async_clear(hass: HomeAssistant) -> None:
    """Delete all issues."""
    for key in (ENGINE_MISSING, LAST_RESORT_MISSING, *KEYS):
        ir.async_delete_issue(hass, DOMAIN, key)


def issues_of(hass: HomeAssistant, entry: VieneuConfigEntry, data: VieneuData) -> list[Issue]:
    """Return the current issues of an entry.

    Args:
        hass: Home Assistant, for its language.
        entry: The entry, for its local voice and its default voice.
        data: The snapshot.
    """
    status = data.status
    remote = status.backend(Mode.REMOTE)
    found = [_lost(hass, entry, status, backend) for backend in lost_backends(status)]
    last_resort = status.backend(LAST_RESORT)
    # While Home Assistant starts, an entity as the last resort may not be there yet.
    started = hass.state is CoreState.running
    if started and last_resort is not None and is_lost(last_resort):
        found.append(_last_resort_lost(hass, last_resort))
    if status.nothing_speaks:
        found.append(_nothing_speaks(_cause(hass, status)))
    left_s = status.session_remaining_s
    if left_s is not None and 0 < left_s <= ENDING_S and data.session_end is not None:
        found.append(
            Issue(
                key="session_ending",
                placeholders={
                    "end": f"{dt_util.as_local(data.session_end):%H:%M}",
                    "speaks": speaks_without(hass, status, Mode.REMOTE.value),
                },
            )
        )
    default_voice = SpeechOptions.of(entry.options).voice
    if status.fallback_active:
        found.append(
            Issue(
                key="fallback_active",
                placeholders={
                    "active": name_of(hass, status.active),
                    "chosen": name_of(hass, status.mode.value),
                },
            )
        )
    elif (missing := _missing_voice(data, default_voice)) is not None:
        found.append(
            Issue(
                key="default_voice_missing",
                placeholders={"voice": missing, "backend": name_of(hass, status.active)},
            )
        )
    version = remote.health.version if remote is not None and remote.health is not None else None
    if version is not None and is_older(version, own=__version__):
        found.append(
            Issue(key="server_outdated", placeholders={"theirs": version, "own": __version__})
        )
    if status.quota is not None and status.quota.used >= QUOTA_SHARE:
        found.append(
            Issue(
                key="tunnel_budget",
                placeholders={
                    "used": f"{100 * status.quota.used:.0f}",
                    "speaks": speaks_without(hass, status, Mode.REMOTE.value),
                },
            )
        )
    return found


def _lost(
    hass: HomeAssistant, entry: VieneuConfigEntry, status: RouterStatus, backend: BackendStatus
) -> Issue:
    key = lost_key(entry, backend.name, backend.last_error)
    texts = {} if backend.last_error is None else outage_texts(hass, backend.last_error)
    return Issue(
        key=key,
        placeholders={**texts, "speaks": speaks_without(hass, status, backend.name)},
        form=_FORMS.get(key),
        severity=ir.IssueSeverity.ERROR,
        page=APP_PAGE.format(app=entry.data[CONF_LOCAL][CONF_APP]) if key in _OF_THE_APP else None,
    )


def _last_resort_lost(hass: HomeAssistant, backend: BackendStatus) -> Issue:
    """Return the issue of a last resort that fails: the chosen voice may hide that for long."""
    texts = {} if backend.last_error is None else outage_texts(hass, backend.last_error)
    return Issue(key=LAST_RESORT_LOST, placeholders=texts)


def _nothing_speaks(cause: dict[str, str]) -> Issue:
    return Issue(
        key=NOTHING_SPEAKS,
        placeholders=cause,
        form=RECONFIGURE_MENU,
        severity=ir.IssueSeverity.CRITICAL,
    )


def _cause(hass: HomeAssistant, status: RouterStatus) -> dict[str, str]:
    """Return why the selected backend cannot speak, or else another one."""
    chosen = status.backend(status.mode.value)
    errors = [each.last_error for each in (chosen, *status.backends) if each is not None]
    error = next((error for error in errors if error is not None), None)
    if error is not None:
        return outage_texts(hass, error)
    return {"detail": message(hass, "exceptions", "none_loaded.message", ""), "remedy": ""}


def _missing_voice(data: VieneuData, default_voice: str | None) -> str | None:
    """Return the id of the default voice if the active backend lacks it and speaks with its own.

    The default is either the backend's, for which the router publishes `DefaultVoiceMissing`, or
    that of Home Assistant, which is not requested from a backend that lacks it.
    """
    status = data.status
    active = status.backend(status.active)
    if active is not None and active.health is not None and active.health.missing_voice is not None:
        return active.health.missing_voice
    is_known = bool(data.voices) and data.voices_of == status.active
    if default_voice is None or not is_known or default_voice in {v.id for v in data.voices}:
        return None
    return default_voice
