"""Validation of an admin's input before it is saved: the server responds, the engine speaks.

Each function returns the failure, or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.translation import async_load_integrations
from pydantic import SecretStr

from vieneu_core.backends.local import LocalBackend
from vieneu_core.credentials import parse_endpoint_url
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
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.worker.spec import EngineSpec, WorkerTimes

from .const import DOMAIN
from .error_translation import translated_error
from .installing import async_install

TEST_SENTENCE_S = 60.0
"""Longest time for the test sentence: the first one of a model takes longest."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error message of the dialog."""

    key: str
    """Key of the text in the section ``config.error`` of the translations."""
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, hass: HomeAssistant, key: str, error: VieneuError) -> Failure:
        """Describe an error. The texts are loaded, as the dialog may precede the integration."""
        await async_load_integrations(hass, {DOMAIN})
        return cls(key, translated_error(hass, error))


_REFUSED = "invalid_auth"
_KEYS: tuple[tuple[type[VieneuError], str], ...] = (
    (AuthenticationError, _REFUSED),
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
    """Return the key of the message with the remedy."""
    return next((key for kind, key in _KEYS if isinstance(error, kind)), "unknown")


def stored_url(address: str) -> str:
    """Return the URL to store for an address; one that cannot be used is left to `verify`."""
    try:
        return parse_endpoint_url(address)
    except ValueError:
        return address


async def verify(hass: HomeAssistant, given: Mapping[str, str]) -> Failure | None:
    """Check that a server responds at the address and accepts the token."""
    try:
        session = async_get_clientsession(hass)
        await verify_server(given[CONF_URL], SecretStr(given[CONF_TOKEN]), session=session)
    except VieneuError as error:
        return await Failure.of(hass, error_key(error), error)
    return None


async def verify_app(hass: HomeAssistant, given: Mapping[str, str]) -> Failure | None:
    """Check an app with what Supervisor has handed over: nobody can copy another token."""
    failure = await verify(hass, given)
    return Failure("app_refuses") if failure and failure.key == _REFUSED else failure


async def install(hass: HomeAssistant, engine: str) -> Failure | None:
    """Install an engine's packages."""
    missing = await async_install(hass, engine)
    return Failure("engine_not_installed", {"detail": ", ".join(missing)}) if missing else None


async def try_engine(hass: HomeAssistant, spec: EngineSpec) -> Failure | None:
    """Install an engine's packages, load its model, and let it speak a short sentence."""
    return await install(hass, spec.target) or await speak_once(hass, spec)


async def speak_once(hass: HomeAssistant, spec: EngineSpec) -> Failure | None:
    """Load an engine in a process of its own, let it speak, and unload it."""
    backend = LocalBackend(spec, times=WorkerTimes(stall_s=TEST_SENTENCE_S))
    policy = RouterPolicy(stall_s=TEST_SENTENCE_S)
    async with aclosing(Router(local=backend, policy=policy)) as router:
        try:
            await router.load_backend(Mode.LOCAL)
        except VieneuError as error:
            return await Failure.of(hass, "engine_failed", error)
        try:
            await router.probe(Mode.LOCAL)
        except VieneuError as error:
            return await Failure.of(hass, "engine_silent", error)
    return None
