"""Facts that are measured of one request for speech. Not where they are shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import BackendError, InternalServerError, VieneuError

OK = "ok"
CANCELLED = "cancelled"
NO_BACKEND = "none"
"""Name in place of a backend's where none spoke."""


class Source(StrEnum):
    """Whose request it is, or where its speech comes from."""

    LIVE = "live"
    """Somebody waits to hear it."""
    JOB = "job"
    """A sentence of a long job."""
    PREPARATION = "preparation"
    """An announcement that is spoken unheard, for the cache of speech."""
    CACHE = "cache"
    """Somebody waits, and it is replayed from a cache of speech: no backend speaks."""


@dataclass(slots=True)
class Measurement:
    """One request: who spoke it, how much, how soon, and how it ended."""

    outcome: str = CANCELLED
    """``ok``, ``cancelled``, or the code of the error."""
    source: Source = Source.LIVE
    """A live one that turns out to be a replay becomes one of the cache."""
    backend: str = NO_BACKEND
    """Backend that spoke last; of a request that failed, the one that failed where it is known."""
    fallback: str | None = None
    """Backend that last spoke as a fallback; None where none did."""
    waited_s: float = 0.0
    """Seconds in which audio was waited for. A slow listener does not lengthen it."""
    first_audio_s: float | None = None
    """Seconds waited for the first samples; None where none came."""
    audio_s: dict[str, float] = field(default_factory=dict)
    """Seconds of audio by backend."""
    sentences: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Whole sentences by backend, and by whether it spoke as a fallback."""

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(self.audio_s.values())

    @property
    def n_sentences(self) -> int:
        """Whole sentences."""
        return self.sentences.total()

    @property
    def first_heard(self) -> tuple[str, float] | None:
        """Backend and seconds of the first audio, where somebody waited for it to be spoken."""
        if self.source is not Source.LIVE or not self.audio_s or self.first_audio_s is None:
            return None
        return next(iter(self.audio_s)), self.first_audio_s

    @property
    def real_time_factor(self) -> float | None:
        """Seconds waited for a second of audio; None where there is no audio."""
        seconds = self.seconds
        return self.waited_s / seconds if seconds else None

    def add(self, chunk: AudioChunk, waited_s: float) -> None:
        """Record a chunk, and the seconds in which it was waited for."""
        self.waited_s += waited_s
        speaker = chunk.speaker
        name = self.backend = speaker.backend
        if speaker.cached and self.source is Source.LIVE:
            self.source = Source.CACHE
        if chunk.pcm:
            if self.first_audio_s is None:
                self.first_audio_s = self.waited_s
            self.audio_s[name] = self.audio_s.get(name, 0.0) + chunk.seconds
        if chunk.final:
            self.sentences[name, speaker.fallback] += 1
            if speaker.fallback:
                self.fallback = name

    def succeed(self) -> None:
        """Record that all of it was spoken."""
        self.outcome = OK

    def fail(self, error: Exception) -> None:
        """Record that it failed. An error that is not ours counts as an internal one."""
        self.outcome = error.code if isinstance(error, VieneuError) else InternalServerError.code
        if isinstance(error, BackendError) and error.backend is not None:
            self.backend = error.backend
