"""Speech that a backend is making for this router, and how long the next request waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vieneu_core.router.measured_speed import MadeSentence, MeasuredSpeed

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
    made_s: float = 0.0
    """Seconds of audio of the sentence that is being made; 0 while it waits for its turn."""
    factor: float | None = None
    """Seconds waited for a second of that; None if unknown."""

    @property
    def turn_s(self) -> float:
        """Estimated length of its next sentence, or of the rest of its present one, in seconds."""
        return max(0.0, min(self.remaining_s, _SENTENCE_S) - self.made_s)

    @property
    def turn_in_s(self) -> float:
        """Estimated seconds until its first turn; 0 if unknown."""
        return self._backlog.turn_in_s(self)

    def makes(self, seconds: float, factor: float | None) -> None:
        """Record how much of a sentence is made, in seconds, and how fast that came."""
        self.made_s, self.factor = seconds, factor

    def spoke(self, seconds: float) -> None:
        """Record a sentence of this estimated length in seconds as made."""
        self.remaining_s = max(0.0, self.remaining_s - seconds)
        self.audible = True
        self.makes(0.0, None)

    def measured(self, sentence: MadeSentence) -> None:
        """Record how a sentence, or a part of it, was made."""
        self._backlog.speed.measured(sentence, n_at_once=self._backlog.n_running)

    def measured_anew(self, sentence: MadeSentence) -> None:
        """Record the speed of a test sentence: only what the backend does now counts.

        But one that is too short to tell, and was no fast one, adds to what was known before.
        """
        alone = MeasuredSpeed()
        alone.measured(sentence, n_at_once=self._backlog.n_running)
        if alone.keeps_up or alone.real_time_factor is not None:
            self._backlog.speed.forget()
        self.measured(sentence)


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

    def turn_in_s(self, speech: RunningSpeech) -> float:
        """Return the estimated seconds until the first turn of an attempt; 0 if unknown.

        Those that came before it have theirs first. The sentence that is being made shows the speed
        of now, whatever it was before.
        """
        present = next((one for one in self._running if one.made_s), None)
        factor = present.factor if present is not None else None
        if factor is None:
            factor = self.speed.real_time_factor
        before = self._running[: self._running.index(speech)]
        first_s = sum(one.turn_s for one in before if not one.audible and one is not present)
        present_s = present.turn_s if present is not None else 0.0
        return (factor or 0.0) * (first_s + present_s)

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
