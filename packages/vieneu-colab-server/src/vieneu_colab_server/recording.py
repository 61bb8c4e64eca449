"""Recording of one synthesis, which any number of clients can read while it is made."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from vieneu_colab_server.client_pauses import ClientPauses
from vieneu_colab_server.speaking_deadline import speaking_deadline
from vieneu_colab_server.speech_queue import SpeechQueue, Ticket
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    FirstByteTimeoutError,
    StreamInterruptedError,
    TextTooLongError,
    UnpronounceableError,
    VieneuError,
)
from vieneu_core.translatable import Translatable

Speak = Callable[[], AsyncGenerator[AudioChunk, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayLimits:
    """Limits of stored speech. See `ServerSettings`."""

    keep_s: float = 60.0
    grace_s: float = 2.0
    deadline_s: float = 300.0
    max_recording_bytes: int = 32 << 20
    max_total_bytes: int = 96 << 20


@dataclass(slots=True)
class Stored:
    """What all recordings of a server hold: samples, and answers beside them."""

    n_bytes: int = 0


class Recording:
    """One synthesis in its own task, read by any number of `Reader`.

    Args:
        request_id: Of the request that it was made for.
        fingerprint: Of the body of this request.
        ticket: Its place in the queue.
        limits: Limits.
        stored: Counts its bytes too, until `detach`.
    """

    def __init__(
        self,
        request_id: str,
        fingerprint: bytes,
        ticket: Ticket,
        limits: ReplayLimits,
        stored: Stored,
    ) -> None:
        self.request_id = request_id
        self.fingerprint = fingerprint
        self.speaking = False
        """True once its turn has come, in the queue and on the engine."""
        self.audible = False
        """True once there are samples."""
        self.sent = False
        """True once a part of it was sent to a client."""
        self.ended = False
        self.failure: BaseException | None = None
        self.n_bytes = 0
        """Size of the stored samples in bytes."""
        self.readers: set[Reader] = set()
        self._held: Counter[Reader] = Counter()
        self._stored = stored
        self._ticket = ticket
        self._limits = limits
        self._chunks: list[AudioChunk] = []
        self._n_dropped = 0
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped_because: VieneuError | None = None

    @property
    def full(self) -> bool:
        """Whether it goes on only after its readers have passed a part of it."""
        return self.n_bytes >= self._limits.max_recording_bytes and not self.ended

    @property
    def whole(self) -> bool:
        """Whether its beginning is still stored."""
        return self._n_dropped == 0

    def start(self, speak: Speak, on_end: Callable[[Recording], None]) -> asyncio.Task[None]:
        """Start the synthesis; ``on_end`` is called once, however it ends."""

        def ended(task: asyncio.Task[None]) -> None:
            self._end(task)
            on_end(self)

        self._task = asyncio.create_task(self._run(speak))
        self._task.add_done_callback(ended)
        return self._task

    def stop(self, reason: VieneuError) -> None:
        """Stop the synthesis; remaining readers get ``reason``."""
        if self._task is not None and not self._task.done():
            self._stopped_because = reason
            self._task.cancel()

    async def chunk(self, position: int) -> AudioChunk | None:
        """Return the chunk at ``position``, waiting for it; None if the speech has ended.

        Raises:
            VieneuError: the synthesis failed.
        """
        while position >= self._n_dropped + len(self._chunks):
            if self.failure is not None:
                raise self.failure
            if self.ended:
                return None
            await self._news.wait()
        return self._chunks[position - self._n_dropped]

    async def until_audible(self) -> None:
        """Wait for the first samples, or for the end."""
        while not (self.audible or self.ended):
            await self._news.wait()

    def make_room(self) -> None:
        """Discard chunks that all readers have passed, if too much is stored."""
        if self.n_bytes < self._limits.max_recording_bytes or not self.readers:
            return
        n_passed = min(reader.position for reader in self.readers) - self._n_dropped
        self._store(-sum(len(chunk.pcm) for chunk in self._chunks[:n_passed]))
        del self._chunks[:n_passed]
        self._n_dropped += n_passed
        self._wake()

    def hold(self, reader: Reader, n_bytes: int) -> None:
        """Count bytes of an answer that is held whole for a reader.

        Raises:
            TextTooLongError: it has more than the samples of one speech may have.
        """
        self._held[reader] += n_bytes
        self._stored.n_bytes += n_bytes
        if self._held[reader] > self._limits.max_recording_bytes:
            raise _too_large()

    def leave(self, reader: Reader) -> None:
        """Forget a reader, and what was held for it."""
        self.readers.discard(reader)
        self._stored.n_bytes -= self._held.pop(reader, 0)

    def detach(self) -> None:
        """Count its bytes no longer: it is about to be deleted."""
        self._stored.n_bytes -= self.n_bytes + sum(self._held.values())
        self._stored = Stored()

    def _store(self, n_bytes: int) -> None:
        self.n_bytes += n_bytes
        self._stored.n_bytes += n_bytes

    async def _run(self, speak: Speak) -> None:
        await self._ticket.turn()
        self.speaking = True
        last: AudioChunk | None = None
        async with (
            speaking_deadline(self._limits.deadline_s) as deadline,
            aclosing(speak()) as chunks,
        ):
            pauses = ClientPauses(self._ticket, deadline)
            async for chunk in chunks:
                pauses.heard(chunk)
                self.speaking = not chunk.waiting
                if not chunk.waiting:
                    await self._keep(chunk, pauses)
                    last = chunk
        if last is None or not last.final:
            raise StreamInterruptedError("The speech ended in the middle of a sentence.")
        if not self.audible:
            raise UnpronounceableError("No voice can pronounce this text.")

    async def _keep(self, chunk: AudioChunk, pauses: ClientPauses) -> None:
        self._chunks.append(chunk)
        self._store(len(chunk.pcm))
        self.audible = self.audible or bool(chunk.pcm)
        self._wake()
        self.make_room()
        while self.full:
            with pauses.awaiting_reader():
                await self._news.wait()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._ticket.leave()
        self.failure = self._stopped_because if task.cancelled() else task.exception()
        if task.cancelled() and self.failure is None:
            self.failure = StreamInterruptedError("The speech was stopped.")
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        """Wake all waiting readers."""
        news, self._news = self._news, asyncio.Event()
        news.set()


def _too_large() -> TextTooLongError:
    return TextTooLongError(
        "The speech of this text does not fit into one answer.",
        remedy="Send a shorter text, or ask for a stream (POST /tts/stream, HTTP/1.1).",
    )


class Reader:
    """One client's position in a `Recording`.

    Args:
        recording: The recording.
        queue: Creates the error if the request's turn comes too late.
        on_close: Called with the recording when the reader has left it.
    """

    def __init__(
        self, recording: Recording, queue: SpeechQueue, on_close: Callable[[Recording], None]
    ) -> None:
        self.position = 0
        self._recording = recording
        self._queue = queue
        self._on_close = on_close

    async def first_audio(self, within_s: float | None = None) -> None:
        """Wait for the first samples.

        Raises:
            BackendBusyError: its turn in the queue did not come in time.
            FirstByteTimeoutError: its turn came, but no samples.
            VieneuError: the synthesis failed.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._recording.until_audible()
        except TimeoutError:
            raise self._late(within_s or 0.0) from None
        if self._recording.failure is not None and not self._recording.audible:
            raise self._recording.failure

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech from its beginning.

        Raises:
            VieneuError: the synthesis failed; all chunks before that have been yielded.
        """
        while (chunk := await self._recording.chunk(self.position)) is not None:
            yield chunk
            self.position += 1
            self._recording.make_room()

    async def all_chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech, which stays stored as long as this reader is open.

        Raises:
            TextTooLongError: it does not fit into the memory of one speech.
            VieneuError: the synthesis failed.
        """
        position = self.position
        while (chunk := await self._recording.chunk(position)) is not None:
            yield chunk
            position += 1
            if self._recording.full:
                raise _too_large()

    def hold(self, n_bytes: int) -> None:
        """Count bytes of an answer that is held whole until the reader is closed.

        Raises:
            TextTooLongError: they do not fit into the memory of one speech.
        """
        self._recording.hold(self, n_bytes)

    def delivered(self) -> None:
        """Record that a part of it was sent to the client."""
        self._recording.sent = True

    def close(self) -> None:
        """Leave the recording, which is stopped without readers. Without effect if closed."""
        if self in self._recording.readers:
            self._recording.leave(self)
            self._on_close(self._recording)

    def _late(self, within_s: float) -> VieneuError:
        if not self._recording.speaking:
            return self._queue.busy("The turn of this request did not come in time")
        return FirstByteTimeoutError(
            Translatable("No audio was ready within {within_s:.1f} s.", within_s=within_s)
        )
