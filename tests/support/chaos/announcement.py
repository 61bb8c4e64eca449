"""An announcement: its text, given in one of several ways, and the listener who hears it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from chaos.ear import Ear
from chaos.engine import UNSAYABLE
from chaos.verdict import Verdict, judge
from fault_line import Moment
from guard import GUARD_S

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.tone import N_PITCHES

Speak = Callable[[SynthesisRequest], AsyncGenerator[AudioChunk, None]]
"""`Backend.stream` of what speaks."""
MORE = " về thời tiết hôm nay ở các tỉnh miền núi phía Bắc và vùng đồng bằng sông Hồng"
PAUSE_OF_WRITER_S = 1.5
PLAYER_BUFFER_S = 0.5
"""Audio that a player keeps ready; without one it takes what comes, as fast as it comes."""
BEGUN_S = 0.1
"""So much audio of the first sentence has arrived when the moment is DURING."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is to be said."""

    first: int
    """Number of the first sentence, which gives its pitch."""
    n_sentences: int
    style: str
    """``text``, ``list``, ``streamed``, ``slow writer``, ``unsayable`` or ``short``."""
    plays: bool
    """Whether the listener takes the audio as it is played, and not as fast as it comes."""
    long: bool = False
    """Whether each sentence takes three seconds, and not one."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences that are to be heard."""
        numbers = range(self.first, self.first + self.n_sentences)
        more = MORE if self.long else ""
        return tuple(f"Đây là câu {number % N_PITCHES} của bản tin{more}." for number in numbers)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an announcement."""

    verdict: Verdict
    error: str
    """Code of the error that the stream ended with, or none."""


class AnnouncementListener:
    """Hears one announcement, and notes the moments of it."""

    def __init__(
        self, announcement: Announcement, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._announcement = announcement
        self._clock = clock
        self._ear = Ear()
        self._written_s: list[float] = []
        self.moments = {moment: asyncio.Event() for moment in Moment}
        """Set when each moment has come; at the latest at the end."""

    async def listen(self, speak: Speak) -> Outcome:
        """Ask for the announcement, and hear it to its end."""
        asked_s, error = self._clock(), ""
        self.moments[Moment.BEFORE].set()
        try:
            async with asyncio.timeout(GUARD_S):
                await self._take(speak)
        except VieneuError as err:
            error = err.code
        except TimeoutError:
            error = "no_end"
        verdict = judge(
            await asyncio.to_thread(self._ear.sounds),
            self._announcement.sentences,
            asked_s=asked_s,
            written_s=self._written_s,
        )
        return Outcome(verdict, error)

    async def _take(self, speak: Speak) -> None:
        stream = speak(SynthesisRequest(text=self._text()))
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                self._ear.take(chunk.pcm, chunk.sample_rate_hz, self._clock())
                if self._ear.n_samples >= BEGUN_S * chunk.sample_rate_hz:
                    self.moments[Moment.DURING].set()
                if chunk.final:
                    self.moments[Moment.AFTER].set()
                if self._announcement.plays:
                    ahead_s = self._ear.heard_until_s - self._clock()
                    await asyncio.sleep(max(0.0, ahead_s - PLAYER_BUFFER_S))

    def _text(self) -> str | tuple[str, ...] | AsyncIterable[str]:
        sentences = self._announcement.sentences
        match self._announcement.style:
            case "list":
                return sentences
            case "streamed":
                return self._written(" ", 0.0)
            case "slow writer":
                return self._written("\n", PAUSE_OF_WRITER_S)
            case "unsayable":
                return (sentences[0], f"Câu này {UNSAYABLE}.", *sentences[1:])
            case _:
                return " ".join(sentences)

    async def _written(self, end: str, pause_s: float) -> AsyncGenerator[str, None]:
        """Yield the text word by word; note when each sentence was complete."""
        for sentence in self._announcement.sentences:
            for word in sentence.split():
                yield word if word.endswith(".") else word + " "
            # A listener waits from here on: nobody can know the end before.
            self._written_s.append(self._clock())
            yield end
            await asyncio.sleep(pause_s)
