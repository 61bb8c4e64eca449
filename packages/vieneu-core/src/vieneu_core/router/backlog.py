"""Speech that a backend is making for this router, and how long the next request waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vieneu_core.router.measured_speed import MeasuredSpeed

_SENTENCE_S = 4.0
"""Usual length of one sentence in seconds of audio: engines take turns by sentence."""


@dataclass(slots=True, eq=False)
class RunningSpeech:
    """One attempt that is running."""

    _backlog: Backlog
    remaining_s: float
    """Estimated seconds of audio that are still to be made."""
    audible: bool = False
    """Whether any of it was made: then others have their turn before it goes on."""

    @property
    def turn_s(self) -> float:
        """Estimated length of its next sentence in seconds."""
        return min(self.remaining_s, _SENTENCE_S)

    def spoke(self, seconds: float) -> None:
        """Record a sentence of this estimated length in seconds as made."""
        self.remaining_s = max(0.0, self.remaining_s - seconds)
        self.audible = True

    def measured(self, *, audio_s: float, waited_s: float, first_audio_s: float | None) -> None:
        """Record the speed of a sentence, or of a part of it: as `MeasuredSpeed.measured`."""
        self._backlog.speed.measured(
            audio_s=audio_s,
            waited_s=waited_s,
            first_audio_s=first_audio_s,
            n_at_once=self._backlog.n_running,
        )

    def measured_anew(
        self, *, audio_s: float, waited_s: float, first_audio_s: float | None
    ) -> None:
        """Record the speed of a test sentence: only what the backend does now counts."""
        self._backlog.speed.forget()
        self.measured(audio_s=audio_s, waited_s=waited_s, first_audio_s=first_audio_s)


class Backlog:
    """The running attempts on one backend.

    Args:
        speed: Speed of the backend.
    """

    def __init__(self, speed: MeasuredSpeed) -> None:
        self.speed = speed
        self._running: list[RunningSpeech] = []

    @contextmanager
    def running(self, seconds: float) -> Iterator[RunningSpeech]:
        """Count speech of about this many seconds as running inside the context."""
        speech = RunningSpeech(self, seconds)
        self._running.append(speech)
        try:
            yield speech
        finally:
            self._running.remove(speech)

    @property
    def n_running(self) -> int:
        """Number of running attempts."""
        return len(self._running)

    @property
    def has_room(self) -> bool:
        """Whether the backend keeps up with one more request; True if its speed is unknown."""
        factor = self.speed.real_time_factor
        return factor is None or not self._running or factor * (len(self._running) + 1) <= 1.0

    def wait_s(self) -> float:
        """Return the estimated seconds until one more request gets its turn; 0 if unknown.

        Requests take turns by sentence. But if the backend cannot keep up with all of them, one
        more would leave holes in every one: then it has to wait for the others.
        """
        if not self.has_room:
            return self.speed.seconds_for(sum(s.remaining_s for s in self._running))
        first_s = sum(s.turn_s for s in self._running if not s.audible)
        current_s = max((s.turn_s for s in self._running if s.audible), default=0.0)
        return self.speed.seconds_for(first_s + current_s)
