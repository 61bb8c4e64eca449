"""Errors on the wire: RFC 9457 problem documents with a stable code.

The server sends ``code``; the client raises the class with that code and the server's text.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.errors import (
    BackendError,
    BadResponseError,
    InternalServerError,
    RequestError,
    VieneuError,
    error_class,
)
from vieneu_core.translatable import from_parts, parts_of

MAX_WORDS = 2_000
"""Longest detail or remedy that is sent or shown, in characters."""
LONGEST_RETRY_AFTER_S = 3_600.0
"""Longest accepted Retry-After; larger values are ignored."""


class ProblemParts(BaseModel):
    """Template and values of ``detail`` and ``remedy``, if they are a `Translatable`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    detail: dict[str, Any] | None = Field(
        default=None,
        examples=[
            {
                "template": "{where} has no voice {voice_id!r}. It has: {known}.",
                "values": {"where": "espeak", "voice_id": "ba", "known": "vi-north, vi-central"},
            }
        ],
    )
    remedy: dict[str, Any] | None = Field(default=None, examples=[None])


class Problem(BaseModel):
    """A problem document (RFC 9457) with our own members, beginning with ``code``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = Field(default="about:blank", examples=["urn:vieneu:problem:voice_not_found"])
    title: str = Field(examples=["Unknown voice"])
    status: int = Field(default=500, ge=100, le=599, examples=[404])
    detail: str = Field(examples=["espeak has no voice 'ba'. It has: vi-north, vi-central."])
    code: str = Field(examples=["voice_not_found"])
    remedy: str = Field(default="", examples=["Choose one of the voices listed."])
    retry_after_s: float | None = Field(default=None, examples=[None])
    parts: ProblemParts | None = None
    """Templates and values that clients need to translate the text."""


def to_problem(error: VieneuError, status: int) -> Problem:
    """Describe an error for the wire. It contains only our own texts: no stack, no path."""
    return Problem(
        type=f"urn:vieneu:problem:{error.code}",
        title=error.title,
        status=status,
        detail=sendable(error.detail[:MAX_WORDS]),
        parts=_parts_of(error),
        code=error.code,
        remedy=sendable(error.remedy[:MAX_WORDS]),
        retry_after_s=error.retry_after_s,
    )


def _parts_of(error: VieneuError) -> ProblemParts | None:
    parts = ProblemParts(detail=parts_of(error.detail), remedy=parts_of(error.remedy))
    if parts == ProblemParts():
        return None
    try:
        parts.model_dump_json()
    except ValueError:  # half of a surrogate pair; it is escaped in the text itself
        return None
    return parts


def sendable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def to_error(problem: Problem, *, backend: str) -> VieneuError:
    """Return the exception that the server reported.

    Only `RequestError` and `BackendError` classes can come from a server. A code that this
    version does not know becomes the nearest root by status: 4xx the caller's, else the server's.
    """
    cls = error_class(problem.code)
    detail, remedy = problem.detail[:MAX_WORDS], problem.remedy[:MAX_WORDS] or None
    if problem.parts is not None:
        detail = from_parts(detail, problem.parts.detail)
        remedy = remedy and from_parts(remedy, problem.parts.remedy)
    retry_after_s = _believed(problem.retry_after_s)
    if cls is not None and issubclass(cls, RequestError):
        return cls(detail, remedy=remedy, retry_after_s=retry_after_s)
    if cls is not None and issubclass(cls, BackendError):
        return cls(detail, remedy=remedy, retry_after_s=retry_after_s, backend=backend)
    if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestError(detail, remedy=remedy, retry_after_s=retry_after_s)
    return InternalServerError(detail, remedy=remedy, retry_after_s=retry_after_s, backend=backend)


def _believed(retry_after_s: float | None) -> float | None:
    """Return a pause that a server asks for; None where it is none, or would last for too long."""
    if retry_after_s is None or not 0.0 <= retry_after_s <= LONGEST_RETRY_AFTER_S:
        return None
    return retry_after_s


def parse_problem(body: bytes | dict[str, Any], *, backend: str) -> VieneuError:
    """Parse a problem document, and return its exception.

    Returns a `BadResponseError` if the body is not a problem document.
    """
    try:
        problem = (
            Problem.model_validate(body)
            if isinstance(body, dict)
            else Problem.model_validate_json(body)
        )
    except ValidationError:
        return BadResponseError("The server sent an error that cannot be read.", backend=backend)
    return to_error(problem, backend=backend)
