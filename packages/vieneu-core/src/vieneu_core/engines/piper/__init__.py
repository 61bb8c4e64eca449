"""The engine ``piper``: VITS voices by the package piper-tts, faster than speech on a Raspberry Pi.

Traps of piper-tts 1.8, and what this engine does about them:

- ``PiperVoice.load`` takes all processors: here the option ``threads`` limits them.
- Without its data, eSpeak NG ends the whole process: they are checked before.
- Text between ``[[`` and ``]]`` is taken for phonemes, and a zero byte is an error: both are text.
- A phoneme that a voice does not have is left out: a Vietnamese voice without the marks of tones is
  named as such while it loads, and `voice_files.present_voices` lists it after the others.
- Some languages need packages and downloads of their own: such voices are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.engines.base import (
    WARM_UP_TEXT,
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Utterance,
)
from vieneu_core.engines.piper.loaded_voice import LoadedVoice
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.piper.speakers import Speakers
from vieneu_core.engines.piper.voice_files import files_of
from vieneu_core.engines.registry import PIPER, check_installed
from vieneu_core.engines.speech_lm.options import parse_options
from vieneu_core.errors import EmptyTextError, ModelLoadError, SynthesisFailedError
from vieneu_core.translatable import Translatable

_CHUNK_S = 0.25


class PiperEngine:
    """One voice of Piper; each of its speakers is a voice of the engine."""

    def __init__(self, options: PiperOptions) -> None:
        self._options = options
        self._voice: LoadedVoice | None = None
        self._speakers = Speakers(())
        self._chunk_bytes = 0

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load the voice, downloading it if necessary, and speak a word without playing it.

        Raises:
            MissingExtraError: piper-tts is not installed.
            ModelLoadError: the voice is missing, damaged, or not for Piper.
            DeviceMemoryError: there is too little memory.
        """
        check_installed(PIPER)
        files = files_of(self._options, progress)
        progress(LoadProgress(f"Loading {files.name}"))
        if not files.config.has_all_tones:
            progress(LoadProgress(f"{files.name} does not distinguish the tones of Vietnamese"))
        speakers = Speakers.of(files, self._options.speaker)
        voice = LoadedVoice(files, self._options)
        _warm_up(voice, speakers.default)
        rate_hz = files.config.audio.sample_rate
        self._voice, self._speakers = voice, speakers
        self._chunk_bytes = round(rate_hz * _CHUNK_S) * 2
        return EngineInfo(
            engine=PIPER, model=files.name, sample_rate_hz=rate_hz, voices=speakers.voices
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples, sentence by sentence, in chunks of a quarter of a second.

        Raises:
            CloningUnsupportedError, WatermarkUnavailableError: requested, but unsupported.
            VoiceNotFoundError: the voice has no such speaker.
            EmptyTextError: the voice has no sound for any character of the sentence.
            SynthesisFailedError, DeviceMemoryError: Piper failed, or its audio is invalid.
        """
        if self._voice is None:
            raise ModelLoadError(
                Translatable("The engine {name} was used before it was loaded.", name=PIPER)
            )
        for samples in self._voice.speak(utterance.text, self._speakers.number_of(utterance)):
            pcm = pcm_of_floats(samples)
            for start in range(0, len(pcm), self._chunk_bytes):
                if cancelled():
                    return
                yield pcm[start : start + self._chunk_bytes]
            if cancelled():  # before the next sentence is made
                return

    def memory(self) -> EngineMemory:
        """Return no memory: it uses no device."""
        return EngineMemory()


def create(options: Mapping[str, object]) -> PiperEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return PiperEngine(parse_options(PiperOptions, PIPER, options))


def _warm_up(voice: LoadedVoice, speaker: int) -> None:
    """Speak a word without playing it, which detects an unsuitable graph.

    Raises:
        ModelLoadError: synthesis failed.
    """
    try:
        for samples in voice.speak(WARM_UP_TEXT, speaker):
            pcm_of_floats(samples)
    except EmptyTextError:  # its letters are others
        return
    except SynthesisFailedError as error:
        raise ModelLoadError(
            Translatable(
                "The engine {name} does not speak its first word. {error}",
                name=PIPER,
                error=error.detail,
            ),
            remedy="Download the voice again, or name another in the option voice.",
        ) from error
