"""The blocking side of the cache: voices, keys and entries, on one thread."""

from __future__ import annotations

from pathlib import Path

from vieneu_core.speech_cache.admission import Lookup, heard_voice, speaking_identity
from vieneu_core.speech_cache.database import Database
from vieneu_core.speech_cache.entry import decode_entry
from vieneu_core.speech_cache.identity import (
    Chosen,
    Identity,
    SpokenVoice,
    key_of,
    language_of,
)
from vieneu_core.speech_cache.last_known import LastKnown
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.voices.catalogue import VoiceCatalogue


class StoredSpeech:
    """Finds and stores speech in a folder. Blocking; for one thread.

    Every method raises:
        ConfigurationError: the folder cannot be used.

    Args:
        folder: Of the cache.
        max_bytes: Most that it may take on the disk.
        voices: Voices that were added.
    """

    def __init__(self, folder: Path, max_bytes: int, voices: VoiceCatalogue | None) -> None:
        self.database = Database(folder, max_bytes)
        self._last_known = LastKnown(folder)
        self._voices = voices

    def find(
        self, chosen: Chosen, request: SynthesisRequest, sentence: str, counted: bool
    ) -> Lookup:
        """Return what is known of a sentence of a request, and its speech."""
        identity = self._last_known.identity(chosen)
        voice = self._voice(chosen, identity, request)
        speech = None
        if identity is not None and voice is not None:
            speech = self._speech(key_of(identity, voice, request, sentence), counted=counted)
        return Lookup(
            request=request, sentence=sentence, identity=identity, voice=voice, speech=speech
        )

    def key_for(self, lookup: Lookup, chosen: Chosen, speech: Speech) -> str | None:
        """Return the key under which finished speech is stored.

        Returns:
            None where its voice was replaced while it was spoken.

        Raises:
            VieneuError: what `speaking_identity` and `heard_voice` raise.
        """
        identity, request = speaking_identity(lookup, chosen, speech), lookup.request
        heard = heard_voice(lookup, speech)
        if request.voice is None and request.reference is None and chosen.default_voice is None:
            self._last_known.learn_voice(chosen.name, identity, language_of(request), heard)
        voice = self._clip_of(heard) if request.reference is None else lookup.voice
        before = lookup.voice
        if voice is None or (before and before.id == voice.id and before != voice):
            return None
        return key_of(identity, voice, request, lookup.sentence)

    def put(self, key: str, entry: bytes) -> None:
        """Store an entry."""
        self.database.put(key, entry)

    def clear(self) -> None:
        """Remove everything."""
        self.database.clear()
        self._last_known.forget()

    def _speech(self, key: str, *, counted: bool) -> Speech | None:
        entry = self.database.get(key, counted=counted)
        if entry is None:
            return None
        speech = decode_entry(key, entry)
        if speech is None:
            self.database.remove(key)
        return speech

    def _voice(
        self, chosen: Chosen, identity: Identity | None, request: SynthesisRequest
    ) -> SpokenVoice | None:
        if request.reference is not None:
            return SpokenVoice("", request.reference.content_id)
        name = request.voice or chosen.default_voice
        if name is None and identity is not None:
            name = self._last_known.default_voice(chosen.name, identity, language_of(request))
        return None if name is None else self._clip_of(name)

    def _clip_of(self, name: str) -> SpokenVoice:
        added = self._voices.get(name) if self._voices is not None else None
        return SpokenVoice(name, added.reference.content_id if added is not None else "")
