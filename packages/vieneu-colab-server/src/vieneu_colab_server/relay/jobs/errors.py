"""Errors of long jobs."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from vieneu_core.errors import BackendUnavailableError, RequestError, VieneuError


class JobNotFoundError(RequestError):
    """There is no such job: its id is wrong, or it was removed."""

    code = "job_not_found"
    title = "Unknown job"
    default_remedy = "List the jobs; an ended job is removed after some days."
    http_status: ClassVar[HTTPStatus] = HTTPStatus.NOT_FOUND


class JobMediaTypeError(RequestError):
    """The body of a request for a job is of a kind that is not read."""

    code = "job_media_type"
    title = "Unknown kind of body"
    default_remedy = "Send JSON, or a form with a file."
    http_status: ClassVar[HTTPStatus] = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class JobNotDoneError(RequestError):
    """The job has no result, or none yet."""

    code = "job_not_done"
    title = "Job without a result"
    default_remedy = "Wait until its state is done."
    http_status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT


class JobStorageError(VieneuError):
    """The folder of the jobs has no room, or cannot be written to."""

    code = "job_storage"
    title = "No room for jobs"
    default_remedy = "Remove jobs that have ended, or free space on the disk."
    transient = True
    http_status: ClassVar[HTTPStatus] = HTTPStatus.INSUFFICIENT_STORAGE


class JobQuotaError(JobStorageError):
    """A token has as many jobs, or as much of the disk for them, as one token may have."""

    code = "job_quota"
    title = "Too many jobs of this token"
    default_remedy = "Wait until jobs of this token have ended, or remove those that have."
    http_status: ClassVar[HTTPStatus] = HTTPStatus.TOO_MANY_REQUESTS


class ChosenVoiceAwayError(BackendUnavailableError):
    """A fallback would speak, and the job waits for the voice that was chosen."""

    code = "chosen_voice_away"
    title = "Chosen voice not available"
    default_remedy = (
        "Nothing need be done: the job waits for the backend that has this voice, and goes on with "
        "the fallback voice if that takes too long."
    )


class DamagedJobError(VieneuError):
    """A file of the job is not as it was written."""

    code = "job_damaged"
    title = "Damaged job"
    default_remedy = "Remove the job and send its text again; check the disk."
