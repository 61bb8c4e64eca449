"""Turns of several requests on one engine, by earliest deadline.

The next sentence is made for the listener who would otherwise run out of audio first. So a short
announcement is spoken after the current sentence of a long reading, which is ahead of its
listener, and two long readings alternate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from vieneu_core.audio.listener import Listener


class Turn(Protocol):
    """One sentence that waits for the engine, or is spoken by it."""

    @property
    def listener(self) -> Listener:
        """Listener of the sentence."""
        ...


_Turn = TypeVar("_Turn", bound=Turn)


class TurnScheduler(Generic[_Turn]):
    """Gives the engine to one turn after the other; ties are resolved in the order of arrival.

    Args:
        begin: Called with a turn when it comes; it must not raise.
    """

    def __init__(self, begin: Callable[[_Turn], None]) -> None:
        self._begin = begin
        self._waiting: list[_Turn] = []
        self._current: _Turn | None = None
        self._kept_for: Listener | None = None

    def enter(self, turn: _Turn) -> None:
        """Let a turn wait; it begins at once if the engine is free."""
        self._waiting.append(turn)
        if turn.listener is self._kept_for:
            self._kept_for = None
        self._begin_next()

    def leave(self, turn: _Turn) -> None:
        """End a turn, or stop waiting; without effect if it does neither."""
        if turn is self._current:
            self._current = None
        elif turn in self._waiting:
            self._waiting.remove(turn)
        self._begin_next()

    def leave_for_more(self, turn: _Turn) -> bool:
        """End a turn whose listener is about to enter with its next sentence.

        Return whether the engine is kept free for that, since this listener runs out of audio
        before all that wait. `keep_no_longer` ends it.
        """
        soonest = min((one.listener.runs_out_at_s for one in self._waiting), default=None)
        if soonest is not None and turn.listener.runs_out_at_s < soonest:
            self._kept_for = turn.listener
        self.leave(turn)
        return self._kept_for is turn.listener

    def keep_no_longer(self, listener: Listener) -> None:
        """Stop keeping the engine free for a listener; without effect if it is not."""
        if self._kept_for is listener:
            self._kept_for = None
            self._begin_next()

    def dismiss(self) -> tuple[_Turn, ...]:
        """Return all turns that wait, and let none of them wait any longer."""
        dismissed, self._waiting = tuple(self._waiting), []
        self._kept_for = None
        return dismissed

    def _begin_next(self) -> None:
        if self._current is not None or self._kept_for is not None or not self._waiting:
            return
        turn = min(self._waiting, key=lambda one: one.listener.runs_out_at_s)
        self._waiting.remove(turn)
        self._current = turn
        self._begin(turn)
