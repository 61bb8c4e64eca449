"""Recovery from failures of an engine: the sentence in which it failed is spoken again.

For a backend that nobody can take over from, as a server is for a plain client. What a router does
across backends is done here on one; the circuit breakers, probes and test sentences of a router
would only keep requests from the one engine there is.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.engine_pace import SentencePace
from vieneu_core.backoff import MAX_SENTENCE_TRIES, SENTENCE_RETRY
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError, BackendLoadingError

_LOGGER = logging.getLogger(__name__)
_NEARLY_DRY_S = 1.0
"""Seconds of audio ahead of the listener below which a sentence is passed on as it is made.

Enough for the delays of a network.
"""


async def recovering(
    speak: Callable[[], AsyncGenerator[AudioChunk, None]],
    until_ready: Callable[[], Awaitable[object]],
    listener: Listener,
    clock: Clock,
    pace: AbstractAsyncContextManager[Callable[[], SentencePace]],
) -> AsyncGenerator[AudioChunk, None]:
    """Speak one sentence; again from its beginning where the engine fails in it.

    The audio is passed on when the sentence is complete, or when its listener would wait for it. So
    what is heard twice was being heard, or was about to be. Where the engine is slower than
    playback, so much is made before that the sentence has no holes.

    Args:
        speak: Speaks the sentence.
        until_ready: Waits until the engine can speak again.
        listener: Counts what the engine makes for the request.
        clock: Clock of the listener.
        pace: Entered while the sentence is spoken; returns the pace of one more try.

    Raises:
        BackendError: the engine failed in it `MAX_SENTENCE_TRIES` times, or cannot recover.
        RequestError: the engine cannot speak this request.
    """
    async with (
        pace as pace_of_try,
        aclosing(_tries(speak, until_ready, listener, clock, pace_of_try)) as chunks,
    ):
        async for chunk in chunks:
            yield chunk


async def _tries(
    speak: Callable[[], AsyncGenerator[AudioChunk, None]],
    until_ready: Callable[[], Awaitable[object]],
    listener: Listener,
    clock: Clock,
    pace: Callable[[], SentencePace],
) -> AsyncGenerator[AudioChunk, None]:
    whole = heard = False
    n_failures = 0
    while not whole:
        held = _Held(listener, clock, pace(), restarted=heard)
        try:
            async with aclosing(speak()) as chunks:
                held.waits()
                async for chunk in chunks:
                    if chunk.pcm:
                        await held.estimated()
                    for passed in held.add(chunk):
                        heard = heard or bool(passed.pcm)
                        yield passed
                    held.waits()
            whole = True
        except BackendLoadingError:  # it ended before this sentence had its turn
            held.discard()
            await until_ready()
        except BackendError as error:
            held.discard()
            n_failures += 1
            if not error.transient or n_failures >= MAX_SENTENCE_TRIES:
                raise
            _LOGGER.warning("%s The sentence is spoken again.", error.detail)
            await clock.sleep(SENTENCE_RETRY.pause_s(n_failures))
            await until_ready()


class _Held:
    """Audio of one try that is not yet passed on.

    Args:
        listener: Counts the audio when it is made.
        clock: Clock of the listener.
        pace: Pace of the sentence.
        restarted: Whether some of an earlier try was passed on.
    """

    def __init__(
        self, listener: Listener, clock: Clock, pace: SentencePace, *, restarted: bool
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._pace = pace
        self._restarted = restarted
        self._sounds = False
        self._waiting_since_s = clock.monotonic()
        self._chunks: list[AudioChunk] = []

    def waits(self) -> None:
        """Record that the next chunk is waited for from now on."""
        self._waiting_since_s = self._clock.monotonic()

    async def estimated(self) -> None:
        """Wait until it is known how much of the sentence is enough."""
        await self._pace.estimated()

    def add(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Add the next chunk; return those to pass on now."""
        if not (chunk.pcm or chunk.final):
            return [chunk]  # it shows that the engine works
        self._measure(chunk)
        self._chunks.append(chunk)
        if not chunk.final:
            if self._ahead_s >= _NEARLY_DRY_S:
                return []
            if not self._pace.plays_live(sounds=self._sounds):
                return [replace(chunk, pcm=b"")]  # it works, too slowly
        passed, self._chunks = self._chunks, []
        passed[0] = replace(passed[0], restarted=self._restarted)
        self._restarted, self._sounds = False, True
        return passed

    def discard(self) -> None:
        """Drop what is held: the engine failed."""
        self._listener.take_back(self._seconds)
        self._chunks = []

    def _measure(self, chunk: AudioChunk) -> None:
        self._pace.add(chunk.seconds, self._clock.monotonic() - self._waiting_since_s)
        if chunk.final:
            self._pace.end()

    @property
    def _ahead_s(self) -> float:
        """Seconds until the listener has heard all that was passed on."""
        return self._listener.runs_out_at_s - self._seconds - self._clock.monotonic()

    @property
    def _seconds(self) -> float:
        return sum(chunk.seconds for chunk in self._chunks)
