"""Voices as phonemes and codes, for a VieNeu model: its presets, and voices of clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.speech_lm.model import ReferencePrompt
from vieneu_core.engines.speech_lm.model_files import ModelFiles
from vieneu_core.engines.speech_lm.options import CodeOptions
from vieneu_core.errors import (
    CloningUnsupportedError,
    MissingExtraError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.text.spoken import spoken
from vieneu_core.translatable import Translatable
from vieneu_core.voices.encoder import SpeechEncoder

if TYPE_CHECKING:
    from vieneu_core.voices.code_cache import CodesCache
    from vieneu_core.voices.presets import Preset

MOST_KEPT = 32
_REMEDY = (
    "Choose one of the model's own voices, or install it on the machine that speaks: vieneu doctor"
    " shows the command there."
)
"""Shown to clients of a server too, so it contains no path of this machine."""


class References:
    """Provides the reference prompt of an utterance.

    Args:
        presets: The model's own voices by id.
        cache: Cache of the codes of clips, kept between runs.
        load_encoder: Loads the encoder when a clip first needs it; it is large and rarely used.
        phonemize: Converts prepared text to phonemes.
    """

    def __init__(
        self,
        presets: Mapping[str, Preset],
        *,
        cache: CodesCache,
        load_encoder: Callable[[], SpeechEncoder],
        phonemize: Callable[[str], str],
    ) -> None:
        self._presets = presets
        self._cache = cache
        self._load_encoder = load_encoder
        self._encoder: SpeechEncoder | None = None
        self._phonemize = phonemize
        self._known: dict[str | ReferenceAudio, ReferencePrompt] = {}

    def of(self, utterance: Utterance) -> ReferencePrompt:
        """Return the reference prompt of an utterance's voice.

        Raises:
            VoiceNotFoundError: it is not a preset.
            CloningUnsupportedError: the encoder's packages are not installed.
            ReferenceAudioError: the clip cannot be encoded.
            ModelLoadError, DeviceMemoryError: the encoder cannot be loaded.
        """
        key = utterance.reference or (utterance.voice.id if utterance.voice is not None else "")
        if key not in self._known:
            while len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = self._preset(key) if isinstance(key, str) else self._clip(key)
        return self._known[key]

    def sample(self) -> ReferencePrompt | None:
        """Return the default voice, to try the model with; None if there are no presets."""
        return next(map(self._preset, self._presets), None)

    def _preset(self, voice_id: str) -> ReferencePrompt:
        if voice_id not in self._presets:
            known = ", ".join(self._presets)
            raise VoiceNotFoundError(
                Translatable(
                    "The model has no voice {voice_id!r}. It has: {known}.",
                    voice_id=voice_id,
                    known=known,
                )
            )
        preset = self._presets[voice_id]
        return ReferencePrompt(
            phonemes=self._phonemes(preset.transcript, preset.voice.language), codes=preset.codes
        )

    def _phonemes(self, transcript: str, language: str) -> str:
        return self._phonemize(spoken(transcript, language, emotions=True))

    def _clip(self, clip: ReferenceAudio) -> ReferencePrompt:
        if self._encoder is None:
            try:
                self._encoder = self._load_encoder()
            except MissingExtraError as error:
                raise CloningUnsupportedError(
                    Translatable(
                        "Cloning a voice needs NeuCodec's encoder. {error}", error=error.detail
                    ),
                    remedy=_REMEDY,
                ) from error
        codes = self._cache.get_or_encode(clip, self._encoder)
        return ReferencePrompt(phonemes=self._phonemes(clip.transcript, "vi"), codes=codes)


def references(
    options: CodeOptions,
    files: ModelFiles,
    presets: tuple[Preset, ...],
    phonemize: Callable[[str], str],
) -> References:
    """Create the references for an engine's options and files."""
    from vieneu_core.voices.code_cache import CodesCache

    def load_encoder() -> SpeechEncoder:
        from vieneu_core.engines.speech_lm.neucodec import NeuCodecEncoder
        from vieneu_core.engines.speech_lm.neucodec_parts import check_installed

        check_installed()
        weights = files.file(options.encoder)
        return NeuCodecEncoder(weights, files.file(options.encoder_features))

    return References(
        {preset.voice.id: preset for preset in presets},
        cache=CodesCache(files.codes_dir),
        load_encoder=load_encoder,
        phonemize=phonemize,
    )
