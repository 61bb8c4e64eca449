"""The queue of long jobs: one speaks at a time, the oldest that can."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from vieneu_colab_server.relay.jobs.attempt import Announcements, FindReference, no_reference
from vieneu_colab_server.relay.jobs.board import JobBoard
from vieneu_colab_server.relay.jobs.errors import JobNotDoneError, JobStorageError
from vieneu_colab_server.relay.jobs.folder import present
from vieneu_colab_server.relay.jobs.job import Job, JobSpec, JobState
from vieneu_colab_server.relay.jobs.kept_reference import kept
from vieneu_colab_server.relay.jobs.plan import Plan, plan_of
from vieneu_colab_server.relay.jobs.room import check_room, check_waiting
from vieneu_colab_server.relay.jobs.script import parse_script
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.speaking import BackendAway
from vieneu_colab_server.relay.jobs.store import JobStore, new_job_id
from vieneu_colab_server.relay.jobs.worker import JobWorker
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.request_pace import RequestPace
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.threads import on_thread
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
_EXPIRY_CHECK_S = 3600.0
_AGAIN = {"state": JobState.QUEUED, "problem": None, "joining": False, "ended_at": None}


class JobQueue:
    """Long jobs of all clients. It runs between `start` and `aclose`, or as a context.

    Args:
        backend: Speaks; it is loaded and closed by others.
        store: Keeps the jobs; it is opened and closed here.
        clock: Of the pauses, and of the time after which ended jobs are removed.
        busy: Whether announcements wait or are being spoken, which go first. Jobs must not count.
        settings: Limits.
        pace: Spaces the requests to the remote backend; None: those of the jobs alone.
        find_reference: Finds the clips of uploaded voices. One that is gone after a restart is a
            voice that does not exist.
        backend_away: Whether a backend is away: it may have a voice that the others lack.
    """

    def __init__(  # noqa: PLR0913 - its parts, each once
        self,
        backend: Backend,
        store: JobStore,
        clock: Clock,
        busy: Callable[[], bool],
        settings: JobSettings | None = None,
        *,
        pace: RequestPace | None = None,
        find_reference: FindReference = no_reference,
        backend_away: BackendAway = lambda: False,
    ) -> None:
        self.settings = settings or JobSettings()
        """Limits."""
        self._store = store
        self._clock = clock
        self._board = JobBoard(self.settings.max_watchers)
        self._worker = JobWorker(
            board=self._board,
            store=store,
            backend=backend,
            clock=clock,
            announcements=Announcements(busy, clock, self.settings.busy_check_s),
            find_reference=find_reference,
            backend_away=backend_away,
            settings=self.settings,
            pace=pace or RequestPace(clock),
        )
        self._submitting = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._expiring: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the jobs that the last process left, where they were.

        Raises:
            ConfigurationError: another process uses the folder.
            JobStorageError: the folder cannot be used.
        """
        try:
            self._board.take(
                job if job.state.ended else job.model_copy(update=_AGAIN)
                for job in await on_thread(self._store.open)
            )
            await self._remove_expired()
        except BaseException:
            await on_thread(self._store.close)
            raise
        self._worker.start()
        self._expiring = asyncio.create_task(self._expire(), name="expiry of long jobs")

    async def aclose(self) -> None:
        """Stop, in the middle of a sentence too; the jobs go on at the next start."""
        if self._expiring is not None:
            self._expiring.cancel()
            await asyncio.wait([self._expiring])
        await self._worker.aclose()
        await on_thread(self._store.close)

    async def __aenter__(self) -> Self:
        """Start it; raises what `start` raises."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.aclose()

    # --- jobs ---------------------------------------------------------------------------------

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, the oldest first."""
        return self._board.jobs

    @property
    def n_by_state(self) -> Counter[JobState]:
        """Number of jobs by state."""
        return Counter(job.state for job in self.jobs)

    def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            JobNotFoundError: there is no such job.
        """
        return self._board.get(job_id)

    def watch(self, job_id: str, *, every_s: float) -> AsyncGenerator[Job, None]:
        """Follow a job: see `JobBoard.watch`."""
        return self._board.watch(job_id, every_s=every_s)

    async def submit(
        self,
        spec: JobSpec,
        text: str,
        reference: ReferenceAudio | None = None,
        *,
        owner: str = "",
    ) -> Job:
        """Add a job.

        Args:
            spec: What is asked for.
            text: The text.
            reference: Speaks what has no voice of its own, in the place of ``spec.voice``.
            owner: Stands for who asks for it.

        Raises:
            RequestError: the text or a field cannot be used.
            JobQuotaError: there is no room for one more of this owner.
            BackendBusyError: too many jobs wait.
            JobStorageError: there is no room for one more.
        """
        SynthesisRequest(text=text, voice=spec.voice, language=spec.language, speed=spec.speed)
        if reference is not None:
            spec = spec.model_copy(update={"has_reference": True, "voice": None})
        async with self._submitting:  # reading a text takes a processor: one at a time
            check_room(self.jobs, owner, self.settings)
            plan = await on_thread(self._plan, spec, text)
            job = Job(
                id=new_job_id(),
                spec=spec,
                owner=owner,
                n_sentences=len(plan.sentences),
                created_at=self._next_moment(),
            )
            clip = None if reference is None else await kept(reference)
            await on_thread(self._store.create, job, plan, clip)
            self._board.take([job])
        self._worker.wake()
        return job

    async def cancel(self, job_id: str) -> Job:
        """Stop a job that has not ended, and return it; one that has ended is as it was.

        Raises:
            JobNotFoundError: there is no such job.
        """
        async with self._changing:
            return await self._cancel(job_id)

    async def remove(self, job_id: str) -> None:
        """Remove a job and its files, whatever its state.

        Raises:
            JobNotFoundError: there is no such job.
            JobStorageError: its files cannot be removed.
        """
        async with self._changing:
            await self._cancel(job_id)
            await on_thread(self._store.remove, job_id)
            self._board.forget(job_id)

    async def retry(self, job_id: str) -> Job:
        """Let a job that has failed go on where it was.

        Raises:
            JobNotFoundError: there is no such job.
            JobNotDoneError: it has not failed.
            VieneuError: too many wait; see `check_waiting`.
            JobStorageError: that cannot be kept.
        """
        async with self._changing:
            job = self.get(job_id)
            if job.state is not JobState.FAILED:
                raise JobNotDoneError(
                    Translatable("The job is {state}.", state=job.state.value),
                    remedy="Only a job that has failed can be tried again.",
                )
            check_waiting(self.jobs, job.owner, self.settings)
            job = job.model_copy(update=_AGAIN)
            await on_thread(self._store.save, job)
            self._board.take([job])
        self._worker.wake()
        return job

    def audio(self, job_id: str) -> Path:
        """Return the path of the audio file.

        Raises:
            JobNotFoundError: there is no such job, or its file is gone.
            JobNotDoneError: it has no result.
        """
        return present(self._store.audio_path(self._done(job_id)))

    def subtitles(self, job_id: str) -> Path:
        """Return the path of the subtitles; raises what `audio` raises."""
        return present(self._store.subtitles_path(self._done(job_id).id))

    def _done(self, job_id: str) -> Job:
        job = self.get(job_id)
        if job.state is not JobState.DONE:
            raise JobNotDoneError(Translatable("The job is {state}.", state=job.state.value))
        return job

    async def _cancel(self, job_id: str) -> Job:
        if self.get(job_id).state.ended:
            return self.get(job_id)
        job = self._board.change(  # first: nothing that still runs may change it
            job_id, state=JobState.CANCELLED, ended_at=self._clock.now(), problem=None
        )
        await self._worker.stop(job_id)
        kept = await self._worker.save(job)
        await on_thread(self._store.finish, job_id)
        if not kept:  # now there is room
            await self._worker.save(job)
        return job

    def _next_moment(self) -> datetime:
        """Return the time, later than that of any job: by it they are in order after a restart."""
        latest = max(
            (job.created_at for job in self.jobs), default=datetime.min.replace(tzinfo=UTC)
        )
        return max(self._clock.now(), latest + timedelta(microseconds=1))

    def _plan(self, spec: JobSpec, text: str) -> Plan:
        script = parse_script(
            spec.kind,
            text,
            voice=spec.voice,
            voices=spec.voices,
            limits=self.settings,
            has_reference=spec.has_reference,
        )
        return plan_of(script, self.settings)

    # --- expiry -------------------------------------------------------------------------------

    async def _expire(self) -> None:
        while True:
            await self._clock.sleep(_EXPIRY_CHECK_S)
            await self._remove_expired()

    async def _remove_expired(self) -> None:
        moment = self._clock.now() - timedelta(days=self.settings.keep_days)
        for job in self.jobs:
            if job.expires_before(moment):
                try:
                    await self.remove(job.id)
                except JobStorageError as error:
                    _LOGGER.warning("The job %s is not removed: %s", job.id, error.detail)
