"""Errors in OpenAI's form: its statuses, types and codes where it has them, else our codes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from vieneu_colab_server.problems import ValidationProblem
from vieneu_colab_server.relay.openai.names import ModelNotFoundError
from vieneu_colab_server.relay.openai.schemas import ErrorAnswer, ErrorBody
from vieneu_core.errors import (
    AuthenticationError,
    EmptyTextError,
    NothingToSayError,
    RateLimitedError,
    TextTooLongError,
    UnpronounceableError,
    VoiceNotFoundError,
)
from vieneu_core.wire.problem import Problem

_STATUS_OF: Mapping[str, HTTPStatus] = {
    ModelNotFoundError.code: HTTPStatus.NOT_FOUND,
    VoiceNotFoundError.code: HTTPStatus.BAD_REQUEST,
}
_CODE_OF: Mapping[str, str] = {
    AuthenticationError.code: "invalid_api_key",
    RateLimitedError.code: "rate_limit_exceeded",
}
_PARAM_OF: Mapping[str, str] = {
    ModelNotFoundError.code: "model",
    VoiceNotFoundError.code: "voice",
    EmptyTextError.code: "input",
    NothingToSayError.code: "input",
    TextTooLongError.code: "input",
    UnpronounceableError.code: "input",
}


def openai_error(problem: Problem) -> tuple[int, Mapping[str, Any]]:
    """Return status and body of an answer."""
    return _status(problem), error_answer(problem).model_dump()


def error_answer(problem: Problem) -> ErrorAnswer:
    """Describe a problem as OpenAI describes errors."""
    return ErrorAnswer(
        error=ErrorBody(
            message=f"{problem.detail} {problem.remedy}".strip(),
            type=_type(problem.status),
            param=_PARAM_OF.get(problem.code) or _first_field(problem),
            code=_CODE_OF.get(problem.code, problem.code),
        )
    )


def _status(problem: Problem) -> int:
    if problem.code in _STATUS_OF:
        return _STATUS_OF[problem.code]
    if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return HTTPStatus.BAD_REQUEST
    return problem.status


def _type(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server_error"
    return "requests" if status == HTTPStatus.TOO_MANY_REQUESTS else "invalid_request_error"


def _first_field(problem: Problem) -> str | None:
    """Return the first field at fault; None where the body as a whole is."""
    if not isinstance(problem, ValidationProblem) or not problem.errors:
        return None
    field = problem.errors[0].field.partition(".")[0]
    return field if field.isidentifier() and field != "body" else None
