"""The engine ``sdk``: the official package of https://github.com/pnnbao97/VieNeu-TTS, wrapped.

Failures that the SDK (3.8.3) ignores, and how this engine reports them:

========================================================  =========================================
behaviour of the SDK                                      this engine
========================================================  =========================================
ignores unknown arguments                                 `ModelLoadError` (`options`)
returns None for an unknown mode                          `ModelLoadError` (`options`)
contacts the hub for statistics even if all is cached     kept off the network (`start`)
loads a watermarker unasked; ignores its failure          never loaded: the worker marks, or raises
                                                          `WatermarkUnavailableError`
only logs that voices are missing or unreadable           `ModelLoadError` (`start`, from the log)
skips a voice without a speaker, or a wrong default       `ModelLoadError` (`start`)
only logs that its warm-up failed                         `ModelLoadError` (`start`, from the log)
only logs that it uses another device or codec            `ModelLoadError` (`start`, from the log)
continues without the streaming decoder                   `ModelLoadError` (`start`)
clones without a denoiser                                 `CloningUnsupportedError` (`voices`)
misses the encoders only when it clones                   the engine does not clone (`start`)
misses weights only in the first sentence                 `ModelLoadError`, from a warm-up word
uses zeros for a voice of another kind (turbo)            `ModelLoadError` (`voices`)
clones silence                                            `ReferenceAudioError` (`voices`)
speaks 0.66 s, or nothing, for a text without words       `EmptyTextError` of the worker, before
drops unknown phonemes (nano)                             `SynthesisFailedError` (`limits`)
returns nothing, or an empty part                         `SynthesisFailedError`
returns NaN                                               `SynthesisFailedError`
misses the end of a sentence and babbles until cut off    `EndlessSentenceError` (`limits`)
stays broken after its GPU thread has died                the thread is replaced
========================================================  =========================================

Not detected: weights that are missing in a checkpoint for PyTorch (the SDK loads it with
``strict=False`` and ties some afterwards); and, in a sentence that the SDK has split, a part that
nano drops or that alone misses its end, because only the length of the whole is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.engines.base import (
    WARM_UP_TEXT,
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Utterance,
)
from vieneu_core.engines.registry import SDK
from vieneu_core.engines.sdk.error_mapping import translate_errors
from vieneu_core.engines.sdk.limits import Limit, limits_of
from vieneu_core.engines.sdk.options import SdkMode, SdkOptions, parse_sdk_options
from vieneu_core.engines.sdk.start import Started, start_sdk
from vieneu_core.engines.sdk.voices import SdkClips, SdkVoices
from vieneu_core.errors import (
    EndlessSentenceError,
    ModelLoadError,
    SynthesisFailedError,
    WatermarkUnavailableError,
)
from vieneu_core.translatable import Translatable


class SdkEngine:
    """The official SDK as an engine."""

    def __init__(self, options: SdkOptions) -> None:
        self._options = options
        self._speaker: _Speaker | None = None

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load the SDK and its model.

        Raises:
            MissingExtraError: the SDK, or a package that the mode needs, is not installed.
            ModelLoadError: a part of the model is missing or damaged, or it has no voices.
            DeviceMemoryError: the device has too little memory.
        """
        started = start_sdk(self._options, progress)
        voices = SdkVoices.of(started.sdk, self._options)
        self._speaker = _Speaker(self._options, started, voices)
        if self._options.mode.is_v3:  # others warm up themselves, or cannot be stopped midway
            progress(LoadProgress("Speaking a word unheard"))
            self._speaker.warm_up(Utterance(text=WARM_UP_TEXT, voice=voices.listed[0]))
        return EngineInfo(
            engine=SDK,
            model=started.model,
            sample_rate_hz=int(started.sdk.sample_rate),
            voices=voices.listed,
            clones=started.clones,
            accelerator=None if started.device is None else started.device.name,
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence as the SDK makes them.

        Raises:
            VoiceNotFoundError: the SDK has no such voice.
            CloningUnsupportedError, ReferenceAudioError: the clip cannot be cloned.
            WatermarkUnavailableError: requested, but the worker watermarks, not the engine.
            EndlessSentenceError: the SDK does not end the sentence.
            SynthesisFailedError, DeviceMemoryError: the SDK failed, or its audio is invalid.
        """
        return self._loaded.speak(utterance, cancelled)

    def memory(self) -> EngineMemory:
        """Return the GPU memory in use, if the SDK runs on a GPU."""
        device = self._loaded.started.device
        return EngineMemory() if device is None else device.memory()

    @property
    def _loaded(self) -> _Speaker:
        if self._speaker is None:
            raise ModelLoadError(
                Translatable("The engine {name} was used before it was loaded.", name=SDK)
            )
        return self._speaker


class _Speaker:
    """The loaded SDK."""

    def __init__(
        self,
        options: SdkOptions,
        started: Started,
        voices: SdkVoices,
    ) -> None:
        self.started = started
        self._options = options
        self._voices = voices
        self._clips = SdkClips(started, options)
        with translate_errors("The SDK is not whole", ModelLoadError):
            self._limit_of = limits_of(options.mode, started.sdk)

    def warm_up(self, word: Utterance) -> None:
        """Synthesize a word, to detect missing parts now and to speed up the first sentence.

        Raises:
            ModelLoadError: synthesis failed.
        """
        what = "The SDK loads its model, but cannot speak"
        with translate_errors(what, ModelLoadError):
            # Streamed regardless of its length: the first piece is enough.
            begun = self._pieces(word.text, self._voice(word), Limit(longest_s=0))
            with closing(begun) as pieces:
                first = next(pieces, None)
        if first is None or not len(first):
            raise ModelLoadError(
                Translatable("{what}: it produced no audio for a word.", what=what)
            )

    def speak(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        if utterance.watermark:
            raise WatermarkUnavailableError(
                Translatable("The engine {name} does not watermark by itself.", name=SDK)
            )
        words = utterance.text
        voice = self._voice(utterance)
        n_heard = 0
        with translate_errors("The SDK failed", SynthesisFailedError):
            limit = self._limit_of(words)
            n_most = round(limit.longest_s * self.started.sdk.sample_rate)
            with closing(self._pieces(words, voice, limit)) as pieces:
                for samples in pieces:
                    if cancelled():
                        return
                    n_heard += _counted(samples)
                    yield pcm_of_floats(samples)
                    if n_heard >= n_most:
                        raise EndlessSentenceError("The SDK did not end a sentence.")
        if not n_heard:
            raise SynthesisFailedError("The SDK returned no audio for a sentence.")

    def _pieces(self, words: str, voice: object, limit: Limit) -> Generator[Any, None, None]:
        sdk = self.started.sdk
        more = self._options.speaking() | {"voice": voice, "apply_watermark": False}
        self._seed()
        _mend(sdk)
        seed = self._options.seed
        if self._options.mode is SdkMode.V3_NANO and seed is not None:
            yield sdk.infer(words, seed=seed, **more)  # its infer_stream has no seed
        elif limit.short:
            yield sdk.infer(words, **more)
        else:
            yield from sdk.infer_stream(words, **more)

    def _voice(self, utterance: Utterance) -> object:
        """Return the SDK's argument for the voice."""
        if utterance.reference is not None:
            return self._clips.of(utterance.reference)
        name = self._voices.name_of(self.started.sdk, utterance.voice)
        return name if self._options.mode.is_v3 else self.started.sdk.get_preset_voice(name)

    def _seed(self) -> None:
        seed, device = self._options.seed, self.started.device
        if self._options.mode is not SdkMode.V3_TURBO or seed is None:
            return
        if device is not None:
            device.torch.manual_seed(seed)
            return
        import numpy as np

        np.random.seed(seed)  # noqa: NPY002 - the SDK draws from NumPy's global numbers


def create(options: Mapping[str, object]) -> SdkEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return SdkEngine(parse_sdk_options(options))


def _counted(samples: Any) -> int:
    """Return the number of samples.

    Raises:
        SynthesisFailedError: there are none, so a part of the sentence is lost.
    """
    if samples is None or not len(samples):
        raise SynthesisFailedError("The SDK returned no audio for a part of a sentence.")
    return len(samples)


def _mend(sdk: Any) -> None:
    """Let the SDK start a new thread for its GPU streams if the last one died."""
    if getattr(getattr(sdk, "_stream_sched", None), "_error", None) is not None:
        sdk._stream_sched = None  # noqa: SLF001 - it offers no way to do that
