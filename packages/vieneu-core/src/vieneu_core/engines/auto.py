"""The engine ``auto``: the best voice that this machine can synthesize fast enough.

Engines are tried in the order of voice quality. The first that loads and is faster than real time
is used. The speed of each is measured once and stored; one that was slow while the machine was busy
is measured again the next time. If none is fast enough, the fastest is used.

Where only a small voice loads, because the model of a better one could not be downloaded, that one
is tried again in the background, and speaks once it is there.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from vieneu_core.config.paths import state_dir
from vieneu_core.engines.base import (
    Engine,
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Renewable,
    SpokenBy,
    Utterance,
)
from vieneu_core.engines.engine_retry import EngineRetry, NotMeasuredError
from vieneu_core.engines.load_failure import load_failure, none_loads
from vieneu_core.engines.loaded_engine import LoadedEngine
from vieneu_core.engines.registry import (
    AUTO_ENGINE,
    ENGINES,
    SMALL_VOICES,
    SpeedRecord,
    candidates,
    has_nvidia_gpu,
    needs_of,
)
from vieneu_core.engines.speech_lm.options import parse_options
from vieneu_core.errors import ModelDownloadError, ModelLoadError, VieneuError
from vieneu_core.translatable import Translatable

FAST_ENOUGH = 0.9
"""Largest acceptable real-time factor; more leaves no time for anything else."""
_TEST = "Xin chào, hôm nay trời đẹp và mát mẻ."
_NAMES = tuple(each.engine for each in ENGINES)
_LOGGER = logging.getLogger(__name__)


def speed_record_path() -> Path:
    """Return the file with the measured speeds of this machine."""
    return state_dir(os.environ) / "speed.json"


class AutoOptions(BaseModel):
    """Engines to try. `WithEngineOptions` adds the options of each engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engines: tuple[str, ...] | None = Field(
        default=None, description=f"names out of {', '.join(_NAMES)}"
    )
    """Only these are tried, in this order; None means all that are installed."""

    def of(self, engine: str) -> dict[str, JsonValue]:
        """Return the options of an engine."""
        found: dict[str, JsonValue] = getattr(self, engine, {})
        return found


_ENGINE_OPTIONS: dict[str, Any] = {
    name: (dict[str, JsonValue], Field(default_factory=dict, description="key: value lines"))
    for name in _NAMES
}
WithEngineOptions = create_model("WithEngineOptions", __base__=AutoOptions, **_ENGINE_OPTIONS)
"""All options: also those of each engine, under its name."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    engine: Engine
    info: EngineInfo
    factor: float

    @property
    def fast_enough(self) -> bool:
        return self.factor <= FAST_ENOUGH


class AutoEngine:
    """Chooses an engine when it is loaded, and delegates to it from then on."""

    def __init__(
        self,
        options: AutoOptions,
        record: SpeedRecord,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._record = record
        self._clock = clock
        self._members: list[LoadedEngine] = []
        """The chosen engine; before it a better one, once that could be loaded too."""
        self._retry: EngineRetry | None = None

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load engines until one is fast enough.

        Raises:
            ModelLoadError: none can be loaded; the message contains the reason for each.
        """
        tried: list[_Loaded] = []
        failures: dict[str, VieneuError] = {}
        for name in self._names():
            try:
                tried.append(self._try(name, progress))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next one may speak
                failures[name] = load_failure(error)
                reason = failures[name].detail
                _LOGGER.warning("%s cannot be used here: %s", name, reason)
                progress(LoadProgress(f"{name} cannot be used here: {reason}"))
                continue
            if tried[-1].fast_enough:
                break
        if not tried:
            raise none_loads(failures)
        best = min(tried, key=lambda each: (not each.fast_enough, each.factor))
        self._members = [LoadedEngine(best.engine, best.info)]
        self._retry = None
        later = [
            name
            for name, error in failures.items()
            if isinstance(error, ModelDownloadError) and not needs_of(name).changes_process
        ]
        if later and best.info.engine in SMALL_VOICES:
            self._retry = EngineRetry(later, self._try_again, self._clock)
        progress(LoadProgress(f"Chose {best.info.engine}, real-time factor {best.factor:.2f}"))
        return best.info

    def synthesize(
        self, utterance: Utterance, cancelled: Callable[[], bool]
    ) -> Iterator[bytes | SpokenBy]:
        """Speak with the chosen engine; see `Engine.synthesize`.

        A request that began before there was a better one keeps its voice.
        """
        best, *former = self._loaded
        if not former:
            yield from best.engine.synthesize(utterance, cancelled)
            return
        member, voice = best, utterance.voice
        if voice is not None:
            offering = (each for each in self._loaded if each.offers(voice))
            member = next(offering, best)
            voice = member.voice_for(voice)
            yield member.spoken_by(voice)
        rate_hz = former[-1].info.sample_rate_hz
        yield from member.pieces(replace(utterance, voice=voice), rate_hz, cancelled)

    def memory(self) -> EngineMemory:
        """Measure the device memory in use."""
        return self._loaded[0].engine.memory()

    @property
    def may_renew(self) -> bool:
        """Whether a better engine may come, or an engine may offer more voices; see `Renewable`."""
        waits = self._retry is not None and not self._retry.is_over
        return waits or any(
            isinstance(each.engine, Renewable) and each.engine.may_renew for each in self._members
        )

    def renewed(self) -> EngineInfo | None:
        """Return what is offered since; see `Renewable`."""
        changed = False
        for at, member in enumerate(self._members):
            if isinstance(member.engine, Renewable) and (info := member.engine.renewed()):
                self._members[at] = replace(member, info=info)
                changed = True
        if self._retry is not None and (better := self._retry.taken()):
            self._members.insert(0, better)
            self._retry = None
            changed = True
        return self._info() if changed else None

    def _info(self) -> EngineInfo:
        """Describe the best engine, at the rate and with the abilities of all."""
        best, *former = self._loaded
        if not former:
            return best.info
        return replace(
            best.info,
            sample_rate_hz=former[-1].info.sample_rate_hz,
            changes_speed=True,
            watermarks=False,  # its audio is made once more at another rate
        )

    @property
    def _loaded(self) -> list[LoadedEngine]:
        if not self._members:
            raise ModelLoadError("The engine auto was used before it was loaded.")
        return self._members

    def _try_again(self, name: str) -> LoadedEngine | None:
        tried = self._try(name, lambda _: None)
        if tried.fast_enough:
            return LoadedEngine(tried.engine, tried.info)
        if self._record.get(tried.info.engine, tried.info.model) is None:
            raise NotMeasuredError(name)
        return None

    def _names(self) -> list[str]:
        if self._options.engines is None:
            return candidates(gpu=has_nvidia_gpu())
        unknown = [name for name in self._options.engines if name not in _NAMES]
        if unknown:
            raise ModelLoadError(
                Translatable("There is no engine {unknown!r} to choose from.", unknown=unknown[0]),
                remedy=Translatable("Write names out of {names}.", names=", ".join(_NAMES)),
            )
        return list(self._options.engines)

    def _try(self, name: str, progress: OnLoad) -> _Loaded:
        module = import_module(f"vieneu_core.engines.{name}")
        engine: Engine = module.create(self._options.of(name))
        info = engine.load(progress)
        factor = self._record.get(info.engine, info.model)
        if factor is None:
            progress(LoadProgress(f"Measuring how fast {name} is here"))
            factor = _measured(engine, info)
            if factor > FAST_ENOUGH:  # the first sentence includes the time for imports
                factor = _measured(engine, info)
            if factor <= FAST_ENOUGH or not _busy():
                self._record.put(info.engine, info.model, factor)
        return _Loaded(engine, info, factor)


def create(options: Mapping[str, object]) -> AutoEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    chosen = parse_options(WithEngineOptions, AUTO_ENGINE, options)
    return AutoEngine(chosen, SpeedRecord(speed_record_path()))


def _busy() -> bool:
    """Whether other programs want the processors too: a slow result says little then."""
    try:
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    except (AttributeError, OSError):  # not on this system
        return False


def _measured(engine: Engine, info: EngineInfo) -> float:
    """Synthesize a sentence without playing it, and return the real-time factor.

    Raises:
        ModelLoadError: synthesis failed.
    """
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    try:
        spoken = engine.synthesize(Utterance(text=_TEST, voice=info.voices[0]), lambda: False)
        n_bytes = sum(len(piece) for piece in spoken if isinstance(piece, bytes))
    except VieneuError as error:
        raise ModelLoadError(
            Translatable(
                "The engine {engine} does not speak. {error}",
                engine=info.engine,
                error=error.detail,
            ),
            remedy=error.remedy,
        ) from error
    took_s = time.perf_counter() - began_s
    if info.accelerator is None and _busy():  # the processors' time is about what it takes alone
        took_s = min(took_s, time.process_time() - began_cpu_s)
    return took_s / max(n_bytes / 2 / info.sample_rate_hz, 0.01)
