"""Sentences that a backend has no sounds for: they end without samples, and the rest is spoken."""

from __future__ import annotations

from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import UnpronounceableError


class SilentStart:
    """Holds back the ends of sentences without samples until any sentence has samples."""

    def __init__(self) -> None:
        self._held: list[AudioChunk] = []
        self._spoken = False

    def add(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Take the next chunk of a stream; return those to pass on now."""
        if self._spoken:
            return [chunk]
        if chunk.pcm:
            self._spoken = True
            held, self._held = self._held, []
            return [*held, chunk]
        if chunk.final:
            self._held.append(chunk)
            return []
        # In the order of the sentences, also where it only shows activity.
        return [replace(chunk, sentence=self._held[0].sentence) if self._held else chunk]

    def finish(self) -> None:
        """Check at the end of the stream that something was spoken.

        Raises:
            UnpronounceableError: no sentence has samples.
        """
        if self._held:
            raise UnpronounceableError("The voice has no sounds for any character of this text.")
