"""Custom voices uploaded by clients, in memory; clients send them again after a restart."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from vieneu_core.audio.decode import decode_clip
from vieneu_core.errors import (
    AdminTokenRequiredError,
    InvalidRequestError,
    ReferenceAudioError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, check_language
from vieneu_core.text.clean import has_speech, one_line
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.wire.schemas import VoiceUpload

MOST_KEPT = 64
"""Number of voices, of half a megabyte at most; the least recently used is removed first."""


@dataclass(frozen=True, slots=True)
class _Upload:
    voice: Voice
    reference: ReferenceAudio
    owners: set[str | None] = field(default_factory=set)
    """Who sent it."""


class UploadedVoices:
    """The uploaded voices.

    Args:
        max_seconds: Longest clip after decoding, in seconds.
        most_kept: Largest number of voices.
    """

    def __init__(self, *, max_seconds: float, most_kept: int = MOST_KEPT) -> None:
        self._max_seconds = max_seconds
        self._most_kept = most_kept
        self._kept: OrderedDict[str, _Upload] = OrderedDict()
        self._changing = threading.Lock()

    def add(self, upload: VoiceUpload, *, owner: str | None = None) -> Voice:
        """Store a voice under its content id. Blocking.

        Args:
            upload: The voice.
            owner: Who sends it; None is the admin.

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
        with self._changing:  # several are added at once, each on a thread
            owners = self._kept[voice.id].owners if voice.id in self._kept else set()
            self._kept[voice.id] = _Upload(voice, reference, owners | {owner})
            while len(self._kept) > self._most_kept:
                self._forget_one_of(owner, but=voice.id)
        return voice

    def find(self, voice_id: str | None) -> ReferenceAudio | None:
        """Return the clip of a voice; None if there is no such voice."""
        with self._changing:
            if voice_id is None or voice_id not in self._kept:
                return None
            self._kept.move_to_end(voice_id)
            return self._kept[voice_id].reference

    def remove(self, voice_id: str, *, owner: str | None = None) -> None:
        """Remove a voice. One that others have sent too stays for them.

        Args:
            voice_id: Its id.
            owner: Who removes it; None is the admin, who removes it for all.

        Raises:
            VoiceNotFoundError: there is no such voice.
            AdminTokenRequiredError: only others have sent it.
        """
        with self._changing:
            kept = self._kept.get(voice_id)
            if kept is None:
                raise VoiceNotFoundError(
                    Translatable(
                        "No voice {voice_id!r} was sent to this server.", voice_id=voice_id[:80]
                    )
                )
            if owner is not None and owner not in kept.owners:
                raise AdminTokenRequiredError(
                    Translatable(
                        "The voice {voice_id!r} was sent by others.", voice_id=voice_id[:80]
                    ),
                    remedy="Remove it with the admin token of the server.",
                )
            kept.owners.discard(owner)
            if owner is None or not kept.owners:
                del self._kept[voice_id]

    def voices(self) -> tuple[Voice, ...]:
        """List the voices, the most recently used one last."""
        with self._changing:
            return tuple(kept.voice for kept in self._kept.values())

    def _forget_one_of(self, owner: str | None, *, but: str) -> None:
        """Remove the voice that was not used for longest: where possible, one of this owner."""
        others = [key for key in self._kept if key != but]
        own = [key for key in others if self._kept[key].owners == {owner}]
        del self._kept[(own or others)[0]]
