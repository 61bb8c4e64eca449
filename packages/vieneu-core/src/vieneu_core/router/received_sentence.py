"""Sentence that is being received: its audio, resampled, and how long the backend took for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.sanity_check import check_length
from vieneu_core.backends.engine_pace import HALTING_FACTOR, LEAST_MEASURED_S


@dataclass(slots=True, kw_only=True)
class ReceivedSentence:
    """The received part of one sentence."""

    begun: bool = False
    released: bool = False
    """Whether a part of it was released."""
    seconds: float = 0.0
    """Length of the audio so far."""
    waited_s: float = 0.0
    """Seconds waited for the backend so far."""
    first_audio_s: float | None = None
    """Seconds from then until the first samples; None before them."""
    turn_s: float = 0.0
    """Seconds waited until the backend began with the sentence, if it said so."""
    waits: bool = False
    """Whether the backend said last that others have their turn."""
    longest_gap_s: float = 0.0
    """Longest wait for its first samples, or for a sign that the backend works on it, in seconds.
    """
    _sign_at_s: float = 0.0
    first_chunk_s: float = 0.0
    """Length of the first chunk with samples."""
    chunks: list[AudioChunk] = field(default_factory=list)
    """Not yet released."""
    received: list[AudioChunk] = field(default_factory=list)
    """All of them, at the sample rate of the backend."""
    _resampler: Resampler | None = None

    @property
    def follows(self) -> bool:
        """Whether more audio than the first chunk is here: that one may be the whole sentence."""
        return self.seconds > self.first_chunk_s

    @property
    def keeps_up(self) -> bool:
        """Whether the audio after the first chunk came at least as fast as it is played.

        Known from the second chunk on; a first chunk alone says nothing about the next one.
        """
        return self.follows and self._waited_since_s <= self.seconds

    @property
    def lags(self) -> bool:
        """Whether the audio comes so slowly that one long pause is better than many short ones."""
        if self.first_audio_s is None or self._waited_since_s < LEAST_MEASURED_S:
            return False
        return self._waited_since_s > HALTING_FACTOR * self.seconds

    @property
    def factor(self) -> float | None:
        """Seconds waited for a second of audio so far; None: not yet known."""
        made_s = self.seconds - self.first_chunk_s
        if made_s <= 0 or self._waited_since_s < LEAST_MEASURED_S:
            return None
        return self._waited_since_s / made_s

    def silent_s(self, dry_s: float) -> float:
        """Return for how many seconds this sentence has kept the listener waiting.

        Args:
            dry_s: Seconds for which the listener has heard nothing.
        """
        return min(dry_s, self.waited_s)

    def rest_in_s(self, whole_s: float) -> float:
        """Return the seconds until the rest of the sentence is there, at the pace so far.

        Args:
            whole_s: Estimated length of the whole sentence in seconds.
        """
        return max(0.0, whole_s - self.seconds) * (self.factor or 0.0)

    @property
    def _waited_since_s(self) -> float:
        """Seconds waited since its first samples, or since its turn while there are none."""
        return self.waited_s - self.turn_s - (self.first_audio_s or 0.0)

    def shows_life(self, *, waits: bool) -> None:
        """Record an empty chunk; only those around the wait for its turn tell when that came."""
        if waits or self.waits:
            self.turn_s = self.waited_s
        else:
            self.longest_gap_s = max(self.longest_gap_s, self.waited_s - self._sign_at_s)
        self._sign_at_s, self.waits = self.waited_s, waits

    async def add(self, chunk: AudioChunk, *, rate_hz: int) -> None:
        """Add the next chunk of the sentence, resampled to another rate.

        Raises:
            BadAudioError: the sentence is longer than any can be.
        """
        if chunk.pcm and self.first_audio_s is None:
            self.first_audio_s = self.waited_s - self.turn_s
            self.longest_gap_s = max(self.longest_gap_s, self.waited_s - self._sign_at_s)
            self.first_chunk_s = chunk.seconds
        self.seconds += chunk.seconds
        check_length(self.seconds)
        self.received.append(chunk)
        self.chunks.append(await self._at_rate(chunk, rate_hz))

    async def _at_rate(self, chunk: AudioChunk, rate_hz: int) -> AudioChunk:
        if chunk.sample_rate_hz == rate_hz:
            return chunk
        if self._resampler is None:
            # On a thread, because the first call imports the codecs.
            self._resampler = await asyncio.to_thread(Resampler, chunk.sample_rate_hz, rate_hz)
        pcm = await asyncio.to_thread(_resample, self._resampler, chunk)
        return replace(chunk, pcm=pcm, sample_rate_hz=rate_hz)


def _resample(resampler: Resampler, chunk: AudioChunk) -> bytes:
    pcm = resampler.push(chunk.pcm)
    return pcm + resampler.finish() if chunk.final else pcm
