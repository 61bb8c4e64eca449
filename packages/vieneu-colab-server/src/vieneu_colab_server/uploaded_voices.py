"""Custom voices uploaded by clients, in memory; clients send them again after a restart."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict

from vieneu_core.audio.decode import decode_clip
from vieneu_core.errors import InvalidRequestError, ReferenceAudioError, VoiceNotFoundError
from vieneu_core.synthesis import ReferenceAudio, check_language
from vieneu_core.text.clean import has_speech, one_line
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.wire.schemas import VoiceUpload

MOST_KEPT = 64
"""Number of voices, of half a megabyte at most; the least recently used is removed first."""


class UploadedVoices:
    """The uploaded voices.

    Args:
        max_seconds: Longest clip after decoding, in seconds.
        most_kept: Largest number of voices.
    """

    def __init__(self, *, max_seconds: float, most_kept: int = MOST_KEPT) -> None:
        self._max_seconds = max_seconds
        self._most_kept = most_kept
        self._kept: OrderedDict[str, tuple[Voice, ReferenceAudio]] = OrderedDict()

    def add(self, upload: VoiceUpload) -> Voice:
        """Store a voice under its content id; without effect if it is stored. Blocking.

        Raises:
            ReferenceAudioError: the audio is unusable.
            InvalidRequestError: its transcript is empty, its language is not supported, or it
                does not match its id.
        """
        check_language(upload.language)
        transcript = one_line(upload.transcript)
        if not has_speech(transcript):
            raise InvalidRequestError("The transcript of the voice is empty.")
        try:
            audio = base64.b64decode(upload.audio_base64, validate=True)
        except (binascii.Error, ValueError):
            raise ReferenceAudioError("audio_base64 is not base64.") from None
        clip = decode_clip(audio, max_seconds=self._max_seconds)
        reference = ReferenceAudio(
            pcm=clip.pcm, sample_rate_hz=clip.sample_rate_hz, transcript=transcript
        )
        if upload.id is not None and upload.id != reference.content_id:
            raise InvalidRequestError("The voice is not the one that its id names.")
        name = one_line(upload.name) or reference.content_id
        voice = Voice(id=reference.content_id, name=name, language=upload.language)
        self._kept[voice.id] = voice, reference
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return voice

    def find(self, voice_id: str | None) -> ReferenceAudio | None:
        """Return the clip of a voice; None if there is no such voice."""
        if voice_id is None or voice_id not in self._kept:
            return None
        self._kept.move_to_end(voice_id)
        return self._kept[voice_id][1]

    def remove(self, voice_id: str) -> None:
        """Remove a voice.

        Raises:
            VoiceNotFoundError: there is no such voice.
        """
        if self._kept.pop(voice_id, None) is None:
            raise VoiceNotFoundError(
                Translatable(
                    "No voice {voice_id!r} was sent to this server.", voice_id=voice_id[:80]
                )
            )

    def voices(self) -> tuple[Voice, ...]:
        """List the voices, the most recently used one last."""
        return tuple(voice for voice, _ in self._kept.values())
