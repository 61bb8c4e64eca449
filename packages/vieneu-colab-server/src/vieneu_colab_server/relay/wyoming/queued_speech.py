"""Speech of a backend through the queue of the server. Not how it is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_colab_server.client_pauses import ClientPauses
from vieneu_colab_server.relay.wyoming.speech_source import Speak
from vieneu_colab_server.speaking_deadline import speaking_deadline
from vieneu_colab_server.speech_demand import demand_of
from vieneu_colab_server.speech_queue import SpeechQueue, Ticket
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import SynthesisRequest

DEADLINE_S = 300.0
"""Longest synthesis of one request, without waiting for its turn or its client; as
`ServerSettings` has it."""
MAX_AHEAD_BYTES = 4 << 20
"""Samples that wait for a slow reader: a minute and a half at 24 kHz."""


class QueuedSpeech:
    """Speaks requests in turn with all others of a queue.

    The synthesis runs ahead of its reader, so that a client that plays as it reads does not keep
    the next request waiting for as long as it listens. One that reads more slowly than that, or
    that still writes its text, is waited for without a place in the queue.

    Args:
        speak: Speaks a request whose turn has come, as `Backend.stream` does.
        queue: Of the server.
        check_accepting: Raises a `VieneuError` where no request may be taken now.
        deadline_s: Longest synthesis, in seconds.
        max_ahead_bytes: Most samples that are held for a reader.
    """

    def __init__(
        self,
        speak: Speak,
        queue: SpeechQueue,
        *,
        check_accepting: Callable[[], None] | None = None,
        deadline_s: float = DEADLINE_S,
        max_ahead_bytes: int = MAX_AHEAD_BYTES,
    ) -> None:
        self._speak = speak
        self._queue = queue
        self._check_accepting = check_accepting
        self._deadline_s = deadline_s
        self._max_ahead_bytes = max_ahead_bytes

    async def __call__(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request once its turn has come. Closing the generator stops the synthesis.

        Raises:
            BackendBusyError: the queue is full.
            DeadlineExceededError: the synthesis took too long.
            VieneuError: it may not be taken now, or cannot be spoken.
        """
        if self._check_accepting is not None:
            self._check_accepting()
        ahead = _Ahead(self._max_ahead_bytes)
        ticket = self._queue.enter(demand_of(request.text, speed=request.speed))
        making = asyncio.create_task(self._make(request, ticket, ahead))
        try:
            while (chunk := await ahead.get()) is not None:
                yield chunk
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
            ticket.leave()  # a task that is cancelled before its first step leaves nothing

    async def _make(self, request: SynthesisRequest, ticket: Ticket, ahead: _Ahead) -> None:
        try:
            await ticket.turn()
            async with speaking_deadline(self._deadline_s) as deadline:
                pauses = ClientPauses(ticket, deadline)
                async with aclosing(self._speak(pauses.watched(request))) as chunks:
                    async for chunk in chunks:
                        pauses.heard(chunk)
                        if ahead.full:
                            with pauses.awaiting_reader():
                                await ahead.room()
                        ahead.put(chunk)
        finally:
            ticket.leave()
            ahead.end()


class _Ahead:
    """Chunks on their way from the synthesis to its reader, a bounded number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._chunks: deque[AudioChunk] = deque()
        self._ended = False
        self._news = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether the reader has to take something before more is made."""
        return self._n_bytes >= self._max_bytes

    async def room(self) -> None:
        """Wait until the reader has taken something, if it is full."""
        while self.full:
            await self._change()

    def put(self, chunk: AudioChunk) -> None:
        """Add a chunk."""
        self._chunks.append(chunk)
        self._n_bytes += len(chunk.pcm)
        self._news.set()

    async def get(self) -> AudioChunk | None:
        """Return the next chunk, waiting for it; None at the end."""
        while not self._chunks:
            if self._ended:
                return None
            await self._change()
        chunk = self._chunks.popleft()
        self._n_bytes -= len(chunk.pcm)
        self._news.set()
        return chunk

    def end(self) -> None:
        """State that no chunk follows."""
        self._ended = True
        self._news.set()

    async def _change(self) -> None:
        """Wait until the other side has done something. Only one side ever waits."""
        self._news.clear()
        await self._news.wait()
