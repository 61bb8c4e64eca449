"""Supervisor of a worker process: loads its engine, and restarts it when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from vieneu_core.clock import Clock
from vieneu_core.engines.base import EngineInfo, LoadProgress
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotLoadedError,
    EngineError,
    ModelLoadError,
    WorkerDiedError,
    WorkerStartError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.worker.failed_starts import FailedStarts
from vieneu_core.worker.messages import Failed, Load, Loaded, Message, Progress, Receiver
from vieneu_core.worker.process_handle import WorkerProcess, within
from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerState, WorkerTimes

_LOGGER = logging.getLogger(__name__)
_LEAST_RETRY_S = 0.5


class WorkerSupervisor:
    """Runs at most one worker process at a time, on one event loop."""

    def __init__(
        self,
        spec: EngineSpec,
        receiver: Receiver,
        *,
        clock: Clock,
        restart: RestartPolicy,
        times: WorkerTimes,
    ) -> None:
        self._spec = spec
        self._receiver = receiver
        self._clock = clock
        self._restart = restart
        self._failed_starts = FailedStarts(restart)
        self._times = times
        self._state = WorkerState.STOPPED
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._process: WorkerProcess | None = None
        self._info: EngineInfo | None = None
        self._progress: LoadProgress | None = None
        self._failure = self._unexplained()
        self._since = self._next_start_at = 0.0
        self.load_took_s = 0.0
        """Seconds that the latest start of the engine took; 0 before the first."""
        self.n_restarts = 0
        """Times that a worker which had died was started again."""

    @property
    def state(self) -> WorkerState:
        """State of the worker."""
        return self._state

    @property
    def info(self) -> EngineInfo | None:
        """The loaded engine; still available while the worker is restarted."""
        return self._info

    @property
    def progress(self) -> LoadProgress | None:
        """Progress of loading; None if nothing is being loaded, or it is unknown."""
        return self._progress

    @property
    def pid(self) -> int | None:
        """Id of the worker process; None if there is none."""
        return None if self._process is None else self._process.pid

    @property
    def uptime_s(self) -> float | None:
        """Seconds since the worker became ready; None if it is not."""
        return self._clock.monotonic() - self._since if self._state is WorkerState.READY else None

    # --- start, stop, use ------------------------------------------------------------------

    async def start(self) -> None:
        """Start the worker and wait until its model is loaded; see `WorkerClient.start`."""
        while self._state in {WorkerState.STOPPED, WorkerState.FAILED}:
            if self._task is None or self._task.done():
                self._failed_starts.reset()
                self._failure = self._unexplained()
                self._become(WorkerState.LOADING)
                self._task = asyncio.create_task(self._supervise(), name="worker-supervisor")
            else:  # the previous one is about to end, or waits to start again
                if waking := self._state is WorkerState.FAILED:
                    self._task.cancel()
                await asyncio.wait((self._task,))
                if waking and self._state is WorkerState.STOPPED:  # stopped meanwhile
                    break
        await self._settled()
        self._usable()

    async def stop(self) -> None:
        """End the worker and wait for its process."""
        self._become(WorkerState.STOPPED)
        self._receiver.on_gone(BackendNotLoadedError("The engine was unloaded while it spoke."))
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._info = None

    async def ready(self, *, patient: bool = False) -> EngineInfo:
        """Return the engine; see `WorkerClient.ready`."""
        if patient:
            await self._settled()
        elif self._state.starting:
            wait_s = self._times.start_wait_s
            if self._state is WorkerState.RESTARTING:  # all requests wait until the same time
                wait_s -= self._clock.monotonic() - self._since
            with contextlib.suppress(TimeoutError):
                await within(self._clock, wait_s, self._settled())
        return self._usable()

    def send(self, message: Message) -> None:
        """Send a message to the worker. If it has ended, `Receiver.on_gone` is called."""
        if self._process is not None:
            self._process.send(message)

    def kill(self) -> None:
        """Kill the process; it is restarted as after any death."""
        if self._process is not None:
            self._process.kill()

    async def _settled(self) -> None:
        while self._state.starting:
            await self._changed.wait()

    def _usable(self) -> EngineInfo:
        if self._state.starting:
            retry_after_s = self._next_start_at - self._clock.monotonic() + self.load_took_s
            raise BackendLoadingError(
                Translatable("The engine {target} is being started.", target=self._spec.target),
                retry_after_s=max(retry_after_s, _LEAST_RETRY_S),
            )
        if self._state is WorkerState.FAILED:
            raise type(self._failure)(self._failure.detail, remedy=self._failure.remedy)
        if self._info is None or self._state is WorkerState.STOPPED:
            raise BackendNotLoadedError(
                Translatable("The engine {target} is not loaded.", target=self._spec.target)
            )
        return self._info

    def _unexplained(self) -> EngineError:
        return ModelLoadError(
            Translatable("The engine {target} could not be kept running.", target=self._spec.target)
        )

    def _become(self, state: WorkerState) -> None:
        self._state, self._since = state, self._clock.monotonic()
        self._changed.set()
        self._changed = asyncio.Event()

    # --- supervision -----------------------------------------------------------------------

    async def _supervise(self) -> None:
        """Run one worker after the other, until stopped or until loading fails permanently."""
        try:
            while True:
                delay_s = await self._run_and_count()
                self._next_start_at = self._clock.monotonic() + delay_s
                await self._clock.sleep(delay_s)
                if self._state is WorkerState.FAILED:
                    self._become(WorkerState.RESTARTING)
                self.n_restarts += 1
        except EngineError as error:
            self._failure = error
        except Exception:
            _LOGGER.exception("The supervisor of the engine %s failed", self._spec.target)
            raise
        finally:
            # Also if a bug ends this task: no request may wait for a worker that never comes.
            if self._state is not WorkerState.STOPPED:
                self._become(WorkerState.FAILED)

    async def _run_and_count(self) -> float:
        """Run one worker to its end, and return the seconds to wait before the next.

        Raises:
            EngineError: the model cannot be loaded.
        """
        self._next_start_at = started_at = self._clock.monotonic()
        self._failed_starts.begin()
        try:
            ended = await self._run_once()
            delay_s = self._failed_starts.after_s(self._clock.monotonic() - started_at)
        except EngineError as error:
            if self._restart.again_after_s is None or self._info is None:
                raise
            self._failure, ended, delay_s = error, error.detail, self._restart.again_after_s
            self._become(WorkerState.FAILED)  # who asks meanwhile learns why
        _LOGGER.warning("%s Next start in %g s.", ended, delay_s)
        return delay_s

    async def _run_once(self) -> str:
        """Run one worker to its end, and return a description of how it ended.

        Raises:
            EngineError: the model cannot be loaded.
        """
        try:
            process, loaded = await WorkerProcess.spawn(), False
        except WorkerStartError as error:  # what it lacks may be there again in a moment
            self._failed_starts.start_failed(error)
            return str(error)
        self._process = process
        try:
            loaded = await self._load(process)
            while loaded and (message := await process.receive()) is not None:
                self._info = message.info if isinstance(message, Loaded) else self._info
                self._receiver.on_message(message)
            if loaded:
                self._become(WorkerState.RESTARTING)
        except EngineError as error:
            if self._state is not WorkerState.RESTARTING:
                raise
            # It was loaded before: memory or a disk may be there again in a moment.
            self._failed_starts.start_failed(error, reported=True)
            return error.detail
        finally:
            # A process whose model still loads cannot respond, so it is killed. One that ended
            # by itself gets time until its exit status arrives.
            asked = loaded or self._state is not WorkerState.STOPPED
            await process.close(self._times.stop_s if asked else 0.0)
            self._process = None
        return self._died(process, loaded=loaded)

    async def _load(self, process: WorkerProcess) -> bool:
        """Load the engine; return False if the process died meanwhile.

        Raises:
            EngineError: the engine reports a failure, or takes too long.
        """
        began_at = self._clock.monotonic()
        process.send(Load(self._spec.target, self._spec.options))
        try:
            info = await self._loaded(process)
        except TimeoutError:
            why = Translatable(
                "The engine {target} was not loaded: it made no progress for {load_s:g} s.",
                target=self._spec.target,
                load_s=self._times.load_s,
            )
            raise ModelLoadError(why) from None
        finally:
            self._progress = None
        if info is None:
            return False
        self._info = info
        self._failed_starts.loaded()
        self.load_took_s = self._clock.monotonic() - began_at
        self._become(WorkerState.READY)
        return True

    async def _loaded(self, process: WorkerProcess) -> EngineInfo | None:
        # A download of a model may take as long as there is progress.
        while message := await within(self._clock, self._times.load_s, process.receive()):
            match message:
                case Loaded():
                    return message.info
                case Failed():
                    raise message.load_error()
                case Progress():
                    self._advance(message.now)
                case _:
                    self._receiver.on_message(message)
        return None

    def _advance(self, now: LoadProgress) -> None:
        if self._progress is None or self._progress.step != now.step:
            _LOGGER.info("Engine %s: %s", self._spec.target, now.step)
        self._progress = now

    def _died(self, process: WorkerProcess, *, loaded: bool) -> str:
        target, how, wrote = self._spec.target, process.how_it_ended(), process.last_line()
        ending = Translatable("The process of the engine {target} {how}", target=target, how=how)
        if loaded:
            # Its output may contain the text or a path: it is for the log only.
            reason = WorkerDiedError(Translatable("{ending} while it spoke.", ending=ending))
            self._receiver.on_gone(reason)
            return Translatable("{ending}. It wrote last: {line}.", ending=ending, line=wrote)
        ending = Translatable(
            "{ending} while it loaded. It wrote last: {line}.", ending=ending, line=wrote
        )
        # A model that ends its process would do so again; a kill from outside may not happen again.
        if self._state is WorkerState.LOADING and not process.was_killed:
            raise ModelLoadError(ending)
        self._failed_starts.start_failed(ModelLoadError(ending))
        return ending
