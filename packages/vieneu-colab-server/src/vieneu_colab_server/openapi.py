"""The OpenAPI document: problem documents, token, and open paths."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from vieneu_colab_server.problems import ValidationProblem
from vieneu_core.wire.problem import Problem
from vieneu_core.wire.routes import OPEN_PATHS, PROBLEM_JSON, WIRE_VERSION_HEADER

Responses = dict[int | str, dict[str, Any]]


def _problem(description: str, model: type[Problem] = Problem) -> dict[str, Any]:
    return {"model": model, "description": description}


_REF = "#/components/schemas/{model}"
_ANY_PROBLEM: dict[str, Any] = {
    "description": "A failure: what it is, and what to do.",
    "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model=ValidationProblem.__name__)}}},
}

READ_PROBLEMS: Responses = {
    401: _problem("The token is missing or wrong."),
    426: _problem("Client and server speak different wire versions."),
    429: _problem("Too many requests, or too many wrong tokens; see Retry-After."),
    500: _problem("The server or its engine failed."),
}
UNAVAILABLE: Responses = {
    502: _problem("The backend behind this server cannot be reached."),
    503: _problem("Loading, busy, or shutting down; see Retry-After."),
    504: _problem("No audio within the time limit."),
}
SPEECH_PROBLEMS: Responses = {
    400: _problem("The request is wrong."),
    404: _problem("No such voice."),
    409: _problem("The request id is in use for another request."),
    413: _problem("The body is too large."),
    422: _problem("A field, the text or the reference audio cannot be used.", ValidationProblem),
    **READ_PROBLEMS,
    **UNAVAILABLE,
}


def install_openapi(app: FastAPI) -> None:
    """Complete the OpenAPI document of an app."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _complete(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # the way that FastAPI documents


def _complete(document: dict[str, Any]) -> None:
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"token": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in OPEN_PATHS:
                operation["security"] = []
            for status, response in operation["responses"].items():
                _complete_response(int(status) if status.isdigit() else 0, response)


def _complete_response(status: int, response: dict[str, Any]) -> None:
    headers = response.setdefault("headers", {})
    headers[WIRE_VERSION_HEADER] = {
        "description": "Wire version of the server.",
        "schema": {"type": "string"},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = {
            "description": "Seconds to wait.",
            "schema": {"type": "integer"},
        }
    content = response.get("content", {})
    if status >= HTTPStatus.BAD_REQUEST and "Problem" in str(content.get("application/json")):
        content[PROBLEM_JSON] = content.pop("application/json")


def describe_problems(app: FastAPI) -> None:
    """Let an app's document describe every failure of each operation as a problem document.

    For an app whose operations can fail in the same ways. FastAPI itself describes a body that is
    wrong, in another form than ours.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            problem = ValidationProblem.model_json_schema(ref_template=_REF)
            schemas |= problem.pop("$defs", {})
            schemas[ValidationProblem.__name__] = problem
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = _ANY_PROBLEM
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # the way that FastAPI documents
