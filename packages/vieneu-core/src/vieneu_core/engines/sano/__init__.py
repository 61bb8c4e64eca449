"""The engine ``sano``: a small neural voice on numpy alone, wherever Python runs.

The package sanotts runs the networks, and reads Vietnamese syllables without eSpeak. A voice has
3 MB, is downloaded once, and speaks several times faster than real time on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from vieneu_core.engines.base import (
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Utterance,
)
from vieneu_core.engines.registry import SANO, check_installed
from vieneu_core.engines.sano.fetching import sano_hub
from vieneu_core.engines.sano.options import SanoOptions
from vieneu_core.engines.sano.voice import SanoVoice, load_voice
from vieneu_core.engines.speech_lm.options import parse_options
from vieneu_core.errors import (
    CloningUnsupportedError,
    ModelLoadError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.models.catalogue import model_source
from vieneu_core.models.hub import Hub, find_cached
from vieneu_core.models.source import ModelSource
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice


class SanoEngine:
    """Voices of sanoTTS in this process."""

    def __init__(self, options: SanoOptions) -> None:
        self._options = options
        self._voices: dict[str, SanoVoice] = {}

    def load(self, progress: OnLoad) -> EngineInfo:
        """Download the Vietnamese voice if it is missing, and load the voices.

        Raises:
            MissingExtraError: sanotts is not installed.
            ModelLoadError: the Vietnamese voice is missing or damaged.
        """
        check_installed(SANO)
        hub = sano_hub(self._options)
        source = model_source(self._options.voice)
        found = hub.fetch(source, lambda *step: progress(LoadProgress(*step)))
        folder = folder_in(found, source)
        progress(LoadProgress("Loading the voice of sanoTTS"))
        first = load_voice(folder)
        voices = [first]
        if english := self._english(hub, progress):
            voices.append(english)
        self._voices = {each.voice.id: each for each in voices}
        if len({each.sample_rate_hz for each in voices}) > 1:
            del self._voices[voices.pop().voice.id]  # an engine has one rate
        return EngineInfo(
            engine=SANO,
            model=first.model,
            sample_rate_hz=first.sample_rate_hz,
            voices=tuple(each.voice for each in self._voices.values()),
            changes_speed=True,
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence: all at once, a long one in pieces.

        Raises:
            CloningUnsupportedError, WatermarkUnavailableError: requested, but unsupported.
            VoiceNotFoundError: there is no such voice.
            EmptyTextError: the sentence has nothing that can be pronounced.
            SynthesisFailedError: a part of it has no sound in this voice, or the networks fail.
        """
        voice = self._voices[_supported(utterance, [*self._voices]).id]
        return voice.speak(utterance.text, self._options.length_scale / utterance.speed, cancelled)

    def memory(self) -> EngineMemory:
        """Return no memory: it uses no device."""
        return EngineMemory()

    def _english(self, hub: Hub, progress: OnLoad) -> SanoVoice | None:
        """Load the English voice if it is on this machine; a damaged one is only reported."""
        if self._options.english is None:
            return None
        try:
            source = model_source(self._options.english)
            found = find_cached(source, cache_dir=hub.cache_dir)
            return None if found is None else load_voice(folder_in(found, source))
        except ModelLoadError as error:
            progress(LoadProgress(error.detail))
            return None


def create(options: Mapping[str, object]) -> SanoEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return SanoEngine(parse_options(SanoOptions, SANO, options))


def folder_in(found: Path, source: ModelSource) -> Path:
    """Return the folder of a voice in what a hub returned: there, each has one of its own."""
    return found if source.path is not None else (found / source.files[0]).parent


def _supported(utterance: Utterance, known: list[str]) -> Voice:
    if utterance.reference is not None or utterance.voice is None:
        raise CloningUnsupportedError("The engine sano cannot speak with reference audio.")
    if utterance.watermark:
        raise WatermarkUnavailableError("The engine sano cannot watermark.")
    if utterance.voice.id not in known:
        raise VoiceNotFoundError(
            Translatable(
                "{where} has no voice {voice_id!r}. It has: {known}.",
                where=SANO,
                voice_id=utterance.voice.id,
                known=", ".join(known),
            )
        )
    return utterance.voice
