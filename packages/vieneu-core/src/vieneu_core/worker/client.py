"""Client of a worker process: sends it one sentence at a time, and passes its audio on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from vieneu_core.clock import Clock
from vieneu_core.engines.base import EngineInfo, LoadProgress, Utterance
from vieneu_core.errors import BackendError, RequestError, StreamStalledError
from vieneu_core.translatable import Translatable
from vieneu_core.worker.messages import Audio, Cancel, Failed, Finished, Memory, Message, Speak
from vieneu_core.worker.process_handle import within
from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerState, WorkerTimes
from vieneu_core.worker.supervisor import WorkerSupervisor

_LOGGER = logging.getLogger(__name__)


class _Job:
    """One sentence for the worker."""

    def __init__(self, number: int) -> None:
        self.number = number
        # Unbounded, so that a slow consumer never blocks the engine for others. A sentence
        # is short: 300 characters are about 2 MB.
        self.audio: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.error: BackendError | RequestError | None = None
        self.ended = asyncio.Event()

    def end(self, error: BackendError | RequestError | None = None) -> None:
        self.error = error
        self.ended.set()
        self.audio.put_nowait(None)


class WorkerClient:
    """An engine in its own process. Sentences are spoken in the order of the requests."""

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
        self._turn = asyncio.Lock()  # its waiters are served in order
        self._job: _Job | None = None
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

    async def ready(self) -> EngineInfo:
        """Return the engine; wait briefly if its worker is being started.

        Raises:
            BackendLoadingError: it takes longer.
            BackendNotLoadedError: it has not been started.
            EngineError: it cannot be loaded.
        """
        return await self._worker.ready()

    async def speak(
        self, utterance: Utterance, *, speed: float = 1.0
    ) -> AsyncGenerator[bytes, None]:
        """Speak one sentence, after those requested before. Closing the generator stops it.

        Raises:
            BackendError: the engine failed or is not ready.
            RequestError: the engine cannot speak this request.
        """
        job = await self._begin(utterance, speed)
        try:
            while (pcm := await self._next(job)) is not None:
                yield pcm
            if job.error is not None:
                raise job.error
        finally:
            if not job.ended.is_set():
                self._cancel(job)

    async def _begin(self, utterance: Utterance, speed: float) -> _Job:
        """Wait for our turn and send the sentence to the worker. `_end_job` ends the turn."""
        await self._turn.acquire()
        try:
            await self.ready()
        except BaseException:
            self._turn.release()
            raise
        self._n_jobs += 1
        job = self._job = _Job(self._n_jobs)
        self._worker.send(
            Speak(
                job.number,
                utterance.text,
                utterance.voice,
                speed=speed,
                watermark=utterance.watermark,
                reference=utterance.reference,
                upcoming=utterance.upcoming,
            )
        )
        return job

    async def _next(self, job: _Job) -> bytes | None:
        if not job.audio.empty():
            return job.audio.get_nowait()
        try:
            return await within(self._clock, self._times.stall_s, job.audio.get())
        except TimeoutError:
            self._worker.kill()
            raise StreamStalledError(
                Translatable(
                    "The engine {target} produced no audio for {stall_s:g} s.",
                    target=self._spec.target,
                    stall_s=self._times.stall_s,
                )
            ) from None

    def _cancel(self, job: _Job) -> None:
        self._worker.send(Cancel(job.number))
        watcher = asyncio.create_task(self._end_if_stuck(job), name="worker-cancel")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _end_if_stuck(self, job: _Job) -> None:
        try:
            await within(self._clock, self._times.cancel_s, job.ended.wait())
        except TimeoutError:
            _LOGGER.warning("Engine %s does not stop; its process is ended", self._spec.target)
            self._worker.kill()

    def _end_job(self, error: BackendError | RequestError | None = None) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.end(error)
            self._turn.release()

    # --- Listener --------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        """Process a message of the worker."""
        match message:
            case Memory():
                self._memory = message
            case Audio() if self._job is not None and message.job == self._job.number:
                self._job.audio.put_nowait(message.pcm)
            case Finished() if self._job is not None and message.job == self._job.number:
                self._end_job()
            case Failed() if self._job is not None and message.job == self._job.number:
                self._end_job(message.error())
            case _:
                _LOGGER.debug("Not expected from the worker: %s", type(message).__name__)

    def on_gone(self, error: BackendError) -> None:
        """End the current sentence with this error."""
        self._end_job(error)
