"""The one table: exception class to HTTP status; and problem documents (RFC 9457) as answers.

Another API on the same app may have its errors in a form of its own: see `use_error_form`.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from vieneu_core import errors
from vieneu_core.errors import InternalServerError, InvalidRequestError, RequestError, VieneuError
from vieneu_core.i18n import DEFAULT_LANGUAGE, best_language, error_text, translated
from vieneu_core.translatable import Translatable, from_parts, joined
from vieneu_core.validation import reason_of
from vieneu_core.wire.problem import Problem, ProblemParts, to_problem
from vieneu_core.wire.routes import PROBLEM_JSON, REQUEST_ID_HEADER, WIRE_VERSION_HEADER
from vieneu_core.wire.version import WIRE_VERSION

_LOGGER = logging.getLogger(__name__)
MAX_FIELD_ERRORS = 10

STATUS_OF: Mapping[type[VieneuError], HTTPStatus] = {
    errors.VieneuError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.AddressUpdateError: HTTPStatus.FORBIDDEN,
    errors.RequestError: HTTPStatus.BAD_REQUEST,
    errors.EmptyTextError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TextTooLongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.VoiceNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ReferenceAudioError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.CloningUnsupportedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.WatermarkUnavailableError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RequestConflictError: HTTPStatus.CONFLICT,
    errors.BackendError: HTTPStatus.BAD_GATEWAY,
    errors.BackendUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.BackendTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    errors.AuthenticationError: HTTPStatus.UNAUTHORIZED,
    errors.AdminTokenRequiredError: HTTPStatus.FORBIDDEN,
    errors.WireVersionError: HTTPStatus.UPGRADE_REQUIRED,
    errors.InternalServerError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.EngineError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnpronounceableError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ModelLoadError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AllBackendsFailedError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""A class that is not listed has the status of its nearest listed base class."""


class FieldError(BaseModel):
    """An invalid field."""

    field: str = Field(examples=["speed"])
    message: str = Field(examples=["Input should be less than or equal to 2"])


class ValidationProblem(Problem):
    """A problem document that lists the invalid fields."""

    errors: list[FieldError] = Field(default_factory=list)


ErrorForm = Callable[[Problem], tuple[int, Mapping[str, Any]]]
"""Makes status and JSON body of an answer from a problem document."""


class ProblemResponse(Response):
    """A problem document as an answer, or what the `ErrorForm` of the path makes of it."""

    def __init__(self, problem: Problem, headers: Mapping[str, str]) -> None:
        self.problem = problem
        super().__init__(
            problem.model_dump_json(exclude_none=True),
            status_code=problem.status,
            media_type=PROBLEM_JSON,
            headers=headers,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if getattr(scope["app"].state, "translates_problems", False):
            self._translate(Headers(scope=scope).get("accept-language", ""))
        if (form := _error_form(scope)) is not None:
            self.status_code, content = form(self.problem)
            self.body = json.dumps(content).encode()
            self.headers["Content-Type"] = "application/json"
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)

    def _translate(self, language: str) -> None:
        problem = translated_problem(self.problem, best_language(language))
        if problem is not self.problem:
            self.problem = problem
            self.body = self.render(problem.model_dump_json(exclude_none=True))
            self.headers["Content-Length"] = str(len(self.body))


def translate_problems(app: FastAPI) -> None:
    """Write the problem documents of an app in the language that ``Accept-Language`` begins with.

    For apps whose clients are people's browsers: programs translate the template themselves.
    """
    app.state.translates_problems = True


def translated_problem(problem: Problem, language: str) -> Problem:
    """Return a problem document with its texts in a language; itself for English."""
    if language == DEFAULT_LANGUAGE:
        return problem
    parts = problem.parts or ProblemParts()
    remedy = from_parts(problem.remedy, parts.remedy)
    texts = error_text(problem.code, remedy, language)
    return problem.model_copy(
        update={
            "title": texts.title if texts else translated(problem.title, language),
            "detail": str(translated(from_parts(problem.detail, parts.detail), language)),
            "remedy": str(texts.remedy if texts else translated(remedy, language)),
            "parts": None,  # they are those of the English text
        }
    )


def use_error_form(app: FastAPI, prefix: str, form: ErrorForm) -> None:
    """Write the errors of all paths of an app that begin with a prefix in another form."""
    known: dict[str, ErrorForm] = getattr(app.state, "error_forms", {})
    app.state.error_forms = {**known, prefix: form}


def _error_form(scope: Scope) -> ErrorForm | None:
    forms: dict[str, ErrorForm] = getattr(scope["app"].state, "error_forms", {})
    return next((forms[prefix] for prefix in forms if scope["path"].startswith(prefix)), None)


def status_of(error: VieneuError) -> HTTPStatus:
    """Return the status for an error; a class of one part of the server states its own."""
    own: HTTPStatus | None = getattr(error, "http_status", None)
    return own or next(STATUS_OF[cls] for cls in type(error).__mro__ if cls in STATUS_OF)


def problem_of(error: VieneuError) -> Problem:
    """Return the problem document for an error."""
    return to_problem(error, status_of(error))


def problem_response(error: VieneuError) -> Response:
    """Return the response for an error."""
    headers = {"WWW-Authenticate": "Bearer"} if status_of(error) == HTTPStatus.UNAUTHORIZED else {}
    return _respond(problem_of(error), headers)


def _respond(problem: Problem, headers: Mapping[str, str]) -> Response:
    own = {"Cache-Control": "no-store", WIRE_VERSION_HEADER: WIRE_VERSION}
    if problem.retry_after_s is not None:
        own["Retry-After"] = str(max(1, math.ceil(problem.retry_after_s)))
    return ProblemResponse(problem, {**headers, **own})


def field_errors(found: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Describe a validator's errors, without the invalid input."""
    return [
        FieldError(field=_field(error["loc"]), message=str(error["msg"])[:200])
        for error in islice(found, MAX_FIELD_ERRORS)
    ]


def _field(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location[1:])[:100] or "body"


def add_error_handlers(app: FastAPI) -> None:
    """Turn every failure of an app into a problem document."""
    app.exception_handler(VieneuError)(_on_vieneu_error)
    app.exception_handler(RequestValidationError)(_on_invalid_body)
    app.exception_handler(HTTPException)(on_http_error)
    app.exception_handler(Exception)(_on_unexpected)


async def _on_vieneu_error(request: Request, error: VieneuError) -> Response:
    _LOGGER.info("Answered with %s (%d).", error.code, status_of(error))
    response = problem_response(error)
    if request_id := getattr(request.state, "request_id", None):
        response.headers[REQUEST_ID_HEADER] = request_id
    return response


async def _on_invalid_body(_: Request, error: RequestValidationError) -> Response:
    details = error.errors()[:MAX_FIELD_ERRORS]
    reasons = [joined(": ", (_field(each["loc"]), reason_of(each))) for each in details]
    problem = problem_of(
        InvalidRequestError(
            Translatable("The request body is wrong. {detail}.", detail=joined("; ", reasons))
        )
    )
    return _respond(ValidationProblem(**problem.model_dump(), errors=field_errors(details)), {})


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """Return the response for the framework's errors: unknown path or method, invalid body."""
    own: VieneuError = InvalidRequestError(str(error.detail))
    if error.status_code in _MESSAGES:
        own = RequestError(_MESSAGES[error.status_code])
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return _respond(to_problem(own, error.status_code), headers)


def _methods_of(request: Request) -> set[str]:
    """Return the methods of all routes of a path; the framework knows those of the first alone."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


_MESSAGES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not support that method.",
}


async def _on_unexpected(_request: Request, _error: Exception) -> Response:
    """Return a response without the cause; the framework raises it again, so that it is logged."""
    return problem_response(InternalServerError("The server failed unexpectedly."))
