"""Voices of the owner that a notebook carries: name, transcript and clip."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.errors import InvalidRequestError, VoiceNotFoundError
from vieneu_core.notebook.packing import base64_lines
from vieneu_core.translatable import Translatable
from vieneu_core.validation import invalid, reason_of
from vieneu_core.voices import CustomVoice, VoiceCatalogue

MAX_CARRIED_CLIP_BYTES = 1 << 20
"""A clip of 15 s has 0.3 MB as FLAC."""
MAX_SAMPLES = 8


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise invalid("not_printable", "it holds a character that cannot be seen")
    return text


LineText = Annotated[str, AfterValidator(_one_line)]


class VoiceSample(BaseModel):
    """A voice in the notebook, which its server clones. The clip is readable in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[LineText, Field(min_length=1, max_length=64)]
    transcript: Annotated[LineText, Field(min_length=1, max_length=1_000)]
    """What is said in the clip, word by word."""
    clip: Annotated[bytes, Field(min_length=1, max_length=MAX_CARRIED_CLIP_BYTES, repr=False)]
    """A WAV, FLAC, OGG or MP3 file."""

    @classmethod
    def of(cls, voice: CustomVoice) -> VoiceSample:
        """Return a voice that was added with ``vieneu voices add``."""
        encoder = Encoder(AudioFormat.FLAC, voice.reference.sample_rate_hz)
        return cls(
            name=voice.voice.name,
            transcript=voice.reference.transcript,
            clip=encoder.encode(voice.reference.pcm) + encoder.finish(),
        )

    @property
    def lines(self) -> list[str]:
        """The clip as base64, in lines."""
        return base64_lines(self.clip)


def samples_of(voices: VoiceCatalogue, ids: tuple[str, ...]) -> tuple[VoiceSample, ...]:
    """Return voices of a catalogue by their ids, each once. Blocking.

    Raises:
        InvalidRequestError: there are more than `MAX_SAMPLES`, or one of them cannot be carried.
        VoiceNotFoundError: there is no voice with one of the ids.
    """
    chosen = tuple(dict.fromkeys(ids))
    if len(chosen) > MAX_SAMPLES:
        raise InvalidRequestError(
            Translatable("A notebook carries at most {most} voices.", most=MAX_SAMPLES),
            remedy="Choose fewer.",
        )
    return tuple(_sample(_found(voices, voice_id)) for voice_id in chosen)


def _sample(voice: CustomVoice) -> VoiceSample:
    try:
        return VoiceSample.of(voice)
    except ValidationError as error:  # somebody has changed the files of the catalogue
        reason = reason_of(error.errors(include_input=False, include_url=False)[0])
        raise InvalidRequestError(
            Translatable(
                "A notebook cannot carry the voice {voice_id!r}: {reason}.",
                voice_id=voice.voice.id,
                reason=reason,
            ),
            remedy="Remove the voice, and add it again.",
        ) from None


def _found(voices: VoiceCatalogue, voice_id: str) -> CustomVoice:
    found = voices.get(voice_id)
    if found is None:
        known = ", ".join(voice.id for voice in voices.voices()) or "none"
        raise VoiceNotFoundError(
            Translatable(
                "No voice {voice_id!r} was added. Added: {known}.", voice_id=voice_id, known=known
            )
        )
    return found
