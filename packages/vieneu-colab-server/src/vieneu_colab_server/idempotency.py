"""Idempotency: retries with the same request id get the same speech, synthesized once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from vieneu_colab_server.recording import Reader, Recording, ReplayLimits, Speak, Stored
from vieneu_colab_server.speech_demand import Demand
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    BackendBusyError,
    BackendDrainingError,
    RequestConflictError,
    StreamInterruptedError,
    VieneuError,
)


class Recorder:
    """All recordings of a server, running ones and those kept for retries."""

    def __init__(self, queue: SpeechQueue, limits: ReplayLimits) -> None:
        self._queue = queue
        self._limits = limits
        self._by_id: dict[str, Recording] = {}
        self._live: set[Recording] = set()
        self._stored = Stored()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[Recording, asyncio.TimerHandle] = {}

    @property
    def n_readers(self) -> int:
        """Number of clients being served."""
        return sum(len(recording.readers) for recording in self._live)

    @property
    def n_bytes(self) -> int:
        """Size of the stored samples, and of the answers held beside them, in bytes."""
        return self._stored.n_bytes

    def attach(
        self, request_id: str, fingerprint: bytes, speak: Speak, demand: Demand | None = None
    ) -> Reader:
        """Return a reader of the recording with this id; call ``speak`` to make it if necessary.

        Raises:
            RequestConflictError: the id belongs to a request with another body.
            BackendBusyError: the queue is full, its turn would come too late, or too much speech
                is stored.
        """
        recording = self._by_id.get(request_id)
        if recording is not None and recording.fingerprint != fingerprint:
            raise RequestConflictError("This request id was used a moment ago, with another body.")
        if recording is None or not recording.whole:
            recording = self._record(request_id, fingerprint, speak, demand)
        reader = Reader(recording, self._queue, self._left)
        recording.readers.add(reader)
        return reader

    async def stop(self, reason: VieneuError) -> None:
        """Stop all running synthesis, and wait for it."""
        for recording in self._live:
            recording.stop(reason)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop all running synthesis and delete all recordings."""
        await self.stop(BackendDrainingError("The server is stopping."))
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._by_id.clear()
        for recording in self._live:
            recording.detach()
        self._live.clear()

    def _left(self, recording: Recording) -> None:
        """Handle a recording that a reader has left: keep, stop or delete it."""
        if recording.readers:
            recording.make_room()
        elif recording.ended:
            self._release(recording)
        elif recording.sent:
            self._abandon(recording)
        else:
            self._after(self._limits.grace_s, recording, self._abandon)

    def _record(
        self, request_id: str, fingerprint: bytes, speak: Speak, demand: Demand | None
    ) -> Recording:
        self._free_memory()
        ticket = self._queue.enter(demand)
        recording = Recording(request_id, fingerprint, ticket, self._limits, self._stored)
        task = recording.start(lambda: self._with_memory(speak), self._ended)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._live.add(recording)
        self._by_id[request_id] = recording
        return recording

    def _with_memory(self, speak: Speak) -> AsyncGenerator[AudioChunk, None]:
        """Begin when its turn has come, if what was made meanwhile has left memory for it."""
        self._free_memory()
        return speak()

    def _free_memory(self) -> None:
        """Delete stored speech, the oldest first, until there is enough memory."""
        if self.n_bytes < self._limits.max_total_bytes:
            return
        for recording in list(self._by_id.values()):
            if recording.ended:
                self._forget(recording)
            if self.n_bytes < self._limits.max_total_bytes:
                return
        if self.n_bytes >= self._limits.max_total_bytes:
            raise BackendBusyError(
                "Too much speech waits for slow clients.", retry_after_s=self._limits.grace_s
            )

    def _ended(self, recording: Recording) -> None:
        if recording.failure is not None:
            self._forget(recording)
            return
        self._after(self._limits.keep_s, recording, self._forget)

    def _abandon(self, recording: Recording) -> None:
        if not recording.readers and not recording.ended:
            recording.stop(StreamInterruptedError("The client has gone."))
            self._forget(recording)

    def _forget(self, recording: Recording) -> None:
        """Hide a recording from new requests; its readers continue."""
        if self._is_known(recording):
            del self._by_id[recording.request_id]
        self._release(recording)

    def _release(self, recording: Recording) -> None:
        """Delete an ended recording that has no readers and is hidden from requests."""
        if not self._is_known(recording) and not recording.readers:
            self._live.discard(recording)
            recording.detach()
            if timer := self._timers.pop(recording, None):
                timer.cancel()

    def _is_known(self, recording: Recording) -> bool:
        """Whether a new request with its id would get it."""
        return self._by_id.get(recording.request_id) is recording

    def _after(
        self, seconds: float, recording: Recording, act: Callable[[Recording], None]
    ) -> None:
        if timer := self._timers.pop(recording, None):
            timer.cancel()
        self._timers[recording] = asyncio.get_running_loop().call_later(seconds, act, recording)
