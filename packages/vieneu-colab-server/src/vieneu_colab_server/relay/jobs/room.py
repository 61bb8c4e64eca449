"""Room in the queue: how many jobs there may be, in all and of one token."""

from __future__ import annotations

from collections.abc import Sequence

from vieneu_colab_server.relay.jobs.board import RETRY_AFTER_S
from vieneu_colab_server.relay.jobs.errors import JobQuotaError, JobStorageError
from vieneu_colab_server.relay.jobs.job import Job
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_core.errors import BackendBusyError
from vieneu_core.translatable import Translatable


def check_room(jobs: Sequence[Job], owner: str, limits: JobSettings) -> None:
    """Make sure that there is room for one more job of an owner.

    Raises:
        JobQuotaError: the owner has too many.
        BackendBusyError: too many wait.
        JobStorageError: too many are kept.
    """
    check_waiting(jobs, owner, limits)
    own = _of(owner, jobs)
    if len(own) >= limits.max_jobs_per_token:
        raise JobQuotaError(
            Translatable("{n_jobs} jobs of this token are kept.", n_jobs=len(own)),
            remedy="Remove some that have ended.",
        )
    if len(jobs) >= limits.max_jobs:
        raise JobStorageError(Translatable("{n_jobs} jobs are kept.", n_jobs=len(jobs)))


def check_waiting(jobs: Sequence[Job], owner: str, limits: JobSettings) -> None:
    """Make sure that one more job of an owner may wait.

    Raises:
        JobQuotaError: too many of the owner's wait.
        BackendBusyError: too many wait.
    """
    if (n_jobs := _n_waiting(_of(owner, jobs))) >= limits.max_waiting_per_token:
        raise JobQuotaError(
            Translatable("{n_jobs} jobs of this token are waiting already.", n_jobs=n_jobs),
            retry_after_s=RETRY_AFTER_S,
        )
    if (n_jobs := _n_waiting(jobs)) >= limits.max_waiting:
        raise BackendBusyError(
            Translatable("{n_jobs} jobs are waiting already.", n_jobs=n_jobs),
            retry_after_s=RETRY_AFTER_S,
        )


def _of(owner: str, jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.owner == owner]


def _n_waiting(jobs: Sequence[Job]) -> int:
    return sum(not job.state.ended for job in jobs)
