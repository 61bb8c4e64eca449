"""Speed of a backend, measured on its own traffic: real-time factor, and time to first audio."""

from __future__ import annotations

import math
from collections import deque

_MEMORY_S = 30.0
"""Seconds of audio over which older measurements fade to a third."""
_LEAST_S = 4.0
"""Seconds of audio and waiting together, from which on the factor counts as known."""
_LATENCY_S = 0.5
"""Part of the wait for a first audio that does not depend on its length: network, queue."""
_N_REMEMBERED = 20
SLOWEST = 100.0
"""Largest real-time factor that is told apart: no audio at all counts as this."""


class MeasuredSpeed:
    """Recent speed of one backend for one request alone.

    Requests at once are taken to share the backend evenly, as with an engine that makes one
    sentence at a time; one that serves several in parallel shows that as soon as it does so.
    Pure arithmetic: the caller measures the time.
    """

    def __init__(self) -> None:
        self._audio_s = self._waited_s = self._shared_s = 0.0
        self._first_audio_s: deque[float] = deque(maxlen=_N_REMEMBERED)

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
    def usual_first_audio_s(self) -> float | None:
        """Time within which a sentence's first audio usually comes, in seconds; None: unknown.

        The longest recent time but one: a single pause is not what is usual.
        """
        longest = sorted(self._first_audio_s)[-2:]
        return longest[0] if longest else None

    def seconds_for(self, audio_s: float) -> float:
        """Return the seconds to wait until this much audio is made; 0 if that is unknown."""
        return audio_s * (self.real_time_factor or 0.0)

    def measured(
        self, *, audio_s: float, waited_s: float, first_audio_s: float | None, n_at_once: int = 1
    ) -> None:
        """Record a sentence, or the part of it that came.

        Args:
            audio_s: Length of its audio in seconds.
            waited_s: Seconds waited for the backend in all, its first audio included.
            first_audio_s: Seconds of these until the first audio, at most since a sign of work
                before it; None if there was none.
            n_at_once: Requests that the backend served meanwhile, this one included.
        """
        fading = math.exp(-(audio_s + waited_s) / _MEMORY_S)
        latency_s = min(_LATENCY_S, waited_s if first_audio_s is None else first_audio_s)
        self._audio_s = self._audio_s * fading + audio_s
        waited_s = max(0.0, waited_s - latency_s)
        self._waited_s = self._waited_s * fading + waited_s
        self._shared_s = self._shared_s * fading + waited_s / max(1, n_at_once)
        if first_audio_s is not None:
            self._first_audio_s.append(first_audio_s)

    def forget(self) -> None:
        """Forget everything: the backend is another one now, or the admin has acted."""
        self._audio_s = self._waited_s = self._shared_s = 0.0
        self._first_audio_s.clear()
