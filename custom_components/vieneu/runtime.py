"""Runtime data of a config entry: its router and coordinator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.builder import AT_ONCE
from vieneu_core.clock import SystemClock
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.engines.registry import is_installed
from vieneu_core.router import LAST_RESORT, Mode, Router, RouterPolicy, TunnelQuota
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec

from .const import (
    CONF_COLAB,
    CONF_ENGINE,
    CONF_ENGINE_OPTIONS,
    CONF_KIND,
    CONF_LOCAL,
    CONF_MODE,
    DOMAIN,
    LocalKind,
)
from .coordinator import VieneuCoordinator
from .options import SpeechOptions

VieneuConfigEntry: TypeAlias = "ConfigEntry[VieneuRuntime]"


class VieneuRuntime:
    """Router, custom voices and coordinator of an entry.

    Args:
        hass: Home Assistant, for its HTTP session and its configuration folder.
        entry: The entry; its data define the backends, its options the mode and the fallback.
        has_embedded_voice: Whether the embedded voice is installed as the last resort.
    """

    def __init__(
        self, hass: HomeAssistant, entry: VieneuConfigEntry, *, has_embedded_voice: bool
    ) -> None:
        self._hass = hass
        folder = Path(hass.config.path(DOMAIN))
        self.voices = VoiceCatalogue(folder / "voices")
        self._quota = TunnelQuota(folder / "budget.json", clock=SystemClock())
        colab = entry.data.get(CONF_COLAB)
        self.router = Router(
            local=self._local(entry.data[CONF_LOCAL]),
            remote=self.remote(colab) if colab else None,
            last_resort=self._last_resort(entry.data[CONF_LOCAL]) if has_embedded_voice else None,
            mode=Mode(entry.options.get(CONF_MODE, Mode.LOCAL)) if colab else Mode.LOCAL,
            policy=RouterPolicy(fallback_enabled=SpeechOptions.of(entry.options).fallback),
            quota=self._quota,
        )
        self.coordinator = VieneuCoordinator(hass, entry, self.router)

    def remote(self, colab: Mapping[str, Any]) -> RemoteBackend:
        """Return the backend for a server on Colab."""
        return RemoteBackend(
            colab[CONF_URL],
            colab[CONF_TOKEN],
            session=async_get_clientsession(self._hass),
            on_traffic=self._quota.record,
            voices=self.voices,
        )

    def _local(self, local: Mapping[str, Any]) -> LocalBackend | RemoteBackend:
        match LocalKind(local[CONF_KIND]):
            case LocalKind.EMBEDDED:
                return LocalBackend(embedded_voice(self._hass), voices=self.voices)
            case LocalKind.MODEL:
                spec = EngineSpec(local[CONF_ENGINE], local.get(CONF_ENGINE_OPTIONS, {}))
                return LocalBackend(spec, voices=self.voices)
            case LocalKind.SERVER:
                return RemoteBackend(
                    local[CONF_URL],
                    local[CONF_TOKEN],
                    name=Mode.LOCAL.value,
                    session=async_get_clientsession(self._hass),
                    voices=self.voices,
                )

    def _last_resort(self, local: Mapping[str, Any]) -> LocalBackend | None:
        """Return the embedded voice as the last resort, always in another process."""
        if local[CONF_KIND] == LocalKind.EMBEDDED:
            return None
        return LocalBackend(embedded_voice(self._hass), name=LAST_RESORT, restart=AT_ONCE)


def embedded_voice(hass: HomeAssistant) -> EngineSpec:
    """Return the embedded voice; its model is kept with the configuration, as the voices are.

    It speaks at once, and better once its model has been downloaded in the background.
    """
    cache = hass.config.path(DOMAIN, "models")
    return EngineSpec(EMBEDDED_ENGINE, {"fetch": "background", "sano": {"cache": cache}})


def local_engine(local: Mapping[str, Any]) -> str | None:
    """Return the engine of a local voice; None for a server on the network."""
    match LocalKind(local[CONF_KIND]):
        case LocalKind.EMBEDDED:
            return EMBEDDED_ENGINE
        case LocalKind.MODEL:
            return str(local[CONF_ENGINE])
        case LocalKind.SERVER:
            return None


def has_embedded_voice() -> bool:
    """Whether a voice of the embedded ones is installed.

    Blocking: searches the folders of packages.
    """
    return is_installed(EMBEDDED_ENGINE)
