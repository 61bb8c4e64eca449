"""Speakers of a Piper voice, as voices of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.piper.voice_files import VoiceFiles
from vieneu_core.engines.registry import PIPER
from vieneu_core.errors import (
    CloningUnsupportedError,
    ModelLoadError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Speakers:
    """Voices with Piper's numbers of their speakers, the default one first."""

    listed: tuple[tuple[Voice, int], ...]

    @classmethod
    def of(cls, files: VoiceFiles, chosen: str | int | None) -> Speakers:
        """List the speakers of a voice.

        Args:
            files: Files of the voice.
            chosen: Name or number of the default speaker; None means the first.

        Raises:
            ModelLoadError: there is no such speaker.
        """
        config = files.config
        known = config.speakers
        default = next((pair for pair in known if chosen in (None, *pair, str(pair[1]))), None)
        if default is None:
            names = ", ".join(name for name, _ in known[:_MOST_SHOWN])
            raise ModelLoadError(
                Translatable(
                    "The voice {voice} has no speaker {chosen!r}. It has: {names}.",
                    voice=files.name,
                    chosen=chosen,
                    names=names,
                ),
                remedy="Write one of them in the option speaker, or leave it out.",
            )
        label = config.dataset or files.name
        several = len(known) > 1
        ordered = sorted(known, key=lambda pair: pair is not default)
        return cls(
            tuple(
                (
                    Voice(
                        id=f"{files.name}:{name}" if several else files.name,
                        name=f"Piper {label} {name}" if several else f"Piper {label}",
                        language=config.language,
                    ),
                    number,
                )
                for name, number in ordered
            )
        )

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices, the default one first."""
        return tuple(voice for voice, _ in self.listed)

    @property
    def default(self) -> int:
        """Piper's number of the default speaker."""
        return self.listed[0][1]

    def number_of(self, utterance: Utterance) -> int:
        """Return Piper's number of the speaker for an utterance.

        Raises:
            CloningUnsupportedError, WatermarkUnavailableError: requested, but unsupported.
            VoiceNotFoundError: there is no such voice.
        """
        if utterance.reference is not None or utterance.voice is None:
            raise CloningUnsupportedError("The engine piper cannot speak with reference audio.")
        if utterance.watermark:
            raise WatermarkUnavailableError("The engine piper cannot watermark.")
        wanted = utterance.voice.id
        for voice, number in self.listed:
            if voice.id == wanted:
                return number
        known = ", ".join(voice.id for voice in self.voices[:_MOST_SHOWN])
        raise VoiceNotFoundError(
            Translatable(
                "{where} has no voice {voice_id!r}. It has: {known}.",
                where=PIPER,
                voice_id=wanted,
                known=known,
            )
        )
