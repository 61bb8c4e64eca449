"""Repair issues: created for a problem, deleted when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from vieneu_core import __version__
from vieneu_core.backends.base import BackendState
from vieneu_core.router import BackendStatus, Mode
from vieneu_core.wire.version import is_older

from .const import DOMAIN
from .coordinator import VieneuCoordinator, VieneuData
from .error_translation import message, translated_error
from .options import SpeechOptions
from .runtime import VieneuConfigEntry

ENDING_S = 30 * 60.0
"""Seconds before the end of the session at which its issue is created."""
QUOTA_SHARE = 0.9
"""Share of the tunnel's monthly quota from which on its issue exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A problem that an admin should repair."""

    key: str
    placeholders: dict[str, str]
    fixable: bool = False
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING


ENGINE_MISSING = "engine_missing"
KEYS = (
    "remote_lost",
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
        default_voice = SpeechOptions.of(coordinator.config_entry.options).voice
        found = issues_of(hass, coordinator.data, default_voice=default_voice)
        present = {issue.key: issue for issue in found}
        for key in KEYS:
            if (issue := present.get(key)) is None:
                ir.async_delete_issue(hass, DOMAIN, key)
                continue
            ir.async_create_issue(
                hass,
                DOMAIN,
                key,
                data={"entry_id": coordinator.config_entry.entry_id},
                is_fixable=issue.fixable,
                severity=issue.severity,
                translation_key=key,
                translation_placeholders=issue.placeholders,
            )

    return coordinator.async_add_listener(settle)


@callback
def async_set_missing(
    hass: HomeAssistant, entry: VieneuConfigEntry, requirements: tuple[str, ...]
) -> None:
    """Create the issue of packages that could not be installed; delete it if there are none.

    It exists from one set-up to the next, because only a set-up installs packages.
    """
    if not requirements:
        ir.async_delete_issue(hass, DOMAIN, ENGINE_MISSING)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ENGINE_MISSING,
        data={"entry_id": entry.entry_id},
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ENGINE_MISSING,
        translation_placeholders={"packages": ", ".join(requirements)},
    )


@callback
def async_clear(hass: HomeAssistant) -> None:
    """Delete all issues."""
    for key in (ENGINE_MISSING, *KEYS):
        ir.async_delete_issue(hass, DOMAIN, key)


def issues_of(
    hass: HomeAssistant, data: VieneuData, *, default_voice: str | None = None
) -> list[Issue]:
    """Return the current issues.

    Args:
        hass: Home Assistant, for its language.
        data: The snapshot.
        default_voice: Id of the configured default voice; None means each backend's own.
    """
    status = data.status
    remote = status.backend(Mode.REMOTE)
    found: list[Issue] = []
    if remote is not None and _is_lost(remote):
        error = remote.last_error
        found.append(
            Issue(
                key="remote_lost",
                placeholders=translated_error(hass, error) if error is not None else {},
                fixable=True,
                severity=ir.IssueSeverity.ERROR,
            )
        )
    left_s = status.session_remaining_s
    if left_s is not None and 0 < left_s <= ENDING_S and data.session_end is not None:
        found.append(
            Issue(
                key="session_ending",
                placeholders={"end": f"{dt_util.as_local(data.session_end):%H:%M}"},
            )
        )
    if status.fallback_active:
        found.append(
            Issue(
                key="fallback_active",
                placeholders={
                    "active": _name_of(hass, status.active),
                    "chosen": _name_of(hass, status.mode.value),
                },
            )
        )
    elif (missing := _missing_voice(data, default_voice)) is not None:
        found.append(
            Issue(
                key="default_voice_missing",
                placeholders={"voice": missing, "backend": _name_of(hass, status.active)},
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
                placeholders={"used": f"{100 * status.quota.used:.0f}"},
            )
        )
    return found


def _name_of(hass: HomeAssistant, backend: str) -> str:
    return message(hass, "entity", f"sensor.active_backend.state.{backend}", backend)


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


def _is_lost(remote: BackendStatus) -> bool:
    """Return whether it failed; loading and unloading on purpose do not count."""
    on_purpose = {BackendState.NOT_CONFIGURED, BackendState.UNLOADED, BackendState.LOADING}
    return (
        remote.last_error is not None and not remote.state.ready and remote.state not in on_purpose
    )
