"""Which engines this machine can run: what each needs, and how fast it was here. Loads nothing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNeeds:
    """What an engine needs to be installed."""

    engine: str
    extra: str
    """Of vieneu-core."""
    prebuilt_extra: str = ""
    """The extra that needs no compiler, where ``extra`` needs one."""
    modules: tuple[str, ...]
    """All of them."""
    either: tuple[str, ...] = ()
    """And one of these."""
    wants_gpu: bool = False
    """Whether it is worth running on a GPU alone."""

    def missing(self) -> tuple[str, ...]:
        """Return the modules that are not there."""
        absent = tuple(name for name in self.modules if find_spec(name) is None)
        if self.either and all(find_spec(name) is None for name in self.either):
            absent += (self.either[0],)
        return absent

    @property
    def installed(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing()


_MODEL = ("onnxruntime", "sea_g2p", "huggingface_hub")
ENGINES = (
    EngineNeeds(
        engine="pytorch",
        extra="torch",
        modules=("torch", "transformers", *_MODEL),
        wants_gpu=True,
    ),
    EngineNeeds(
        engine="gguf",
        extra="gguf",
        prebuilt_extra="gguf-prebuilt",
        modules=_MODEL,
        either=("llama_cpp", "xllamacpp"),
    ),
    EngineNeeds(engine="sdk", extra="sdk", modules=("vieneu",)),
    EngineNeeds(engine="espeak", extra="espeak", modules=("espeakng_loader",)),
)
"""In the order in which they are tried, best voice first."""


def has_nvidia_gpu(driver: Path = Path("/proc/driver/nvidia/version")) -> bool:
    """Whether the driver of an NVIDIA GPU is loaded (Linux); asks no library."""
    return driver.exists()


def candidates(*, gpu: bool, engines: Sequence[EngineNeeds] = ENGINES) -> list[str]:
    """Return the engines that are installed, best first; what wants a GPU only where one is."""
    ready = [each for each in engines if each.installed]
    fitting = [each.engine for each in ready if gpu or not each.wants_gpu]
    # Without a GPU, PyTorch still speaks, only slowly: better than nothing but the embedded voice.
    slow = [each.engine for each in ready if each.engine not in fitting]
    at = fitting.index("espeak") if "espeak" in fitting else len(fitting)
    return fitting[:at] + slow + fitting[at:]


class SpeedRecord:
    """The real-time factor of each model on this machine, kept in a file. Blocking.

    Args:
        path: The file; where it cannot be written, nothing is remembered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> dict[str, float]:
        """Return all factors: seconds of work for a second of speech, by engine and model."""
        try:
            stored = json.loads(self._path.read_text("utf-8"))
            return {str(key): float(value) for key, value in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def get(self, engine: str, model: str) -> float | None:
        """Return the factor of a model; None where it was never measured here."""
        return self.all().get(f"{engine} {model}")

    def put(self, engine: str, model: str, factor: float) -> None:
        """Remember the factor of a model."""
        stored = self.all() | {f"{engine} {model}": round(factor, 4)}
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(stored, indent=1, sort_keys=True), "utf-8")
            draft.replace(self._path)
