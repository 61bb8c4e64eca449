"""Pauses between the sentences of a stream: silence is topped up to the length that is wanted.

What is near silence at the end of a sentence and at the beginning of the next one counts, so a
stream that has its pauses already is left as it is: a server and its client may both do it. The
rest is added before the first sound of the next sentence, which therefore waits for nothing. It
does not depend on how fast the speech comes: a recording has the same pauses as what was heard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace

from vieneu_core.arguments import check_not_negative, refuse
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk

MAX_PAUSE_S = 2.0
"""Longest pause that can be set, in seconds at speed 1."""

QUIET = 328
"""Samples up to this are near silence: -40 dBFS. The peaks of noise are about 10 dB above its mean
level, so this is noise of -50 dBFS; speech is above it within its first hundredth of a second."""
LEAST_S = 0.01
"""Less silence than this is not worth adding; resampling and codecs blur the edges by as much."""
LONGEST_LEAD_S = 0.15
"""Silence before the first sound that speech may keep where it is stored alone."""
_BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Silence that is wanted between two sentences, in seconds at speed 1; none by default.

    Raises:
        ConfigurationError: a field is not a number from 0 to `MAX_PAUSE_S`.
    """

    clause_s: float = 0.0
    """Where no end mark is: a long sentence that was cut at a comma."""
    sentence_s: float = 0.0
    """After a full stop, and at the end of a line."""
    question_s: float = 0.0
    """After a question or an exclamation."""
    paragraph_s: float = 0.0
    """Before a paragraph, an item of a list, or what follows a heading."""

    def __post_init__(self) -> None:
        check_not_negative(self)
        for field in fields(self):
            value = getattr(self, field.name)
            if value > MAX_PAUSE_S:
                raise refuse(field.name, value, f"a number of seconds up to {MAX_PAUSE_S:g}")


NO_PAUSES = Pauses()
NATURAL_PAUSES = Pauses(clause_s=0.3, sentence_s=0.5, question_s=0.6, paragraph_s=0.7)
"""As the VieNeu models pause by themselves inside a text that they speak in one piece.

Source: package vieneu 3.8.3, ``vieneu_utils/core_utils.py``: ``V3_GAP_SILENCE`` (measured there on
23 voices) has 0.30 s inside a sentence, 0.50 s after one, 0.70 s between paragraphs; by
``get_silence_duration_v2`` the pause after ``!`` and ``?`` is 0.1 s longer than after a full stop.
"""


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


def without_long_lead(chunks: Sequence[AudioChunk]) -> tuple[AudioChunk, ...]:
    """Return the speech of one sentence with `LONGEST_LEAD_S` of silence before it at most.

    More of it is a pause after the sentence that was before it then; another may be next time.
    """
    lead_s = 0.0
    for chunk in chunks:
        edges = _edges(chunk.pcm)
        lead_s += chunk.seconds if edges is None else edges[0] / chunk.sample_rate_hz
        if edges is not None:
            break
    else:
        return tuple(chunks)
    surplus_s = lead_s - LONGEST_LEAD_S
    kept: list[AudioChunk] = []
    for chunk in chunks:
        n_cut = min(max(round(surplus_s * chunk.sample_rate_hz), 0), chunk.n_samples)
        surplus_s -= n_cut / chunk.sample_rate_hz
        kept.append(replace(chunk, pcm=chunk.pcm[n_cut * BYTES_PER_SAMPLE :]) if n_cut else chunk)
    return tuple(kept)


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
