"""What is tried before anything is saved: a server answers, an engine loads.

Each returns what stands in the way: the key of the message that says what to do, and a detail.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from pydantic import SecretStr

from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    AuthenticationError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    ConfigurationError,
    NotVieneuServerError,
    ServerTooNewError,
    ServerTooOldError,
    TunnelError,
    VieneuError,
)
from vieneu_core.pairing import verify_server
from vieneu_core.worker.spec import EngineSpec

from .error_translation import language_of, translated_error
from .installing import async_install

Failure = tuple[str, str]


_KEYS: tuple[tuple[type[VieneuError], str], ...] = (
    (AuthenticationError, "invalid_auth"),
    (TunnelError, "tunnel_offline"),
    (ServerTooOldError, "server_too_old"),
    (ServerTooNewError, "server_too_new"),
    (NotVieneuServerError, "not_vieneu_server"),
    (BackendLoadingError, "still_loading"),
    (BackendDrainingError, "draining"),
    (BackendError, "cannot_connect"),
    (ConfigurationError, "invalid_url"),
)


def error_key(error: VieneuError) -> str:
    """Return the key of the message that says what to do."""
    return next((key for kind, key in _KEYS if isinstance(error, kind)), "unknown")


async def verify(hass: HomeAssistant, given: Mapping[str, str]) -> Failure | None:
    """Look at a server."""
    try:
        session = async_get_clientsession(hass)
        await verify_server(given[CONF_URL], SecretStr(given[CONF_TOKEN]), session=session)
    except VieneuError as error:
        return error_key(error), translated_error(error, language_of(hass))["detail"]
    return None


async def install(hass: HomeAssistant, engine: str) -> Failure | None:
    """Install what an engine needs."""
    missing = await async_install(hass, engine)
    return ("engine_not_installed", ", ".join(missing)) if missing else None


async def try_engine(hass: HomeAssistant, spec: EngineSpec) -> Failure | None:
    """Load an engine once, so that what is set up is known to speak."""
    if failure := await install(hass, spec.target):
        return failure
    backend = LocalBackend(spec)
    try:
        await backend.load()
    except VieneuError as error:
        return "engine_failed", translated_error(error, language_of(hass))["detail"]
    finally:
        await backend.aclose()
    return None
