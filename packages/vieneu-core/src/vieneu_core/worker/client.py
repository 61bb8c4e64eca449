"""Client of a worker process: sends it one sentence at a time, and passes its audio on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.clock import Clock
from vieneu_core.engines.base import EngineInfo, LoadProgress, SpokenBy, Utterance
from vieneu_core.errors import BackendError, RequestError, StreamStalledError
from vieneu_core.translatable import Translatable
from vieneu_core.worker.activity import Activity
from vieneu_core.worker.job import Job
from vieneu_core.worker.messages import (
    Audio,
    Cancel,
    Failed,
    Finished,
    Memory,
    Message,
    Speak,
    Speaking,
)
from vieneu_core.worker.process_handle import within
from vieneu_core.worker.scheduler import TurnScheduler
from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerState, WorkerTimes
from vieneu_core.worker.supervisor import WorkerSupervisor

_LOGGER = logging.getLogger(__name__)
_SIGN_S = 1.0
"""Seconds between two signs of a request that waits for its turn."""
_KEEP_S = 0.05
"""Longest time in seconds for which the engine is kept free for a request's next sentence."""


class WorkerClient:
    """An engine in its own process, which speaks the sentences of several requests by turns."""

    def __init__(
        self,
        spec: EngineSpec,
        *,
        clock: Clock,
        restart: RestartPolicy,
        times: WorkerTimes,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._times = times
        self._worker = WorkerSupervisor(spec, self, clock=clock, restart=restart, times=times)
        self._activity = Activity(clock, longest_s=times.stall_s)
        self._scheduler = TurnScheduler(self._begin)
        self._job: Job | None = None
        self._n_jobs = 0
        self._memory: Memory | None = None
        self._watchers: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> WorkerState:
        """State of the worker."""
        return self._worker.state

    @property
    def info(self) -> EngineInfo | None:
        """The loaded engine; still available while the worker is restarted."""
        return self._worker.info

    @property
    def progress(self) -> LoadProgress | None:
        """Progress of loading; None if nothing is being loaded, or it is unknown."""
        return self._worker.progress

    @property
    def pid(self) -> int | None:
        """Id of the worker process; None if there is none."""
        return self._worker.pid

    @property
    def uptime_s(self) -> float | None:
        """Seconds since the worker became ready; None if it is not."""
        return self._worker.uptime_s

    @property
    def n_restarts(self) -> int:
        """Times that a worker which had died was started again."""
        return self._worker.n_restarts

    @property
    def memory(self) -> Memory | None:
        """Memory of the worker after its last sentence; None if there is no worker."""
        return self._memory if self.pid is not None else None

    async def start(self) -> None:
        """Start the worker and wait until its model is loaded. Without effect if it is running.

        Raises:
            EngineError: the engine cannot be loaded.
            BackendNotLoadedError: it was stopped meanwhile.
        """
        await self._worker.start()

    async def stop(self) -> None:
        """End the worker and wait for its process. A sentence in progress fails."""
        await self._worker.stop()
        if self._watchers:
            await asyncio.wait(self._watchers)

    async def ready(self, *, patient: bool = False) -> EngineInfo:
        """Return the engine; wait if its worker is being started.

        Args:
            patient: Whether to wait for as long as that takes, and not briefly.

        Raises:
            BackendLoadingError: it takes longer.
            BackendNotLoadedError: it has not been started, or it was stopped meanwhile.
            EngineError: it cannot be loaded.
        """
        return await self._worker.ready(patient=patient)

    def listener(self) -> Listener:
        """Return the listener of a new request, for its calls of `speak`."""
        return Listener(self._clock.monotonic())

    async def speak(
        self, utterance: Utterance, *, speed: float = 1.0, listener: Listener | None = None
    ) -> AsyncGenerator[bytes | SpokenBy | None, None]:
        """Speak one sentence when its turn comes. Closing the generator stops it.

        Yields None now and then while it waits for its turn and the engine works; after a wait, an
        empty chunk when its turn has come. An engine that has others inside first names the one
        that speaks.

        Args:
            utterance: The sentence.
            speed: Rate of speech.
            listener: Listener of the request; None for a request of its own.

        Raises:
            BackendError: the engine failed or is not ready.
            RequestError: the engine cannot speak this request.
        """
        job = Job(utterance, speed, listener or self.listener())
        try:
            while not job.number:
                await self.ready()
                job.called.clear()
                self._scheduler.enter(job)
                if job.called.is_set():
                    break
                async with aclosing(self._signs(job)) as signs:
                    async for sign in signs:
                        yield sign
            while (pcm := await self._next(job)) is not None:
                yield pcm
            if job.error is not None:
                raise job.error
        finally:
            if job.number and not job.ended.is_set():
                self._cancel(job)
            elif not job.number:
                self._scheduler.leave(job)

    async def _signs(self, job: Job) -> AsyncGenerator[bytes | None, None]:
        """Yield signs that a job waits, until it is called."""
        while not job.called.is_set():
            if self._activity.usual:
                yield None
            elif self._activity.silent_s > self._hang_after_s:
                self._end_hung()  # also if nobody reads what the engine speaks now
            with contextlib.suppress(TimeoutError):
                await within(self._clock, _SIGN_S, job.called.wait())
        if job.number:
            yield b""

    def _begin(self, job: Job) -> None:
        """Send a sentence whose turn has come to the worker. `_end_job` ends the turn."""
        self._n_jobs += 1
        job.number = self._n_jobs
        self._job = job
        self._activity.begin(len(job.utterance.text))
        self._worker.send(
            Speak(
                job.number,
                job.utterance.text,
                job.utterance.voice,
                speed=job.speed,
                watermark=job.utterance.watermark,
                reference=job.utterance.reference,
                upcoming=job.utterance.upcoming,
            )
        )
        job.called.set()

    async def _next(self, job: Job) -> bytes | SpokenBy | None:
        if not job.audio.empty():
            return job.audio.get_nowait()
        limit_s = self._hang_after_s
        try:
            return await within(self._clock, limit_s, job.audio.get())
        except TimeoutError:
            self._end_hung()
            raise StreamStalledError(
                Translatable(
                    "The engine {target} produced no audio for {stall_s:g} s.",
                    target=self._spec.target,
                    stall_s=round(limit_s, 1),
                )
            ) from None

    @property
    def _hang_after_s(self) -> float:
        """Seconds of silence after which the engine counts as hung.

        At least as many as its start takes: ending an engine that works would cost as much.
        """
        longest_s = self._times.stall_s
        return min(longest_s, max(self._activity.hang_after_s, self._worker.load_took_s))

    def _end_hung(self) -> None:
        self._activity.hung()
        self._worker.kill()

    def _cancel(self, job: Job) -> None:
        job.cancelled = True
        self._worker.send(Cancel(job.number))
        watcher = asyncio.create_task(self._end_if_stuck(job), name="worker-cancel")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _end_if_stuck(self, job: Job) -> None:
        try:
            await within(self._clock, self._times.cancel_s, job.ended.wait())
        except TimeoutError:
            _LOGGER.warning("Engine %s does not stop; its process is ended", self._spec.target)
            self._worker.kill()

    def _heard(self, job: Job, pcm: bytes) -> None:
        self._activity.sign()
        if self.info is not None:
            seconds = len(pcm) / BYTES_PER_SAMPLE / self.info.sample_rate_hz
            job.listener.receive(seconds, self._clock.monotonic())
        job.audio.put_nowait(pcm)

    def _end_job(self, error: BackendError | RequestError | None = None) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        job.end(error)
        if error is None:
            self._activity.end()
        if error is not None or job.cancelled or not job.utterance.upcoming:
            self._scheduler.leave(job)
        elif self._scheduler.leave_for_more(job):
            loop = asyncio.get_running_loop()
            loop.call_later(_KEEP_S, self._scheduler.keep_no_longer, job.listener)

    # --- Receiver --------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        """Process a message of the worker."""
        match message:
            case Memory():
                self._memory = message
            case Audio() if self._job is not None and message.job == self._job.number:
                self._heard(self._job, message.pcm)
            case Speaking() if self._job is not None and message.job == self._job.number:
                self._job.audio.put_nowait(message.by)
            case Finished() if self._job is not None and message.job == self._job.number:
                self._end_job()
            case Failed() if self._job is not None and message.job == self._job.number:
                self._end_job(message.error())
            case _:
                _LOGGER.debug("Not expected from the worker: %s", type(message).__name__)

    def on_gone(self, error: BackendError) -> None:
        """End the current sentence with this error, and let all others wait for a new worker."""
        waiting = self._scheduler.dismiss()
        self._end_job(error)
        for job in waiting:
            job.called.set()
