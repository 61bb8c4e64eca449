"""Speed of a backend, measured on its own traffic: real-time factor, and time to first audio."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_MEMORY_S = 30.0
"""Seconds of audio over which older measurements fade to a third."""
_LEAST_S = 4.0
"""Seconds of audio and waiting together, from which on the factor counts as known."""
_LATENCY_S = 0.5
"""Part of the wait for a first audio that does not depend on its length: network, queue."""
_N_REMEMBERED = 20
_N_ALIKE = 3
"""Sentences in a row that have to begin late before the next one is expected to."""
SLOWEST = 100.0
"""Largest real-time factor that is measured: no audio at all counts as this."""
_KEEPS_UP = 0.9
"""Factor up to which a backend that was slow counts as fast again."""
_AT_ONCE = 0.1
"""Part of the wait for a sentence that may come after its first audio where it is sent whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSentence:
    """How a sentence, or the part of it that came, was made."""

    audio_s: float
    """Length of its audio in seconds."""
    waited_s: float
    """Seconds waited for the backend in all, its first audio included."""
    first_audio_s: float | None
    """Seconds of these until the first audio, at most since a sign of work before it; None if there
    was none."""
    estimated_s: float
    """Estimated length of the whole sentence in seconds."""

    def start_s(self, sentence_s: float) -> float:
        """Return the seconds in which one of this estimated length would have begun likewise.

        Where all of it came at once, that grows with the length.
        """
        first_s = self.first_audio_s or 0.0
        if self.waited_s - first_s > _AT_ONCE * self.waited_s:
            return first_s
        return first_s * sentence_s / self.estimated_s


class MeasuredSpeed:
    """Recent speed of one backend for one request alone.

    Requests at once are taken to share the backend evenly, as with an engine that makes one
    sentence at a time; one that serves several in parallel shows that as soon as it does so.
    Pure arithmetic: the caller measures the time.
    """

    def __init__(self) -> None:
        self._audio_s = self._waited_s = self._shared_s = 0.0
        self._heard: deque[MadeSentence] = deque(maxlen=_N_REMEMBERED)
        """The latest sentences with audio."""

    @property
    def real_time_factor(self) -> float | None:
        """Seconds waited for a second of audio, below 1 is faster than playback; None: unknown."""
        return None if self._audio_s + self._waited_s < _LEAST_S else self.estimated_factor

    @property
    def estimated_factor(self) -> float:
        """The factor by whatever was measured so far, however little."""
        return min(self._shared_s / self._audio_s, SLOWEST) if self._audio_s else SLOWEST

    @property
    def slower_than_playback(self) -> bool:
        """Whether it is known to make audio more slowly than that is played."""
        factor = self.real_time_factor
        return factor is not None and factor > 1.0

    @property
    def keeps_up(self) -> bool:
        """Whether what was measured so far, however little, was clearly faster than playback."""
        return self.estimated_factor <= _KEEPS_UP

    @property
    def needs_a_lead(self) -> bool:
        """Whether it is known to make audio hardly faster than that is played, or more slowly."""
        return self.real_time_factor is not None and not self.keeps_up

    @property
    def usual_first_audio_s(self) -> float | None:
        """Time within which a sentence's first audio usually comes, in seconds; None: unknown.

        The longest recent time but one: a single pause is not what is usual.
        """
        longest = sorted(one.first_audio_s or 0.0 for one in self._heard)[-2:]
        return longest[0] if longest else None

    def sounds_in_s(self, sentence_s: float) -> float:
        """Return the seconds until a sentence can be heard without holes; 0 if that is unknown.

        Where the backend is slower than playback, that is when it is whole. Else it is when its
        first audio comes, which may be late too. The soonest of the latest sentences counts.

        Args:
            sentence_s: Estimated length of the sentence in seconds.
        """
        if self.slower_than_playback or self.real_time_factor is None:
            return self.seconds_for(sentence_s)
        latest = list(self._heard)[-_N_ALIKE:]
        return min((one.start_s(sentence_s) for one in latest), default=0.0)

    def seconds_for(self, audio_s: float) -> float:
        """Return the seconds to wait until this much audio is made; 0 if that is unknown."""
        return audio_s * (self.real_time_factor or 0.0)

    def measured(self, sentence: MadeSentence, *, n_at_once: int = 1) -> None:
        """Record a sentence, or the part of it that came.

        Args:
            sentence: The sentence.
            n_at_once: Requests that the backend served meanwhile, this one included.
        """
        waited_s, first_audio_s = sentence.waited_s, sentence.first_audio_s
        fading = math.exp(-(sentence.audio_s + waited_s) / _MEMORY_S)
        latency_s = min(_LATENCY_S, waited_s if first_audio_s is None else first_audio_s)
        self._audio_s = self._audio_s * fading + sentence.audio_s
        waited_s = max(0.0, waited_s - latency_s)
        self._waited_s = self._waited_s * fading + waited_s
        self._shared_s = self._shared_s * fading + waited_s / max(1, n_at_once)
        if first_audio_s is not None:
            self._heard.append(sentence)

    def forget(self) -> None:
        """Forget everything: the backend is another one now, or the admin has acted."""
        self._audio_s = self._waited_s = self._shared_s = 0.0
        self._heard.clear()
