"""Runtime data of a config entry: its router and coordinator."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, TypeAlias

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from vieneu_core.audio import NATURAL_PAUSES
from vieneu_core.backends.base import Backend, BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.builder import AT_ONCE
from vieneu_core.clock import SystemClock
from vieneu_core.config.settings import EMBEDDED_ENGINE, CacheSettings
from vieneu_core.engines.registry import is_installed
from vieneu_core.errors import ConfigurationError
from vieneu_core.router import LAST_RESORT, Mode, Router, RouterPolicy, TunnelQuota
from vieneu_core.speech_cache import CachedBackend, Chosen, SpeechCache, chosen_of, digest_of
from vieneu_core.text import UserDictionary
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
from .entity_backend import EntityBackend
from .options import SpeechOptions

ENTITY_WITHIN_S = 5.0
"""Longest wait for the first audio of another entity, in seconds."""
VieneuConfigEntry: TypeAlias = "ConfigEntry[VieneuRuntime]"


def voice_catalogue(hass: HomeAssistant) -> VoiceCatalogue:
    """Return the custom voices, which are kept with the configuration."""
    return VoiceCatalogue(hass.config.path(DOMAIN, "voices"))


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
        self.voices = voice_catalogue(hass)
        self._quota = TunnelQuota(folder / "budget.json", clock=SystemClock())
        self._entry = entry
        self._local_data: Mapping[str, Any] = entry.data[CONF_LOCAL]
        self._has_embedded_voice = has_embedded_voice
        colab = entry.data.get(CONF_COLAB)
        self.router = Router(
            local=self._local(self._local_data),
            remote=self.remote(colab) if colab else None,
            last_resort=self._last_resort(),
            mode=Mode(entry.options.get(CONF_MODE, Mode.LOCAL)) if colab else Mode.LOCAL,
            policy=RouterPolicy(
                fallback_enabled=self._options.fallback,
                fallback=self._order(),
                pauses=NATURAL_PAUSES,
            ),
            quota=self._quota,
        )
        self.cached = CachedBackend(
            self.router,
            SpeechCache(
                speech_folder(hass), max_bytes=CacheSettings().max_bytes, voices=self.voices
            ),
            chosen=self._chosen,
        )
        self.coordinator = VieneuCoordinator(hass, entry, self.router)

    async def async_load(self) -> None:
        """Load the router and the cache of speech; the router then knows the user's dictionary.

        Raises:
            BackendError: nothing can speak.
        """
        text = self._options.dictionary
        dictionary = await self._hass.async_add_executor_job(UserDictionary.parse, text)
        await self.router.reading.use(dictionary)
        await self.cached.load()

    @property
    def speech(self) -> Backend:
        """What speaks: the router, with the cache of speech where the options want that."""
        return self.cached if self._options.keep_speech else self.router

    async def async_follow_options(self, before: SpeechOptions) -> None:
        """Apply the options that are not read with each request."""
        if before.fallback_entity != self._options.fallback_entity:
            await self.router.set_last_resort(self._last_resort())
            self.router.set_fallback(enabled=self._options.fallback, order=self._order())
        if before.keep_speech and not self._options.keep_speech:
            with suppress(ConfigurationError):  # the folder cannot be used: nothing is kept there
                await self.cached.cache.clear()

    async def async_follow_packages(
        self, *, local: bool, last_resort: bool, has_embedded_voice: bool
    ) -> None:
        """Use packages that were installed after the set-up. Running speech ends as it began.

        Args:
            local: Whether some are of the local voice, whose worker loads what is there then.
            last_resort: Whether some are of the embedded voice.
            has_embedded_voice: Whether the embedded voice is installed now.

        Raises:
            BackendError: the new local voice cannot be loaded, and the former one speaks on; or the
                entry is being unloaded.
        """
        self._has_embedded_voice = has_embedded_voice
        changes: list[Coroutine[Any, Any, None]] = []
        if last_resort:
            changes.append(self.router.set_last_resort(self._last_resort()))
        if local:
            changes.append(self._async_renew_local())
        results = await asyncio.gather(*changes, return_exceptions=True)
        for failed in (result for result in results if isinstance(result, BaseException)):
            raise failed

    @property
    def has_spare_model(self) -> bool:
        """Whether a local model is loaded, and another backend can speak without it."""
        status, local = self.router.status(), Mode.LOCAL.value
        is_model = self._local_data[CONF_KIND] == LocalKind.MODEL
        backend = status.backend(local)
        is_unloaded = backend is None or backend.state is BackendState.UNLOADED
        return is_model and not is_unloaded and bool(set(status.ready) - {local})

    async def _async_renew_local(self) -> None:
        """Use the local voice anew; where it speaks now, only once the new one is loaded."""
        new = self._local(self._local_data)
        async with AsyncExitStack() as unused:
            unused.push_async_callback(new.aclose)
            if Mode.LOCAL.value in self.router.status().ready:
                await new.load()
            await self.router.set_local(new)
            unused.pop_all()

    @property
    def _options(self) -> SpeechOptions:
        return SpeechOptions.of(self._entry.options)

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
                return LocalBackend(model_engine(local), voices=self.voices)
            case LocalKind.SERVER:
                return RemoteBackend(
                    local[CONF_URL],
                    local[CONF_TOKEN],
                    name=Mode.LOCAL.value,
                    session=async_get_clientsession(self._hass),
                    voices=self.voices,
                )

    def _last_resort(self) -> Backend | None:
        """Return the entity of the options, and the embedded voice where that fails."""
        embedded = None
        if self._has_embedded_voice and not self._is_embedded:
            embedded = LocalBackend(embedded_voice(self._hass), name=LAST_RESORT, restart=AT_ONCE)
        entity_id = self._options.fallback_entity
        if entity_id is None:
            return embedded
        entity = EntityBackend(self._hass, entity_id, name=LAST_RESORT)
        if embedded is None:
            return entity
        # A cloud service may take its time; the embedded voice would always be faster.
        return Router(
            local=entity, last_resort=embedded, policy=RouterPolicy(first_audio_s=ENTITY_WITHIN_S)
        )

    def _order(self) -> tuple[str, ...]:
        """Return the fallbacks in order: the embedded voice comes last, also as the local one."""
        if self._is_embedded and self._options.fallback_entity is not None:
            return (LAST_RESORT, Mode.LOCAL.value)
        return (Mode.LOCAL.value, LAST_RESORT)

    @property
    def _is_embedded(self) -> bool:
        return bool(self._local_data[CONF_KIND] == LocalKind.EMBEDDED)

    def _chosen(self) -> Chosen:
        local = {key: value for key, value in self._local_data.items() if key != CONF_TOKEN}
        return chosen_of(self.router, options=digest_of(local), voice=self._options.voice)


def speech_folder(hass: HomeAssistant) -> Path:
    """Return the folder of the cache of speech, which backups leave out."""
    return Path(hass.config.cache_path(DOMAIN, "speech"))


def embedded_voice(hass: HomeAssistant) -> EngineSpec:
    """Return the embedded voice; its model is kept with the configuration, as the voices are.

    It speaks at once, and better once its model has been downloaded in the background.
    """
    cache = hass.config.path(DOMAIN, "models")
    return EngineSpec(EMBEDDED_ENGINE, {"sano": {"cache": cache}})


def model_engine(local: Mapping[str, Any]) -> EngineSpec:
    """Return the engine of a local model."""
    return EngineSpec(local[CONF_ENGINE], local.get(CONF_ENGINE_OPTIONS, {}))


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
