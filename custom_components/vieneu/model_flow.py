"""Steps of the config flow for a local model, which has to speak before it is saved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import callback

from vieneu_core.backends.base import BackendState
from vieneu_core.engines.registry import AUTO_ENGINE, best_engine, model_option
from vieneu_core.router import Mode
from vieneu_core.worker.spec import EngineSpec

from . import validation
from .config_forms import CONF_MODEL, MODEL
from .const import CONF_ENGINE, CONF_ENGINE_OPTIONS, CONF_KIND, CONF_LOCAL, LocalKind
from .error_translation import reason_of
from .runtime import VieneuConfigEntry, VieneuRuntime, model_engine
from .saving_flow import SavingFlow
from .validation import Failure

_LOGGER = logging.getLogger(__name__)


class ModelFlow(SavingFlow):
    """Installs an engine, loads its model, and saves it once it has spoken a test sentence."""

    _entered: Mapping[str, Any] | None = None
    _trial: asyncio.Task[Failure | None] | None = None
    _failure: Failure | None = None
    _saved: ConfigFlowResult | None = None

    async def async_step_model(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use a VieNeu model on this machine."""
        if user_input is not None:
            self._entered = user_input
            return await self.async_step_load_model()
        return self._form("model", self._failure, MODEL, self._entered)

    async def async_step_load_model(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait until the model has spoken; a download may take long. Its failure is shown."""
        if self._trial is None:
            # Not done at once: Home Assistant would hand the entered values over once more.
            self._trial = self.hass.async_create_task(
                self._try(), "vieneu-load-model", eager_start=False
            )
        if not self._trial.done():
            return self.async_show_progress(
                step_id="load_model", progress_action="load_model", progress_task=self._trial
            )
        trial, self._trial = self._trial, None
        self._failure = trial.result()
        next_step = "model" if self._failure else "save_model"
        return self.async_show_progress_done(next_step_id=next_step)

    async def async_step_save_model(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Save the model that has spoken."""
        return self._saved or await self._save({CONF_LOCAL: self._settings()})

    async def _try(self) -> Failure | None:
        spec = model_engine(self._settings())
        try:
            return await validation.install(self.hass, spec.target) or await self._speak(spec)
        except Exception as error:  # else the dialog would wait for ever
            _LOGGER.exception("The model could not be tried")
            return Failure("unknown", {"detail": reason_of(error)})

    async def _speak(self, spec: EngineSpec) -> Failure | None:
        """Let the model speak, and save it if a local voice is there that it replaces."""
        if (runtime := self._runtime()) is None:
            return await validation.speak_once(self.hass, spec)
        async with self._room(runtime):
            failure = await validation.speak_once(self.hass, spec)
            if failure is None:
                # Not left to the dialog: that may be gone, and nothing would load a model again.
                self._saved = await self._save({CONF_LOCAL: self._settings()})
        return failure

    @asynccontextmanager
    async def _room(self, runtime: VieneuRuntime) -> AsyncIterator[None]:
        """Unload the model in use, which is loaded again unless another was saved meanwhile.

        Two models may not fit into the memory of this machine. It is loaded again at once where
        nothing else speaks any longer: a download may take long.
        """
        if not runtime.has_spare_model:
            yield
            return
        coordinator, local = runtime.coordinator, Mode.LOCAL.value

        @callback
        def keep_speaking() -> None:
            backend = coordinator.data.status.backend(local)
            is_unloaded = backend is not None and backend.state is BackendState.UNLOADED
            if is_unloaded and coordinator.data.status.nothing_speaks:
                coordinator.async_check_now(Mode.LOCAL)

        end_watch = coordinator.async_add_listener(keep_speaking)
        try:
            await runtime.router.unload_backend(local)
            yield
        finally:  # also where the dialog is closed
            end_watch()
            if self._saved is None and self.hass.is_running:
                coordinator.async_check_now(Mode.LOCAL)

    def _runtime(self) -> VieneuRuntime | None:
        """Return the runtime of the entry that is reconfigured; None if it has none."""
        if self.source != SOURCE_RECONFIGURE:
            return None
        entry: VieneuConfigEntry = self._get_reconfigure_entry()
        return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None

    def _settings(self) -> dict[str, Any]:
        """Return the settings that were entered."""
        entered = self._entered or {}
        engine, model = entered[CONF_ENGINE], entered.get(CONF_MODEL)
        return {
            CONF_KIND: LocalKind.MODEL.value,
            CONF_ENGINE: engine,
            CONF_ENGINE_OPTIONS: _options(engine, model),
        }


def _options(engine: str, model: str | None) -> dict[str, Any]:
    """Return the engine options for a model; ``auto`` has them for each engine."""
    options = {model_option(engine): model} if model else {}
    return {best_engine(gpu=False): options} if engine == AUTO_ENGINE and options else options
