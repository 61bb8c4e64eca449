"""Lost backends: which are, and which backend speaks meanwhile."""

from __future__ import annotations

from homeassistant.core import HomeAssistant

from vieneu_core.backends.base import BackendState
from vieneu_core.errors import (
    BackendError,
    ServerTooNewError,
    ServerTooOldError,
    VieneuError,
)
from vieneu_core.router import (
    BackendStatus,
    ErrorReport,
    LocalLost,
    Mode,
    RemoteLost,
    RouterStatus,
)

from .const import CONF_APP, CONF_KIND, CONF_LOCAL, LocalKind
from .error_translation import message, translated_error
from .runtime import VieneuConfigEntry

REMOTE_LOST = "remote_lost"
SERVER_LOST = "server_lost"
APP_LOST = "app_lost"
LOCAL_LOST = "local_lost"
REMOTE_TOO_OLD = "remote_too_old"
SERVER_TOO_OLD = "server_too_old"
APP_TOO_OLD = "app_too_old"
INTEGRATION_TOO_OLD = "integration_too_old"
_TOO_OLD = {
    REMOTE_LOST: REMOTE_TOO_OLD,
    SERVER_LOST: SERVER_TOO_OLD,
    APP_LOST: APP_TOO_OLD,
}


def lost_key(
    entry: VieneuConfigEntry, backend: str, error: VieneuError | ErrorReport | None
) -> str:
    """Return the key of the texts about a backend that is lost because of an error."""
    code, key = error and error.code, _kind_of(entry, backend)
    if code == ServerTooNewError.code:
        return INTEGRATION_TOO_OLD
    # A model has none: until the reload, the error may still be of the server before it.
    return _TOO_OLD.get(key, key) if code == ServerTooOldError.code else key


def _kind_of(entry: VieneuConfigEntry, backend: str) -> str:
    if backend == Mode.REMOTE:
        return REMOTE_LOST
    local = entry.data[CONF_LOCAL]
    if CONF_APP in local:
        return APP_LOST
    return SERVER_LOST if local[CONF_KIND] == LocalKind.SERVER else LOCAL_LOST


def lost_in(event: LocalLost | RemoteLost) -> str:
    """Return the backend that an event reports as lost."""
    return (Mode.REMOTE if isinstance(event, RemoteLost) else Mode.LOCAL).value


def lost_backends(status: RouterStatus) -> list[BackendStatus]:
    """Return the backends of a mode that failed. Of the last resort only a repair tells."""
    found = (status.backend(mode.value) for mode in Mode)
    return [backend for backend in found if backend is not None and is_lost(backend)]


def is_lost(backend: BackendStatus) -> bool:
    """Return whether a backend is lost; of a refused token the dialog for it tells."""
    return backend.lost and backend.state is not BackendState.UNAUTHORIZED


def outage_texts(hass: HomeAssistant, error: VieneuError | ErrorReport) -> dict[str, str]:
    """Return the placeholders of an error, beside what speaks meanwhile.

    The remedy of an error that has none of its own is left out: it promises another backend.
    """
    texts = translated_error(hass, error)
    return {**texts, "remedy": ""} if error.remedy == BackendError.default_remedy else texts


def name_of(hass: HomeAssistant, backend: str) -> str:
    """Return the name of a backend in the language of Home Assistant."""
    return message(hass, "entity", f"sensor.active_backend.state.{backend}", backend)


def speaks_without(hass: HomeAssistant, status: RouterStatus, absent: str) -> str:
    """Return a sentence about what speaks while a backend cannot."""
    others = [name for name in status.ready if name != absent]
    if not others:
        return message(hass, "exceptions", "nothing_else_speaks.message", "")
    is_chosen = others[0] == status.mode
    key = "choice_speaks" if is_chosen else "another_speaks"
    text = message(hass, "exceptions", f"{key}.message", "{backend}")
    return text.format(backend=name_of(hass, others[0]))
