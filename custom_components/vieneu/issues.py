"""Repairs: they come when something is wrong, and go by themselves when it is not any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from vieneu_core import __version__
from vieneu_core.backends.base import BackendState
from vieneu_core.router import LAST_RESORT, BackendStatus, Mode
from vieneu_core.wire.version import is_older

from .const import DOMAIN
from .coordinator import VieneuConfigEntry, VieneuCoordinator, VieneuData
from .error_translation import translated_error

ENDING_S = 30 * 60.0
"""So long before the end of the session the admin is told."""
BUDGET_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something that an admin should mend."""

    key: str
    placeholders: dict[str, str]
    fixable: bool = False
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING


PLACES = f"component.{DOMAIN}.entity.sensor.active_backend.state"
MISSING = "engine_missing"
KEYS = ("remote_lost", "session_ending", "fallback_active", "server_outdated", "tunnel_budget")


@callback
def async_watch(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Keep the repairs true from now on; the answer ends that."""

    @callback
    def settle() -> None:
        words = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
        places = {
            name: words.get(f"{PLACES}.{name}", name)
            for name in (Mode.LOCAL.value, Mode.REMOTE.value, LAST_RESORT)
        }
        present = {issue.key: issue for issue in issues_of(coordinator.data, places)}
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
    """Say which packages of the chosen engine could not be installed; none takes the repair back.

    It stands from one set-up to the next: only a set-up installs.
    """
    if not requirements:
        ir.async_delete_issue(hass, DOMAIN, MISSING)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        MISSING,
        data={"entry_id": entry.entry_id},
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=MISSING,
        translation_placeholders={"packages": ", ".join(requirements)},
    )


@callback
def async_clear(hass: HomeAssistant) -> None:
    """Take all repairs back."""
    for key in (MISSING, *KEYS):
        ir.async_delete_issue(hass, DOMAIN, key)


def issues_of(data: VieneuData, places: dict[str, str]) -> list[Issue]:
    """Return what is wrong now.

    Args:
        data: How things are.
        places: What the backends are called in the language of the house.
    """
    status = data.status
    remote = status.backend(Mode.REMOTE)
    found: list[Issue] = []
    if remote is not None and _is_lost(remote):
        error = remote.last_error
        found.append(
            Issue(
                key="remote_lost",
                placeholders=translated_error(error, data.language) if error is not None else {},
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
                    "active": places[status.active],
                    "chosen": places[status.mode.value],
                },
            )
        )
    version = remote.health.version if remote is not None and remote.health is not None else None
    if version is not None and is_older(version, own=__version__):
        found.append(
            Issue(key="server_outdated", placeholders={"theirs": version, "own": __version__})
        )
    if status.quota is not None and status.quota.used >= BUDGET_SHARE:
        found.append(
            Issue(
                key="tunnel_budget",
                placeholders={"used": f"{100 * status.quota.used:.0f}"},
            )
        )
    return found


def _is_lost(remote: BackendStatus) -> bool:
    """Whether it failed: not while it loads, and not where it was unloaded on purpose."""
    on_purpose = {BackendState.NOT_CONFIGURED, BackendState.UNLOADED, BackendState.LOADING}
    return (
        remote.last_error is not None and not remote.state.ready and remote.state not in on_purpose
    )
