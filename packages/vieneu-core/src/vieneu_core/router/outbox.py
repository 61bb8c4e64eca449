"""Audio that is released to the listener of one request, sentence by sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.clock import Clock
from vieneu_core.router.received_sentence import ReceivedSentence


class Outbox:
    """Released audio of one request. It knows how much of it the listener has not yet heard.

    Args:
        clock: Clock of the playback.
        prefetched_sentences: Sentences that may wait while one is played.
    """

    def __init__(self, clock: Clock, *, prefetched_sentences: int) -> None:
        self._clock = clock
        self._queue: asyncio.Queue[AudioChunk | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(1 + prefetched_sentences)
        self._rooms_taken = 0
        self._listener = Listener(clock.monotonic())
        self._part_released = False  # of the sentence that is next
        self._n_complete = 0
        self._skipped: list[tuple[int, str]] = []  # before any audio, whose rate they need
        self._n_without_room = 0  # of these, until they are consumed
        self.rate_hz: int | None = None
        """Sample rate of the first chunk, which all others get, whichever backend speaks."""

    @property
    def n_complete(self) -> int:
        """Number of completely released sentences: the index of the next one."""
        return self._n_complete

    @property
    def ahead_s(self) -> float:
        """Seconds of released audio that a listener at playback speed has not yet heard."""
        return max(0.0, self._listener.runs_out_at_s - self._clock.monotonic())

    @property
    def dry_s(self) -> float:
        """Seconds for which that listener has heard nothing; 0 while there is audio ahead."""
        return max(0.0, self._clock.monotonic() - self._listener.runs_out_at_s)

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the released audio, until `end`."""
        while (chunk := await self._queue.get()) is not None:
            yield chunk
            if chunk.final and self._n_without_room:
                self._n_without_room -= 1
            elif chunk.final:
                self._room.release()

    async def make_room(self) -> None:
        """Wait until one more sentence may be prefetched."""
        if self._rooms_taken <= self._n_complete:
            await self._room.acquire()
            self._rooms_taken += 1

    def release(self, sentence: ReceivedSentence) -> None:
        """Release what was received of a sentence; the sentence is complete with its last chunk."""
        chunks, sentence.chunks = sentence.chunks, []
        for chunk in chunks:
            restarted = self._part_released and not sentence.released
            self._put(replace(chunk, restarted=restarted))
            sentence.released = self._part_released = not chunk.final

    async def skip(self, backend: str) -> None:
        """End the next sentence without any samples: none of the backends can pronounce it.

        Args:
            backend: Name of the last backend that was asked.
        """
        if self.rate_hz is None:  # nobody takes anything before the first audio, and makes room
            self._n_without_room += 1
            self._rooms_taken += 1
        else:
            await self.make_room()
        self._skipped.append((self._n_complete, backend))
        self._n_complete += 1
        self._part_released = False
        self._put_skipped()

    def end(self) -> None:
        """End the stream after what was released."""
        self._queue.put_nowait(None)

    def _put_skipped(self) -> None:
        if self.rate_hz is None:
            return
        for sentence, backend in self._skipped:
            speaker = Speaker(backend=backend, engine="", voice="")
            self._queue.put_nowait(AudioChunk(b"", self.rate_hz, sentence, speaker, final=True))
        self._skipped.clear()

    def _put(self, chunk: AudioChunk) -> None:
        self._put_skipped()
        self._listener.receive(chunk.seconds, self._clock.monotonic())
        self._queue.put_nowait(chunk)
        self._n_complete += chunk.final
