"""Speaking rate of a backend, measured from its traffic."""

from __future__ import annotations

from vieneu_core.clock import Clock

_HALF_LIFE_S = 60.0
_ENOUGH_AUDIO_S = 3.0
_LEAST = 0.001


class SpeakingRate:
    """Seconds of audio that a backend makes in a second of work; recent work counts more.

    It is the inverse of the real-time factor, for all requests together.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._n_working = 0
        self._counted_to_s = clock.monotonic()
        self._work_s = 0.0
        self._audio_s = 0.0
        self._known = False

    @property
    def value(self) -> float | None:
        """The rate, above 0; None while too little is known."""
        self._count_work()
        if not self._known:
            return None
        return max(_LEAST, self._audio_s / max(self._work_s, _LEAST))

    def begin(self) -> None:
        """Record that a request is spoken from now on."""
        self._count_work()
        self._n_working += 1

    def end(self) -> None:
        """Record that a request is no longer spoken."""
        self._count_work()
        self._n_working -= 1

    def made(self, seconds: float) -> None:
        """Record audio, in seconds; without effect if no request counts as being spoken."""
        if self._n_working:
            self._count_work()
            self._audio_s += seconds
            self._known = self._known or self._audio_s >= _ENOUGH_AUDIO_S

    def _count_work(self) -> None:
        now = self._clock.monotonic()
        if self._n_working:
            elapsed_s = now - self._counted_to_s
            kept = 0.5 ** (elapsed_s / _HALF_LIFE_S)
            self._work_s = self._work_s * kept + elapsed_s
            self._audio_s *= kept
        self._counted_to_s = now
