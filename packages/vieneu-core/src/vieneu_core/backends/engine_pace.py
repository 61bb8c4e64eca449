"""Pace of an engine: whether its speech may be heard while it is made, without holes in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.synthesis import SynthesisRequest

_KNOWN_FROM_S = 1.0
"""Seconds of audio from which on the pace of an engine counts as known."""
_FADING = 0.5
"""Share of what was known that still counts after one more sentence."""
LEAST_MEASURED_S = 0.3
"""Seconds of waiting from which on the pace of a sentence counts."""
HALTING_FACTOR = 1.5
"""Times the length of its audio from which on waiting for a sentence is heard as halting; players
even out what is below."""


class EnginePace:
    """Recent pace of one engine, by the audio that it makes before that is stretched."""

    def __init__(self) -> None:
        self._audio_s = self._waited_s = 0.0

    @property
    def factor(self) -> float | None:
        """Seconds waited for a second of audio, below 1 is faster than playback; None: unknown."""
        return self._waited_s / self._audio_s if self._audio_s >= _KNOWN_FROM_S else None

    def measured(self, audio_s: float, waited_s: float) -> None:
        """Record what it made of a sentence after its first part, and the wait, in seconds."""
        self._audio_s = self._audio_s * _FADING + audio_s
        self._waited_s = self._waited_s * _FADING + waited_s

    @asynccontextmanager
    async def of_sentence(
        self, utterance: Utterance, request: SynthesisRequest, info: EngineInfo
    ) -> AsyncGenerator[Callable[[], SentencePace], None]:
        """Yield what makes the pace of each try of a sentence.

        Its length is estimated while the engine begins with it, which gets it at once: an engine
        that waits for the next sentence of a request keeps its turn for a moment only.

        Args:
            utterance: The sentence as it is written.
            request: The request that it belongs to.
            info: The engine.
        """
        stretched = 1.0 if info.changes_speed else request.speed
        if request.limits_pauses:  # it gets no lead, whatever its length
            yield partial(SentencePace, self, stretched=stretched, always_live=True)
            return
        language = "vi" if utterance.voice is None else utterance.voice.language
        estimate = asyncio.create_task(
            asyncio.to_thread(_said_seconds, utterance.text, language, request.speed)
        )
        try:
            yield partial(SentencePace, self, lambda: estimate, stretched=stretched)
        finally:
            estimate.cancel()
            await asyncio.gather(estimate, return_exceptions=True)


def _said_seconds(sentence: str, language: str, speed: float) -> float:
    from vieneu_core.text.said_length import said_seconds  # the first import takes long

    return said_seconds(sentence, language, speed)


class SentencePace:
    """Pace of the sentence that an engine makes.

    Args:
        engine: Pace of the engine, which learns from the sentence.
        whole_s: Estimates the length of the sentence in seconds, rather too long.
        stretched: Seconds that the engine makes for each second that is heard.
        always_live: Whether it is heard as it is made, whatever the pace.
    """

    def __init__(
        self,
        engine: EnginePace,
        whole_s: Callable[[], Awaitable[float]] | None = None,
        *,
        stretched: float = 1.0,
        always_live: bool = False,
    ) -> None:
        self._engine = engine
        self._estimate = whole_s
        self._whole_s = 0.0
        self._stretched = stretched
        self._always_live = always_live
        self._led_s = 0.0
        self._first_s = self._later_s = self._waited_s = self._longest_s = 0.0

    async def estimated(self) -> None:
        """Wait until the length of the sentence is known."""
        if self._estimate is not None:
            self._whole_s, self._estimate = await self._estimate(), None

    def add(self, audio_s: float, waited_s: float) -> None:
        """Record the next part, and the wait for it, in seconds."""
        self._longest_s = max(self._longest_s, audio_s)
        if not self._first_s:
            self._first_s = audio_s
            return
        self._later_s += audio_s
        self._waited_s += waited_s

    def end(self) -> None:
        """Record that the sentence is complete."""
        if self._later_s:  # a single part tells nothing
            self._engine.measured(self._later_s * self._stretched, self._waited_s)

    def plays_live(self, *, sounds: bool) -> bool:
        """Return whether the sentence may be heard as it is made.

        A slow engine gets a lead: so much of it is made before that the rest is made in time.
        Where an engine becomes slow within it, the rest is made whole: one hole, not many.

        Args:
            sounds: Whether a part of it was heard.
        """
        seconds = self._first_s + self._later_s
        if self._always_live:
            return True
        if sounds:  # what was waited for the lead was not heard as halting
            return self._waited_s - self._led_s < max(LEAST_MEASURED_S, HALTING_FACTOR * seconds)
        if not self._is_enough(seconds):
            return False
        self._led_s = self._waited_s
        return True

    def _is_enough(self, lead_s: float) -> bool:
        """Return whether the rest comes in time after so much of the sentence."""
        if self._engine.factor is not None:
            factor = self._engine.factor * self._stretched
        elif self._later_s:  # a first part alone does not show it
            factor = self._waited_s / self._later_s
        else:
            return False
        rest_s = max(0.0, self._whole_s - lead_s)
        return rest_s * factor <= rest_s + lead_s - self._longest_s  # a part comes when it is whole
