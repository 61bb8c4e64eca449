"""The interface of an engine. Blocking; no asyncio, no requests in flight, no backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One sentence to be spoken by an engine."""

    text: str
    voice: Voice | None
    """None only where ``reference`` is given."""
    reference: ReferenceAudio | None = None
    watermark: bool = False
    upcoming: tuple[str, ...] = ()
    """Sentences that are likely to come next, in the same voice: an engine may work ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What an engine is, once it is loaded."""

    engine: str
    """Short name, as in `Speaker.engine`."""
    model: str
    """Which model or data, for people."""
    sample_rate_hz: int
    voices: tuple[Voice, ...]
    """The default voice first; at least one."""
    clones: bool = False
    """Whether it speaks with reference audio."""
    watermarks: bool = False
    """Whether it can watermark what it speaks."""
    accelerator: str | None = None


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far the loading of a model has come."""

    step: str
    """What is being done, a line for people."""
    done_bytes: int | None = None
    """Bytes of a download that are here; None where nothing is being downloaded."""
    total_bytes: int | None = None
    """Bytes of the whole download; None where that is not known."""


HearProgress = Callable[[LoadProgress], None]
"""Hears how far a load has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMemory:
    """Device memory in use, in gigabytes; None where there is no such device."""

    gpu_used_gb: float | None = None
    gpu_total_gb: float | None = None


class Engine(Protocol):
    """A model in this process. One caller at a time."""

    def load(self, progress: HearProgress) -> EngineInfo:
        """Load the model; ``progress`` hears how far that has come.

        Raises:
            ModelLoadError: the model or its files cannot be used.
            DeviceMemoryError: the device has too little memory.
            MissingExtraError: what the engine needs is not installed.
        """
        ...

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield mono signed 16-bit little-endian samples at the engine's rate, as they come.

        Looks at ``cancelled`` at least between two chunks, and returns when it is true.

        Raises:
            SynthesisFailedError: this sentence could not be spoken.
            DeviceMemoryError: the device has too little memory.
            RequestError: the utterance is wrong, or asks for what the engine cannot do.
        """
        ...

    def memory(self) -> EngineMemory:
        """Measure the device memory in use."""
        ...


EngineFactory = Callable[[Mapping[str, object]], Engine]
"""Makes an engine from its options (plain JSON values). Named as ``module:attribute``."""
