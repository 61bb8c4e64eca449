"""Pauses between the sentences of a stream: silence is topped up to the length that is wanted.

What is near silence at the end of a sentence and at the beginning of the next one counts, so a
stream that has its pauses already is left as it is: a server and its client may both do it. The
rest is added before the first sound of the next sentence, which therefore waits for nothing. It
does not depend on how fast the speech comes: a recording has the same pauses as what was heard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk

QUIET = 328
"""Samples up to this are near silence: -40 dBFS. The peaks of noise are about 10 dB above its mean
level, so this is noise of -50 dBFS; speech is above it within its first hundredth of a second."""
LEAST_S = 0.01
"""Less silence than this is not worth adding; resampling and codecs blur the edges by as much."""
_BLOCK = 256


async def with_pauses(
    chunks: AsyncGenerator[AudioChunk, None], pause_before_s: Callable[[int], float]
) -> AsyncGenerator[AudioChunk, None]:
    """Yield a stream of speech with pauses between its sentences; closes the stream.

    Args:
        chunks: Sentences in order. One without samples has no pause of its own.
        pause_before_s: Returns the silence that is wanted before a sentence, in seconds. It is
            called once for each sentence by index.
    """
    gap = _Gap()
    sentence = -1
    async with aclosing(chunks):
        async for chunk in chunks:
            while sentence < chunk.sentence:
                sentence += 1
                gap.next_sentence(pause_before_s(sentence))
            if chunk.restarted:
                gap.restart()
            pause_s = gap.missing_s(chunk)
            if pause_s > 0:
                pause = bytes(round(pause_s * chunk.sample_rate_hz) * BYTES_PER_SAMPLE)
                chunk = replace(chunk, pcm=pause + chunk.pcm)  # noqa: PLW2901 - the same, later
            yield chunk


class _Gap:
    """Silence between the last sound of earlier sentences and the first one of the current."""

    def __init__(self) -> None:
        self._wanted_s = 0.0
        self._heard_before = False  # any sentence before the current one
        self._heard = False  # the current sentence
        self._silent_s = 0.0  # since the last sound
        self._silent_before_s = 0.0  # when the current sentence began

    def next_sentence(self, wanted_s: float) -> None:
        """Begin the next sentence; before the first sound of all no pause is wanted."""
        if self._heard:
            self._heard_before, self._heard, self._wanted_s = True, False, 0.0
        self._wanted_s = max(self._wanted_s, wanted_s)
        self._silent_before_s = self._silent_s

    def restart(self) -> None:
        """Begin the current sentence again."""
        self._heard, self._silent_s = False, self._silent_before_s

    def missing_s(self, chunk: AudioChunk) -> float:
        """Take the next chunk; return how much silence is missing before it, in seconds."""
        edges = _edges(chunk.pcm)
        if edges is None:
            self._silent_s += chunk.seconds
            return 0.0
        lead, trail = edges
        missing_s = 0.0
        if self._heard_before and not self._heard:
            missing_s = self._wanted_s - self._silent_s - lead / chunk.sample_rate_hz
        self._heard, self._silent_s = True, trail / chunk.sample_rate_hz
        return missing_s if missing_s >= LEAST_S else 0.0


def _edges(pcm: bytes) -> tuple[int, int] | None:
    """Return the number of quiet samples at the start and at the end; None if all are quiet."""
    samples = memoryview(pcm).cast("h")
    n = len(samples)
    # By blocks first: `max` of a block is many times faster than a loop over its samples.
    for start in range(0, n, _BLOCK):
        if _is_loud(samples[start : start + _BLOCK]):
            break
    else:
        return None
    lead = next(at for at in range(start, n) if abs(samples[at]) > QUIET)
    end = n
    while not _is_loud(samples[max(0, end - _BLOCK) : end]):
        end -= _BLOCK
    trail = next(n - at for at in range(end, 0, -1) if abs(samples[at - 1]) > QUIET)
    return lead, trail


def _is_loud(samples: memoryview) -> bool:
    return bool(max(samples) > QUIET or min(samples) < -QUIET)
