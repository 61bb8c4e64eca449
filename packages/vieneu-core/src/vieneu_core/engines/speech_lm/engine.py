"""Engine built from a language model that generates speech codes and a codec that decodes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache

from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.engines.base import (
    WARM_UP_TEXT,
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Utterance,
)
from vieneu_core.engines.speech_lm.attempts import ATTEMPTS
from vieneu_core.engines.speech_lm.codec import SAMPLE_RATE_HZ, SpeechDecoder
from vieneu_core.engines.speech_lm.model import CodeModel, CodePrompt
from vieneu_core.engines.speech_lm.stream import CodeStream
from vieneu_core.engines.speech_lm.voice_prompts import References
from vieneu_core.engines.speech_lm.windowed_decoder import StreamDecoder
from vieneu_core.errors import EmptyTextError, ModelLoadError, SynthesisFailedError
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Loaded parts of a code engine."""

    model: CodeModel
    decoder: SpeechDecoder
    references: References
    voices: tuple[Voice, ...]
    """Voices, the default one first."""
    phonemize: Callable[[str], str]
    attempts: int = ATTEMPTS
    """Largest number of times that a sentence is drawn."""


class CodeEngine:
    """Speaks sentence by sentence; the first audio comes after ten codes, a word when it has ended.

    The language model has its own thread beside the codec. After a sentence it begins the next one,
    if that is known.

    Args:
        name: The engine's short name.
        load_parts: Loads all parts; its argument is called with the progress.
    """

    def __init__(self, name: str, load_parts: Callable[[OnLoad], Parts]) -> None:
        self._name = name
        self._load_parts = load_parts
        self._parts: Parts | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="codes")
        self._stream: CodeStream | None = None
        self._prefetched: CodePrompt | None = None

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load model, codec, voices and text processing, and warm up.

        Raises:
            ModelLoadError, DeviceMemoryError, MissingExtraError.
        """
        with self._as_load_failure():
            parts = self._load_parts(progress)
        if not parts.voices:
            raise ModelLoadError(
                Translatable("The model {model} has no voices.", model=parts.model.name),
                remedy="Put its voices.json beside it, or name one in the option voices.",
            )
        self._parts = parts
        style = parts.model.style
        emotion = style.emotion or "no emotion token"
        progress(LoadProgress(f"{parts.model.name} gets {style.format} prompts, {emotion}"))
        self._warm_up(parts.voices[0])
        return EngineInfo(
            engine=self._name,
            model=f"{parts.model.name} + {parts.decoder.name}",
            sample_rate_hz=SAMPLE_RATE_HZ,
            voices=parts.voices,
            clones=True,
            emotions=bool(parts.model.emotions),
            accelerator=parts.model.accelerator,
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence as they are decoded, and none while they are kept back.

        Raises:
            EmptyTextError: nothing in it can be pronounced.
            RequestError: the voice is not available.
            EndlessSentenceError: the model does not end it, and it was not heard as a whole.
            SynthesisFailedError, DeviceMemoryError: model or codec failed.
        """
        yield from self._synthesize(utterance, cancelled, self._loaded.attempts)

    def memory(self) -> EngineMemory:
        """Return the device memory in use."""
        return self._loaded.model.memory()

    def _synthesize(
        self, utterance: Utterance, cancelled: Callable[[], bool], attempts: int
    ) -> Iterator[bytes]:
        parts = self._loaded
        prompt = self._prompt(utterance, utterance.text)
        if prompt != self._prefetched and self._stream is not None:
            self._stream.cancel_prefetch()
        self._prefetch_next_sentence(utterance)
        decoder = StreamDecoder(parts.decoder)
        stream = CodeStream(
            parts.model,
            prompt,
            executor=self._thread,
            cancelled=cancelled,
            attempts=attempts,
        )
        self._stream = stream
        with closing(stream):
            for codes in stream:
                if cancelled():
                    return
                if not codes:
                    yield b""  # others are kept back: the model works
                yield from map(pcm_of_floats, decoder.push(codes))
        if cancelled():
            return
        if decoder.n_codes == 0:
            raise SynthesisFailedError(
                Translatable("The model {model} ended before it began.", model=parts.model.name)
            )
        yield pcm_of_floats(decoder.finish())

    def _warm_up(self, voice: Voice) -> None:
        """Synthesize a word without playing it, so that the first sentence is not delayed.

        Raises:
            ModelLoadError: synthesis failed.
        """
        with self._as_load_failure():
            # Nobody hears it, so that its length does not matter.
            for _ in self._synthesize(Utterance(text=WARM_UP_TEXT, voice=voice), lambda: False, 0):
                pass

    @contextmanager
    def _as_load_failure(self) -> Iterator[None]:
        """Report that a model or its voices cannot speak as a failure of the load."""
        try:
            yield
        except SynthesisFailedError as error:
            raise ModelLoadError(
                Translatable(
                    "The engine {name} does not speak its first word. {error}",
                    name=self._name,
                    error=error.detail,
                ),
                remedy="Choose a model and a codec that belong together.",
            ) from error

    @property
    def _loaded(self) -> Parts:
        if self._parts is None:
            raise ModelLoadError(
                Translatable("The engine {name} was used before it was loaded.", name=self._name)
            )
        return self._parts

    def _prompt(self, utterance: Utterance, text: str) -> CodePrompt:
        parts = self._loaded
        return CodePrompt(phonemes=parts.phonemize(text), reference=parts.references.of(utterance))

    def _prefetch_next_sentence(self, utterance: Utterance) -> None:
        """Pass the next sentences to the model, as far as they can be pronounced."""
        prompts: list[CodePrompt] = []
        for text in utterance.upcoming:
            try:
                prompts.append(self._prompt(utterance, text))
            except EmptyTextError:
                break  # raised again when the sentence itself is requested
        self._prefetched = prompts[0] if prompts else None
        self._loaded.model.prefetch(prompts)


def remembered(phonemize: Callable[[str], str]) -> Callable[[str], str]:
    """Return a phonemizer with a cache: most sentences are prefetched first."""
    return lru_cache(maxsize=64)(phonemize)
