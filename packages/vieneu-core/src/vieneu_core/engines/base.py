"""Interface of an engine: blocking, one sentence at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from vieneu_core.audio.pcm import Speaker
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

WARM_UP_TEXT = "xin chào"
"""What an engine speaks unheard while it loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One sentence for an engine to speak."""

    text: str
    """What is to be said, as prepared by `text.spoken.spoken`: no engine normalizes it again."""
    voice: Voice | None
    """The voice; None only if ``reference`` is given."""
    reference: ReferenceAudio | None = None
    watermark: bool = False
    upcoming: tuple[str, ...] = ()
    """Likely next sentences in the same voice, prepared too: an engine may synthesize ahead."""
    speed: float = 1.0
    """Rate of speech; other than 1.0 only for an engine with `EngineInfo.changes_speed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Description of a loaded engine."""

    engine: str
    """Short name, as in `Speaker.engine`."""
    model: str
    """Model or data, as text for people."""
    sample_rate_hz: int
    voices: tuple[Voice, ...]
    """Voices, the default one first; at least one."""
    clones: bool = False
    """Whether it can clone a voice from reference audio."""
    watermarks: bool = False
    """Whether it can watermark its audio."""
    emotions: bool = False
    """Whether it renders the emotions of `text.emotions`; else they are left out of its text."""
    changes_speed: bool = False
    """Whether it speaks faster or slower itself; otherwise its audio is stretched."""
    accelerator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenBy:
    """What speaks a sentence of an engine that has others inside."""

    engine: str
    """As `EngineInfo.engine`."""
    model: str
    """As `EngineInfo.model`."""
    voice: str
    """Id of the voice; another than the utterance's where that could not be spoken."""

    def named(self, speaker: Speaker) -> Speaker:
        """Return the speaker of the engine that has others inside, as this one."""
        return replace(
            speaker,
            engine=self.engine,
            model=self.model,
            voice=self.voice,
            fallback=self.voice != speaker.voice,
        )


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Progress of loading a model."""

    step: str
    """Current step, as a line of text for people."""
    done_bytes: int | None = None
    """Downloaded bytes; None if nothing is being downloaded."""
    total_bytes: int | None = None
    """Bytes of the whole download; None if unknown."""


OnLoad = Callable[[LoadProgress], None]
"""Callback for the progress of a load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMemory:
    """Device memory in use, in gigabytes; None if there is no such device."""

    gpu_used_gb: float | None = None
    gpu_total_gb: float | None = None


class Engine(Protocol):
    """A model in this process, for one caller at a time."""

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load the model; call ``progress`` meanwhile.

        Raises:
            ModelLoadError: the model or its files are missing or invalid.
            DeviceMemoryError: the device has too little memory.
            MissingExtraError: a package that the engine needs is not installed.
        """
        ...

    def synthesize(
        self, utterance: Utterance, cancelled: Callable[[], bool]
    ) -> Iterator[bytes | SpokenBy]:
        """Yield mono signed 16-bit little-endian samples at the engine's rate as they are made.

        An engine that has others inside yields first which of them speaks. Calls ``cancelled`` at
        least between two chunks, and returns when it is true.

        Raises:
            SynthesisFailedError: this sentence could not be spoken.
            DeviceMemoryError: the device has too little memory.
            RequestError: the utterance is invalid, or requires what the engine cannot do.
        """
        ...

    def memory(self) -> EngineMemory:
        """Return the device memory in use."""
        ...


@runtime_checkable
class Renewable(Protocol):
    """An engine that can offer more voices some time after it was loaded."""

    @property
    def may_renew(self) -> bool:
        """Whether it is worth asking."""
        ...

    def renewed(self) -> EngineInfo | None:
        """Return the description if it has changed since the last call, at the same rate."""
        ...


EngineFactory = Callable[[Mapping[str, object]], Engine]
"""Creates an engine from its options (plain JSON values). Named as ``module:attribute``."""
