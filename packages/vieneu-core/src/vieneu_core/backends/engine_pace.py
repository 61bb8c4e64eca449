"""Pace of an engine: whether its speech may be heard while it is made, without holes in it."""

from __future__ import annotations

_KNOWN_FROM_S = 1.0
"""Seconds of audio from which on the pace of an engine counts as known."""
_FADING = 0.5
"""Share of what was known that still counts after one more sentence."""
_LEAST_MEASURED_S = 0.3
"""Seconds of waiting from which on the pace of a sentence counts."""
_LAGGING = 1.5
"""Times the length of its audio from which on waiting for a sentence is heard as halting."""


class EnginePace:
    """Recent pace of one engine."""

    def __init__(self) -> None:
        self._audio_s = self._waited_s = 0.0

    @property
    def keeps_up(self) -> bool | None:
        """Whether it makes speech as fast as that is played; None: unknown."""
        if self._audio_s < _KNOWN_FROM_S:
            return None
        return self._waited_s <= self._audio_s

    def measured(self, audio_s: float, waited_s: float) -> None:
        """Record audio of a sentence after its first part, and the wait for it, in seconds."""
        self._audio_s = self._audio_s * _FADING + audio_s
        self._waited_s = self._waited_s * _FADING + waited_s


class SentencePace:
    """Pace of the sentence that an engine makes.

    Args:
        engine: Pace of the engine, which learns from the sentence.
    """

    def __init__(self, engine: EnginePace) -> None:
        self._engine = engine
        self._first_s = self._later_s = self._waited_s = 0.0

    def add(self, audio_s: float, waited_s: float) -> None:
        """Record the next part, and the wait for it, in seconds."""
        if not self._first_s:
            self._first_s = audio_s
            return
        self._later_s += audio_s
        self._waited_s += waited_s

    def end(self) -> None:
        """Record that the sentence is complete."""
        self._engine.measured(self._later_s, self._waited_s)

    def plays_live(self, *, sounds: bool) -> bool:
        """Return whether the sentence may be heard as it is made.

        Where the engine becomes slow within it, the rest is made whole: one hole, not many.

        Args:
            sounds: Whether a part of it was heard.
        """
        seconds = self._first_s + self._later_s
        if self._waited_s >= _LEAST_MEASURED_S and self._waited_s > _LAGGING * seconds:
            return False
        if sounds:
            return True
        if self._engine.keeps_up is None:  # a first part alone does not show it
            return self._later_s > 0 and self._waited_s <= seconds
        return self._engine.keeps_up
