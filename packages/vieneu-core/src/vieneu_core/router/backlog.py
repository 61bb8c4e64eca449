"""Speech that a backend is making for this router, and how long the next request waits for it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vieneu_core.clock import Clock
from vieneu_core.router.measured_speed import MadeSentence, MeasuredSpeed

_LATE_TURN_S = 2.0
"""Seconds for which a turn that came too late is expected to be late for new requests, too."""


@dataclass(slots=True, eq=False)
class RunningSpeech:
    """One attempt that is running."""

    _backlog: Backlog
    _sentences_s: deque[float]
    """Estimated lengths in seconds of the sentences that are not yet made whole."""
    audible: bool = False
    """Whether any of it was made: then others have their turn before it goes on."""
    made_s: float = 0.0
    """Seconds of audio of the sentence that is being made; 0 while it waits for its turn."""
    factor: float | None = None
    """Seconds waited for a second of that; None if unknown."""
    _begun_at: float | None = None
    """When its present sentence began to arrive, be it taken or not."""
    turn_was_late: bool = False
    """Whether it ended because its turn came too late."""

    @property
    def remaining_s(self) -> float:
        """Estimated seconds of audio of the sentences that are not yet made whole."""
        return sum(self._sentences_s)

    @property
    def turn_s(self) -> float:
        """Estimated length of its next sentence, or of the rest of its present one, in seconds.

        Engines take turns by sentence. They go on making one while nobody takes it.
        """
        made_s, factor = self.made_s, self._backlog.speed.real_time_factor
        if self._begun_at is not None and factor:
            made_s = max(made_s, (self._backlog.now_s - self._begun_at) / factor)
        return max(0.0, self.next_sentence_s - made_s)

    @property
    def next_sentence_s(self) -> float:
        """Estimated length of the sentence that is made or comes next, in seconds."""
        return self._sentences_s[0] if self._sentences_s else 0.0

    @property
    def is_made(self) -> bool:
        """Whether its present sentence has begun."""
        return self._begun_at is not None

    @property
    def turn_in_s(self) -> float:
        """Estimated seconds until its first turn; 0 if unknown."""
        return self._backlog.turn_in_s(self)

    def gives_up(self, wait_s: float) -> None:
        """Record that its turn would come too late: after so many seconds in all."""
        self.turn_was_late = True
        self._backlog.turn_was_late(wait_s)

    def begins(self) -> None:
        """Record that its next sentence has begun to arrive."""
        self._begun_at = self._backlog.now_s

    def makes(self, seconds: float, factor: float | None) -> None:
        """Record how much of a sentence is made, in seconds, and how fast that came."""
        self.made_s, self.factor = seconds, factor

    def spoke(self) -> None:
        """Record its next sentence as made."""
        self._sentences_s.popleft()
        self.audible, self._begun_at = True, None
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
        clock: Clock of the backend.
    """

    def __init__(self, speed: MeasuredSpeed, clock: Clock) -> None:
        self.speed = speed
        self._clock = clock
        self._running: list[RunningSpeech] = []
        self._late_turn_at, self._late_turn_s = -math.inf, 0.0

    @contextmanager
    def running(self, *sentences_s: float) -> Iterator[RunningSpeech]:
        """Count sentences of about these lengths in seconds as running inside the context."""
        speech = RunningSpeech(self, deque(sentences_s))
        self._running.append(speech)
        try:
            yield speech
        finally:
            self._running.remove(speech)
            if not self._running and not speech.turn_was_late:
                self._late_turn_at = -math.inf  # what others waited for has ended

    @property
    def now_s(self) -> float:
        """Time of its clock in seconds."""
        return self._clock.monotonic()

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

    def turn_was_late(self, wait_s: float) -> None:
        """Record that a request gave up waiting for its turn: after so many seconds in all."""
        self._late_turn_at, self._late_turn_s = self._clock.monotonic(), wait_s

    def wait_s(self, *, begun: bool) -> float:
        """Return the estimated seconds until one more request gets its turn; 0 if unknown.

        Requests take turns by sentence. But if the backend cannot keep up with all of them, one
        more would leave holes in every one: then it has to wait for the others. Where one has just
        waited in vain, a new one would, too; but a reading that is heard goes on where it is.

        Args:
            begun: Whether the listener of the request has heard some of it.
        """
        is_late = self._clock.monotonic() < self._late_turn_at + _LATE_TURN_S
        return max(
            self._estimated_wait_s(lambda one: one.turn_s),
            self._late_turn_s if is_late and not begun else 0.0,
        )

    def longest_wait_s(self) -> float:
        """Return the seconds that one more request may have to wait for its turn; 0 if unknown.

        A server makes further sentences, too, while nobody takes them.
        """
        return self._estimated_wait_s(lambda one: one.next_sentence_s)

    def _estimated_wait_s(self, turn_s: Callable[[RunningSpeech], float]) -> float:
        if not self.has_room:
            return self.speed.seconds_for(sum(s.remaining_s for s in self._running))
        first_s = sum(turn_s(s) for s in self._running if not s.audible)
        audible = [s for s in self._running if s.audible]
        present = [s for s in audible if s.is_made] or audible
        current_s = max(map(turn_s, present), default=0.0)
        return self.speed.seconds_for(first_s + current_s)
