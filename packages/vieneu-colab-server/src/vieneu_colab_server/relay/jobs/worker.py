"""The worker of the queue: runs the jobs in turns, and keeps and publishes how far they are."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.relay.jobs.attempt import Announcements, FindReference
from vieneu_colab_server.relay.jobs.board import JobBoard
from vieneu_colab_server.relay.jobs.errors import JobStorageError
from vieneu_colab_server.relay.jobs.job import Job, JobState
from vieneu_colab_server.relay.jobs.job_run import JobRun
from vieneu_colab_server.relay.jobs.retries import JobRetries
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.speaking import BackendAway
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_colab_server.relay.jobs.turns import JobTurn, JobTurns
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.errors import InternalServerError, VieneuError
from vieneu_core.request_pace import RequestPace
from vieneu_core.threads import on_thread

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class JobWorker:
    """Runs the jobs of a board that have not ended, the oldest first.

    One speaks at a time; while it waits, for its backend for instance, the next ones do.
    """

    board: JobBoard
    store: JobStore
    backend: Backend
    clock: Clock
    announcements: Announcements
    find_reference: FindReference
    backend_away: BackendAway
    settings: JobSettings
    pace: RequestPace
    _added: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _turns: JobTurns = field(default_factory=JobTurns, init=False)
    _retries: JobRetries = field(init=False)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._retries = JobRetries(self.clock)

    def start(self) -> None:
        """Begin to run jobs."""
        self._task = asyncio.create_task(self._work(), name="long jobs")

    def wake(self) -> None:
        """Run a job that was added."""
        self._added.set()

    async def stop(self, job_id: str) -> None:
        """Stop a job if it runs; where it has not ended on the board, it begins anew."""
        if (running := self._running.get(job_id)) is not None:
            running.cancel()
            await asyncio.wait([running])

    async def aclose(self) -> None:
        """Stop, in the middle of a sentence too."""
        tasks = [self._task] if self._task is not None else []
        tasks.extend(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    async def save(self, job: Job) -> bool:
        """Keep a job, if that is possible; else a restart takes it up from an earlier state."""
        try:
            await on_thread(self.store.save, job)
        except JobStorageError as error:
            _LOGGER.warning("The state of job %s is not kept: %s", job.id, error.detail)
            return False
        return True

    async def _work(self) -> None:
        while True:
            self._added.clear()
            for job in self.board.jobs:
                if not job.state.ended and job.id not in self._running:
                    self._begin(job)
            await self._added.wait()

    def _begin(self, job: Job) -> None:
        running = asyncio.create_task(self._run(job), name=f"long job {job.id}")
        self._running[job.id] = running

        def ended(_: asyncio.Task[None]) -> None:
            del self._running[job.id]
            self._added.set()  # it may have been stopped before its end

        running.add_done_callback(ended)

    async def _run(self, job: Job) -> None:
        turn = self._turns.of((job.created_at, job.id))
        try:
            await turn.take()
            await self._job_run(job, turn).to_its_end()
            await on_thread(self.store.finish, job.id)
        except VieneuError as error:
            await self._fail(job.id, error)
        except Exception:
            _LOGGER.exception("The job %s failed.", job.id)
            await self._fail(job.id, InternalServerError("The job failed in an unexpected way."))
        finally:
            turn.release()

    def _job_run(self, job: Job, turn: JobTurn) -> JobRun:
        async def update(**changes: object) -> None:
            before = self.board.get(job.id)
            after = before.model_copy(update=changes)
            if before.state.ended or before == after:
                return
            if after.state is JobState.DONE:
                await on_thread(self.store.save, after)
            elif after.state is not before.state:
                await self.save(after)
            self.board.change(job.id, **changes)

        return JobRun(
            job=job,
            update=update,
            backend=self.backend,
            store=self.store,
            clock=self.clock,
            announcements=self.announcements,
            find_reference=self.find_reference,
            settings=self.settings,
            pace=self.pace,
            turn=turn,
            retries=self._retries,
            backend_away=self.backend_away,
        )

    async def _fail(self, job_id: str, error: VieneuError) -> None:
        """Show that a job has failed; what was spoken is kept, for another try."""
        _LOGGER.warning("The job %s failed: %s.", job_id, error.code)
        failed = self.board.change(
            job_id, state=JobState.FAILED, problem=problem_of(error), ended_at=self.clock.now()
        )
        await self.save(failed)
