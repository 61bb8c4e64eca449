"""Interface of a language model that turns phonemes into speech codes, which a codec decodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vieneu_core.engines.base import EngineMemory
from vieneu_core.models.catalogue import PromptFormat

ALL_LAYERS = 999
"""More layers than any model has."""
CODES_PER_S = 50
"""Speech codes per second of audio, for NeuCodec (https://huggingface.co/neuphonic/neucodec)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePrompt:
    """The voice to speak with: the phonemes and the codes of its clip."""

    phonemes: str
    codes: tuple[int, ...] = field(repr=False)
    """Codes from 0 to 65 535, 50 a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePrompt:
    """One sentence to turn into codes."""

    phonemes: str
    reference: ReferencePrompt
    begun: tuple[int, ...] = field(default=(), repr=False)
    """Its first codes, which have been made: the model continues them."""
    attempt: int = 0
    """Number of times that it was generated before; each has random numbers of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Parameters for drawing the next code."""

    temperature: float = 1.0
    """0 always takes the most likely code."""
    top_k: int = 50
    """Number of the most likely codes that are drawn from."""
    top_p: float | None = None
    """Only the most likely codes that together have this probability; None: the model's own, or 1.
    """
    min_p: float | None = None
    """Least probability of a code, in parts of that of the most likely one; None: as of top_p."""
    min_codes: int = 0
    """The end is not drawn before so many codes."""
    seed: int | None = None
    """Makes the result reproducible; None means random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptStyle:
    """How a model is prompted."""

    format: PromptFormat
    emotion: str = ""
    """Token before the text, such as ``<|emotion_0|>``; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeModelSettings:
    """Parameters of a model."""

    format: PromptFormat
    """Format of its prompt."""
    emotion: str = ""
    """Token before the text, such as ``<|emotion_0|>``; empty for none."""
    alternatives: tuple[PromptStyle, ...] = ()
    """Other styles that it may have been trained with: ``sample`` decides."""
    sample: ReferencePrompt | None = None
    """A voice of the model, whose codes are likeliest after a prompt in the model's style."""
    sampling: Sampling = Sampling()
    n_context: int = 2048
    """Tokens of prompt and speech together."""
    threads: int = 0
    """CPU threads; 0 means one per core."""
    gpu_layers: int = ALL_LAYERS
    """Layers of a GGUF model on the GPU, where its library was built for one."""

    @property
    def style(self) -> PromptStyle:
        """The style to use, or the first one to try."""
        return PromptStyle(format=self.format, emotion=self.emotion)


class CodeModel(Protocol):
    """A loaded model, for one caller at a time, except `prefetch`."""

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        ...

    @property
    def accelerator(self) -> str | None:
        """Name of the device; None means the CPU."""
        ...

    @property
    def style(self) -> PromptStyle:
        """How it is prompted."""
        ...

    @property
    def emotions(self) -> frozenset[str]:
        """Tokens of `vieneu_core.text.emotions` that it has."""
        ...

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they are generated, 50 for each second of speech.

        Calls ``cancelled`` before each code, and returns when it is true.

        Raises:
            EndlessSentenceError: the model did not end the sentence.
            SynthesisFailedError: it drew another token.
            TextTooLongError: the sentence and its reference do not fit into the model's context.
            DeviceMemoryError: the device has too little memory.
        """
        ...

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Store the next prompts, in order; from any thread, returns at once."""
        ...

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None:
        """Work ahead on the stored prompts, once the codes of the current sentence are complete.

        Returns when there is nothing more to do, or soon after ``abandoned`` becomes true.
        """
        ...

    def memory(self) -> EngineMemory:
        """Return the device memory in use."""
        ...

    def close(self) -> None:
        """Release the model."""
        ...
