"""The engine ``sdk``: the official package of https://github.com/pnnbao97/VieNeu-TTS, wrapped.

What the SDK (3.8.3) passes over in silence, and what becomes of it here:

========================================================  =========================================
it                                                        here
========================================================  =========================================
swallows arguments that it does not know                  `ModelLoadError` (`sdk_options`)
answers None to a mode that it does not know              `ModelLoadError` (`sdk_options`)
asks the hub even where all is here, to be counted        held off the network (`sdk_start`)
loads a watermarker unasked; goes on where that fails     never loaded: the worker marks, or raises
                                                          `WatermarkUnavailableError`
logs that voices are missing or unreadable                `ModelLoadError` (`sdk_start`, of the log)
leaves out a voice without a speaker, or a wrong default  `ModelLoadError` (`sdk_start`)
logs that its first word failed                           `ModelLoadError` (`sdk_start`, of the log)
logs that it took another device or codec instead         `ModelLoadError` (`sdk_start`, of the log)
does without the decoder that streams                     `ModelLoadError` (`sdk_start`)
does without a denoiser when it clones                    `CloningUnsupportedError` (`sdk_voices`)
does without the encoders until it clones                 the engine does not clone (`sdk_start`)
finds out only with a sentence that weights are missing   `ModelLoadError`, of a word unheard
takes zeros for a voice of another kind (turbo)           `ModelLoadError` (`sdk_voices`)
clones silence                                            `ReferenceAudioError` (`sdk_voices`)
speaks 0.66 s, or nothing, for a text without words       `EmptyTextError`, before it is asked
leaves out phonemes without a sign (nano)                 `SynthesisFailedError` (`sdk_limits`)
yields nothing, or an empty part                          `SynthesisFailedError`
yields what is no number                                  `SynthesisFailedError`
misses the end of a sentence and babbles until cut off    `SynthesisFailedError` (`sdk_limits`)
stays broken once its thread on the GPU has died          it gets another
========================================================  =========================================

Not found out: weights that are missing in a checkpoint for PyTorch (the SDK loads it with
``strict=False`` and ties some afterwards); and of a sentence that the SDK has cut, a part that nano
leaves out, or that alone misses its end, as the length of the whole is all there is to go by.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.engines.base import EngineInfo, EngineMemory, HearProgress, LoadProgress, Utterance
from vieneu_core.engines.sdk.error_mapping import translate_errors
from vieneu_core.engines.sdk.limits import Limit, limits_of
from vieneu_core.engines.sdk.options import NAME, SdkMode, SdkOptions, parse_sdk_options
from vieneu_core.engines.sdk.start import Started, start_sdk
from vieneu_core.engines.sdk.voices import SdkClips, SdkVoices
from vieneu_core.errors import ModelLoadError, SynthesisFailedError, WatermarkUnavailableError
from vieneu_core.translatable import Translatable

_WARM_UP = "xin chào"


class SdkEngine:
    """The official SDK as an engine."""

    def __init__(self, options: SdkOptions) -> None:
        self._options = options
        self._speaker: _Speaker | None = None

    def load(self, progress: HearProgress) -> EngineInfo:
        """Load the SDK and its model.

        Raises:
            MissingExtraError: the package, or one that the mode needs, is not installed.
            ModelLoadError: something of the model is missing or broken; or it has no voices.
            DeviceMemoryError: the model does not fit.
        """
        from vieneu_core.text.normalize import Normalizer

        normalize = Normalizer()
        started = start_sdk(self._options, progress)
        voices = SdkVoices.of(started.sdk, self._options)
        self._speaker = _Speaker(self._options, started, voices, normalize)
        if self._options.mode.is_v3:  # the others do so themselves, or cannot be stopped midway
            progress(LoadProgress("Speaking a word unheard"))
            self._speaker.warm_up(Utterance(text=_WARM_UP, voice=voices.listed[0]))
        return EngineInfo(
            engine=NAME,
            model=started.model,
            sample_rate_hz=int(started.sdk.sample_rate),
            voices=voices.listed,
            clones=started.clones,
            accelerator=None if started.device is None else started.device.name,
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence as the SDK makes them.

        Raises:
            EmptyTextError: nothing in it can be pronounced.
            VoiceNotFoundError: the voice is none of the SDK's.
            CloningUnsupportedError, ReferenceAudioError: the clip cannot be cloned.
            WatermarkUnavailableError: one is asked for; the worker makes it, not the engine.
            SynthesisFailedError, DeviceMemoryError: the SDK failed, or gave no audio, or no end.
        """
        return self._loaded.speak(utterance, cancelled)

    def memory(self) -> EngineMemory:
        """Measure the GPU memory in use, where the SDK runs on one."""
        device = self._loaded.started.device
        return EngineMemory() if device is None else device.memory()

    @property
    def _loaded(self) -> _Speaker:
        if self._speaker is None:
            raise ModelLoadError(
                Translatable("The engine {name} was used before it was loaded.", name=NAME)
            )
        return self._speaker


class _Speaker:
    """The SDK, loaded."""

    def __init__(
        self,
        options: SdkOptions,
        started: Started,
        voices: SdkVoices,
        normalize: Callable[[str], str],
    ) -> None:
        self.started = started
        self._options = options
        self._voices = voices
        self._clips = SdkClips(started, options)
        self._normalize = normalize
        with translate_errors("The SDK is not whole", ModelLoadError):
            self._limit_of = limits_of(options.mode, started.sdk)

    def warm_up(self, word: Utterance) -> None:
        """Begin a word, so that what the model lacks is told now, and the first sentence is fast.

        Raises:
            ModelLoadError: the model does not speak.
        """
        what = "The SDK loads its model, but does not speak"
        with translate_errors(what, ModelLoadError):
            # As a stream whatever its length: the first piece is enough.
            begun = self._pieces(word.text, self._voice(word), Limit(longest_s=0))
            with closing(begun) as pieces:
                first = next(pieces, None)
        if first is None or not len(first):
            raise ModelLoadError(Translatable("{what}: it gave no audio for a word.", what=what))

    def speak(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        if utterance.watermark:
            raise WatermarkUnavailableError(
                Translatable("The engine {name} does not watermark by itself.", name=NAME)
            )
        words = self._normalize(utterance.text)
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
                        raise SynthesisFailedError("The SDK did not end a sentence.")
        if not n_heard:
            raise SynthesisFailedError("The SDK gave no audio for a sentence.")

    def _pieces(self, words: str, voice: object, limit: Limit) -> Generator[Any, None, None]:
        sdk = self.started.sdk
        more = self._options.speaking() | {"voice": voice, "apply_watermark": False}
        self._seed()
        _mend(sdk)
        seed = self._options.seed
        if self._options.mode is SdkMode.V3_NANO and seed is not None:
            yield sdk.infer(words, seed=seed, **more)  # its infer_stream takes no seed
        elif limit.short:
            yield sdk.infer(words, **more)
        else:
            yield from sdk.infer_stream(words, **more)

    def _voice(self, utterance: Utterance) -> object:
        """Return how the SDK is told which voice to speak with."""
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
    """Make the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is wrong.
    """
    return SdkEngine(parse_sdk_options(options))


def _counted(samples: Any) -> int:
    """Return the number of samples.

    Raises:
        SynthesisFailedError: there are none, so that a part of the sentence is lost.
    """
    if samples is None or not len(samples):
        raise SynthesisFailedError("The SDK gave no audio for a part of a sentence.")
    return len(samples)


def _mend(sdk: Any) -> None:
    """Have the SDK start another thread for its streams on the GPU where the last one died."""
    if getattr(getattr(sdk, "_stream_sched", None), "_error", None) is not None:
        sdk._stream_sched = None  # noqa: SLF001 - it offers no way to do that
