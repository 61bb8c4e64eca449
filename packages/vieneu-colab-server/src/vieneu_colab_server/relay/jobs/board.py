"""All jobs as they are now, and whoever follows one of them. Not what is done for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from vieneu_colab_server.relay.jobs.errors import JobNotFoundError
from vieneu_colab_server.relay.jobs.job import Job
from vieneu_core.errors import BackendBusyError

RETRY_AFTER_S = 60.0


class JobBoard:
    """The jobs by their ids, the oldest first.

    Args:
        max_watchers: Clients that may follow jobs, all together.
    """

    def __init__(self, max_watchers: int) -> None:
        self._max_watchers = max_watchers
        self._jobs: dict[str, Job] = {}
        self._watchers: dict[str, set[asyncio.Event]] = {}

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, the oldest first."""
        return tuple(self._jobs.values())

    @property
    def n_watchers(self) -> int:
        """Clients that follow jobs."""
        return sum(map(len, self._watchers.values()))

    def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            JobNotFoundError: there is no such job.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise JobNotFoundError("There is no job with this id.") from None

    def take(self, jobs: Iterable[Job]) -> None:
        """Add jobs, or publish how they are now."""
        for job in jobs:
            self._jobs[job.id] = job
            self._wake(job.id)

    def change(self, job_id: str, **changes: object) -> Job:
        """Change a job unless it has ended, publish it, and return it as it is now."""
        job = self.get(job_id)
        if not job.state.ended:
            job = job.model_copy(update=changes)
            self.take([job])
        return job

    def forget(self, job_id: str) -> None:
        """Remove a job; whoever follows it is at the end."""
        self._jobs.pop(job_id, None)
        self._wake(job_id)

    async def watch(self, job_id: str, *, every_s: float) -> AsyncGenerator[Job, None]:
        """Yield a job now, at each change, and at least so often; the last time when it has ended.

        Whoever reads slowly misses steps in between, and never the newest.

        Raises:
            JobNotFoundError: there is no such job.
            BackendBusyError: too many follow jobs already.
        """
        self.get(job_id)
        if self.n_watchers >= self._max_watchers:
            raise BackendBusyError("Too many clients follow jobs.", retry_after_s=RETRY_AFTER_S)
        changed = asyncio.Event()
        watchers = self._watchers.setdefault(job_id, set())
        watchers.add(changed)
        try:
            while (job := self._jobs.get(job_id)) is not None:
                changed.clear()
                yield job
                if job.state.ended:
                    return
                try:
                    async with asyncio.timeout(every_s):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            watchers.discard(changed)
            if not watchers:
                self._watchers.pop(job_id, None)

    def _wake(self, job_id: str) -> None:
        for changed in self._watchers.get(job_id, ()):
            changed.set()
