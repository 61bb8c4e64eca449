"""A Piper voice in memory: from text to samples, by the real package."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vieneu_core.audio.sanity_check import LONGEST_SENTENCE_S
from vieneu_core.engines.load_failure import first_line
from vieneu_core.engines.onnx_session import is_out_of_memory, open_session
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.piper.voice_files import VoiceFiles
from vieneu_core.errors import (
    DeviceMemoryError,
    EmptyTextError,
    ModelLoadError,
    SynthesisFailedError,
    VieneuError,
)
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUTS = {"input", "input_lengths", "scales"}
_SPEAKER_INPUT = "sid"
_SOUNDS = {"Ll", "Lo", "Lt", "Lu"}
"""Unicode categories of phonemes that sound. Marks of stress and length (Lm) and digits do not."""
_MARKUP = re.compile(r"\[(?=\[)")


class LoadedVoice:
    """A voice of Piper.

    Args:
        files: Its files.
        options: The number of threads, and parameters that replace those of the voice.

    Raises:
        ModelLoadError: it is no voice, or its data are incomplete.
        DeviceMemoryError: there is too little memory.
    """

    def __init__(self, files: VoiceFiles, options: PiperOptions) -> None:
        package: Any = import_module("piper")
        # It warns of each phoneme that a voice does not have, in each sentence.
        logging.getLogger(package.__name__).setLevel(logging.ERROR)
        _check_data(Path(package.__file__).parent / "espeak-ng-data")
        self._files = files
        self._parameters: Any = package.SynthesisConfig
        self._scales = {
            "length_scale": options.length_scale,
            "noise_scale": options.noise_scale,
            "noise_w_scale": options.noise_w_scale,
        }
        try:
            self._voice: Any = package.PiperVoice(
                config=package.PiperConfig.from_dict(files.config.for_piper()),
                session=open_session(files.graph, threads=options.threads),
            )
        except Exception as error:  # as in `_translated`
            raise self._load_failure(error) from error
        self._check_inputs()

    def speak(self, text: str, speaker: int) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of each sentence, from -1 to 1.

        Raises:
            EmptyTextError: the voice has no sound for any character.
            SynthesisFailedError: Piper failed, or its audio is invalid.
            DeviceMemoryError: there is too little memory.
        """
        parameters = self._parameters(speaker_id=speaker, **self._scales)
        plain = _without_markup(text)
        with _translated():
            self._check_sounds(plain)
            for chunk in self._voice.synthesize(plain, parameters):
                yield self._checked(chunk.audio_float_array)

    def _check_sounds(self, text: str) -> None:
        if not any(map(self._sounds, self._voice.phonemize(text))):
            raise EmptyTextError("The sentence has nothing that can be pronounced.")

    def _sounds(self, phonemes: list[str]) -> bool:
        """Return whether a sentence has a phoneme that the voice can speak."""
        known = self._files.config.phoneme_id_map
        return any(
            each in known and unicodedata.category(each[0]) in _SOUNDS for each in phonemes if each
        )

    def _checked(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        longest = LONGEST_SENTENCE_S * self._files.config.audio.sample_rate
        if samples.ndim != 1 or not 0 < len(samples) <= longest:
            raise SynthesisFailedError(
                Translatable(
                    "The voice {name} made audio of the shape {shape}.",
                    name=self._files.name,
                    shape=list(samples.shape),
                )
            )
        return samples

    def _check_inputs(self) -> None:
        several = self._files.config.num_speakers > 1
        wanted = _INPUTS | ({_SPEAKER_INPUT} if several else set())
        found = {each.name for each in self._voice.session.get_inputs()}
        if found != wanted:
            raise self._no_voice(
                Translatable(
                    "It takes {found}, but its configuration needs {wanted}.",
                    found=", ".join(sorted(found)),
                    wanted=", ".join(sorted(wanted)),
                )
            )

    def _load_failure(self, error: Exception) -> VieneuError:
        if is_out_of_memory(error):
            return _failure(error)
        return self._no_voice(
            Translatable("ONNX Runtime says: {first_line}", first_line=first_line(error))
        )

    def _no_voice(self, why: str) -> ModelLoadError:
        return ModelLoadError(
            Translatable(
                "{path} is no usable voice of Piper. {why}", path=self._files.graph, why=why
            ),
            remedy="Download the voice again, or name another in the option voice.",
        )


def _check_data(folder: Path) -> None:
    """Check for eSpeak NG's data: without them it would end the whole process.

    Raises:
        ModelLoadError: they are missing.
    """
    if not (folder / "phontab").is_file():
        raise ModelLoadError(
            Translatable("The data of eSpeak NG are not in {folder}.", folder=folder),
            remedy="Install the package piper-tts again.",
        )


def _without_markup(text: str) -> str:
    """Return a text of which Piper takes nothing for phonemes, and that C can hold."""
    plain = text.replace("\0", " ").encode(errors="replace").decode()
    return _MARKUP.sub("[ ", plain)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except VieneuError:
        raise
    except Exception as error:  # Piper and ONNX Runtime have no exceptions of their own
        raise _failure(error) from error


def _failure(error: Exception) -> DeviceMemoryError | SynthesisFailedError:
    if is_out_of_memory(error):
        return DeviceMemoryError("Piper ran out of memory.")
    return SynthesisFailedError(Translatable("Piper failed: {reason}", reason=first_line(error)))
