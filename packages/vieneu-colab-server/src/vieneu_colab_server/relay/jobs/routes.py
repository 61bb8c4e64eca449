"""Routes of long jobs, ``/jobs``: make, list, follow, fetch, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.responses import FileResponse, StreamingResponse

from vieneu_colab_server.openapi import READ_PROBLEMS, SPEECH_PROBLEMS, UNAVAILABLE, Responses
from vieneu_colab_server.relay.jobs.bodies import JobBody, body_of_form, body_of_json
from vieneu_colab_server.relay.jobs.errors import JobMediaTypeError
from vieneu_colab_server.relay.jobs.job import Job
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_core.errors import InvalidRequestError
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.wire.problem import Problem

ReadReference = Callable[[str | None, str | None], Awaitable[ReferenceAudio | None]]
"""Returns the reference audio of a sample and its transcript; None where there is none."""
JOBS = "/jobs"
_MAX_FIELDS = 16
_CHECK_S = 1.0
_QUIET_CHECKS = 15
"""A proxy closes a connection on which nothing comes for long, often after a minute."""
_NOT_STORED = {"Cache-Control": "private, no-store"}
_STREAMED = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_UNKNOWN: Responses = {
    404: {"model": Problem, "description": "No such job."},
    **READ_PROBLEMS,
}
_NOT_DONE: Responses = {
    409: {"model": Problem, "description": "The job is not in a state for that."},
    **_UNKNOWN,
}
_NOT_MADE: Responses = {
    429: {"model": Problem, "description": "Too many requests, or jobs of this token."},
    415: {"model": Problem, "description": "Neither JSON nor a form."},
    507: {"model": Problem, "description": "No room for one more job."},
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM_SCHEMA = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "kind": {"type": "string", "enum": ["text", "srt", "dialogue"]},
        "voices": {"type": "string", "description": "As JSON."},
        "voice_sample_path": {
            "type": "string",
            "format": "binary",
            "description": "Reference audio, as a file or as in JSON.",
        },
    },
    "additionalProperties": True,
    "description": "A file in the place of the text; the other fields as in JSON.",
}


class JobList(BaseModel):
    """Answer of ``GET /jobs``."""

    jobs: list[Job]
    """The oldest first, without their notes."""


def job_routes(
    queue: JobQueue,
    read_reference: ReadReference,
    *,
    owner_of: Callable[[Request], str] = lambda _: "",
    stopping: Callable[[], bool] = lambda: False,
) -> APIRouter:
    """Return the routes of long jobs.

    Args:
        queue: Has the jobs.
        read_reference: Checks and decodes the reference audio of a job.
        owner_of: Returns what stands for the token of a request.
        stopping: Whether the server is stopping: then nobody follows a job any longer.
    """
    router = APIRouter(tags=["jobs"])

    @router.post(
        JOBS,
        status_code=HTTPStatus.ACCEPTED,
        responses={**SPEECH_PROBLEMS, **_NOT_MADE},
        openapi_extra=_request_body(),
    )
    async def submit(request: Request, response: Response) -> Job:
        """Make a job of a text, subtitles or a dialogue, as JSON or as a form with a file."""
        body = await _body(request, queue.settings.max_script_bytes)
        reference = await read_reference(body.voice_sample_path, body.voice_transcript)
        job = await queue.submit(body.spec, body.script[1], reference, owner=owner_of(request))
        response.headers["Location"] = f"{JOBS}/{job.id}"
        return job

    @router.get(JOBS, responses=READ_PROBLEMS)
    async def jobs() -> JobList:
        """List all jobs, the oldest first, without their notes."""
        return JobList(jobs=[job.brief() for job in queue.jobs])

    @router.get(f"{JOBS}/{{job_id}}", responses=_UNKNOWN)
    async def job(job_id: str) -> Job:
        """Return one job as it is now."""
        return queue.get(job_id)

    @router.post(f"{JOBS}/{{job_id}}/retry", responses={**_NOT_DONE, **UNAVAILABLE})
    async def retry(job_id: str) -> Job:
        """Let a job that has failed go on where it was."""
        return await queue.retry(job_id)

    @router.delete(f"{JOBS}/{{job_id}}", status_code=HTTPStatus.NO_CONTENT, responses=_UNKNOWN)
    async def remove(job_id: str) -> None:
        """Cancel a job that has not ended; remove one that has, with its files."""
        if queue.get(job_id).state.ended:
            await queue.remove(job_id)
        else:
            await queue.cancel(job_id)

    @router.get(
        f"{JOBS}/{{job_id}}/events",
        responses={200: {"content": {"text/event-stream": {}}}, **_UNKNOWN},
        response_class=StreamingResponse,
    )
    async def events(job_id: str) -> StreamingResponse:
        """Follow a job as server-sent events: `progress` with the job, at last `end`."""
        followed = _events(queue.watch(job_id, every_s=_CHECK_S), stopping)
        first = await anext(followed)  # an error has its status only before the answer begins
        return StreamingResponse(
            _after(first, followed), media_type="text/event-stream", headers=_STREAMED
        )

    @router.get(
        f"{JOBS}/{{job_id}}/audio",
        responses={200: {"content": {"audio/mpeg": _BINARY}}, **_NOT_DONE},
        response_class=FileResponse,
    )
    async def audio(job_id: str) -> FileResponse:
        """Return the audio file; ranges of it too."""
        path, fmt = queue.audio(job_id), queue.get(job_id).spec.format
        name = f"vieneu-{job_id[:8]}.{fmt.value}"
        return FileResponse(path, media_type=fmt.media_type, filename=name, headers=_NOT_STORED)

    @router.get(
        f"{JOBS}/{{job_id}}/subtitles",
        responses={200: {"content": {"application/x-subrip": _BINARY}}, **_NOT_DONE},
        response_class=FileResponse,
    )
    async def subtitles(job_id: str) -> FileResponse:
        """Return the .srt of what was said when."""
        path, name = queue.subtitles(job_id), f"vieneu-{job_id[:8]}.srt"
        media_type = "application/x-subrip; charset=utf-8"
        return FileResponse(path, media_type=media_type, filename=name, headers=_NOT_STORED)

    return router


def _request_body() -> dict[str, Any]:
    # The other schemas that it names are those of the answer, which FastAPI describes.
    schema = JobBody.model_json_schema(ref_template="#/components/schemas/{model}")
    del schema["$defs"]
    schemas = {"application/json": schema, "multipart/form-data": _FORM_SCHEMA}
    content = {media_type: {"schema": schema} for media_type, schema in schemas.items()}
    return {"requestBody": {"required": True, "content": content}}


async def _body(request: Request, max_bytes: int) -> JobBody:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return await asyncio.to_thread(body_of_json, await request.body())
    if media_type != "multipart/form-data":
        raise JobMediaTypeError("The body is neither application/json nor multipart/form-data.")
    limits = {"max_files": 2, "max_fields": _MAX_FIELDS, "max_part_size": max_bytes}
    try:
        async with request.form(**limits) as form:
            return await body_of_form(form)
    except UnicodeError:  # in a charset that the request names, such as punycode
        raise InvalidRequestError("The form is not in the charset that it states.") from None


async def _events(
    jobs: AsyncGenerator[Job, None], stopping: Callable[[], bool]
) -> AsyncGenerator[bytes, None]:
    """Yield an event for each change, and now and then one without."""
    seen: Job | None = None
    n_quiet = 0
    async with aclosing(jobs):
        async for job in jobs:
            n_quiet = n_quiet + 1 if job == seen else 0
            if n_quiet % _QUIET_CHECKS == 0:
                seen = job
                name = "end" if job.state.ended else "progress"
                yield f"event: {name}\ndata: {job.model_dump_json()}\n\n".encode()
            if stopping():
                return


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event
