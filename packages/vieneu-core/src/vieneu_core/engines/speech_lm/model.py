"""The interface of a language model that turns phonemes into speech codes. Not into sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vieneu_core.engines.base import EngineMemory
from vieneu_core.models.catalogue import PromptFormat

CODES_PER_S = 50
"""Speech codes in a second of audio, of NeuCodec (https://huggingface.co/neuphonic/neucodec)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePrompt:
    """The voice that shall be heard: what was said in its clip, and the codes of that clip."""

    phonemes: str
    codes: tuple[int, ...] = field(repr=False)
    """From 0 to 65 535, 50 a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePrompt:
    """One sentence to be turned into codes."""

    phonemes: str
    reference: ReferencePrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next code is drawn from what the model expects."""

    temperature: float = 1.0
    """0 always takes the likeliest code."""
    top_k: int = 50
    """Only so many of the likeliest codes are drawn from."""
    seed: int | None = None
    """Makes it the same each time; None is different each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeModelSettings:
    """How a model is run."""

    format: PromptFormat
    """How its prompt is framed."""
    emotion: str = ""
    """Token put in front of the text, as ``<|emotion_0|>``; empty for none."""
    sampling: Sampling = Sampling()
    n_context: int = 2048
    """Tokens that prompt and speech may have together."""
    threads: int = 0
    """On the CPU; 0 is one for each core."""


class CodeModel(Protocol):
    """A loaded model. One caller at a time, but for `prefetch`."""

    @property
    def name(self) -> str:
        """Which model, for people."""
        ...

    @property
    def accelerator(self) -> str | None:
        """Name of the device; None is the CPU."""
        ...

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they come, 50 for each second of speech.

        Looks at ``cancelled`` before each code, and returns when it is true.

        Raises:
            SynthesisFailedError: the model did not end the sentence, or left the speech codes.
            TextTooLongError: the sentence and its reference do not fit into the model's context.
            DeviceMemoryError.
        """
        ...

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Learn what comes next, in order; from any thread, returns at once."""
        ...

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None:
        """Work ahead on what was foreseen: the codes of the present sentence are all there.

        Returns once there is nothing more to do, or soon after ``abandoned`` becomes true.
        """
        ...

    def memory(self) -> EngineMemory:
        """Measure the device memory in use."""
        ...

    def close(self) -> None:
        """Give back what the model took."""
        ...
