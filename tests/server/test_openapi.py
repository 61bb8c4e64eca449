"""The API describes itself completely, and truly."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import SecretStr
from server_site import TOKEN, Site

from vieneu_colab_server.app import create_app
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.schemas import SynthesisBody


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = create_app(ServerSettings(token=SecretStr(TOKEN)), ScriptedBackend())
    assert app.openapi() is app.openapi(), "made once"
    return app.openapi()


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_path_is_described(document: dict[str, Any]) -> None:
    assert {path: sorted(operations) for path, operations in document["paths"].items()} == {
        "/tts/synthesize": ["post"],
        "/tts/stream": ["post"],
        "/voices": ["get", "post"],
        "/voices/{voice_id}": ["delete"],
        "/health": ["get"],
        "/admin/rotate-token": ["post"],
        "/admin/drain": ["delete", "post"],
        "/livez": ["get"],
        "/readyz": ["get"],
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]


def test_only_the_probes_are_open(document: dict[str, Any]) -> None:
    open_paths = {
        path
        for path, operations in document["paths"].items()
        if all(operation.get("security") == [] for operation in operations.values())
    }

    assert document["security"] == [{"token": []}]
    assert open_paths == {"/livez", "/readyz"}


def test_errors_are_problem_documents(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and operation.get("security") != []:
                    assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_examples_are_valid_requests(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["SynthesisBody"]
    example = {
        name: field["examples"][0]
        for name, field in schema["properties"].items()
        if "examples" in field
    }

    assert SynthesisBody.model_validate(example).text == "Xin chào, hôm nay trời đẹp."


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("post", "/tts/synthesize", {"json": {"text": "Một."}}),
        ("post", "/tts/stream", {"json": {"text": "Một."}}),
        ("post", "/tts/stream", {"json": {"text": ""}}),
        ("post", "/tts/stream", {"json": {"text": "a", "voice": "?"}}),
        ("post", "/tts/stream", {"json": {"text": "a"}, "headers": {"Accept": "image/png"}}),
        ("post", "/tts/stream", {"data": io.BytesIO(b"x" * 3_000_000)}),
        ("get", "/voices", {}),
        ("get", "/health", {}),
        ("get", "/health", {"headers": {"Authorization": "Bearer x"}}),
        ("get", "/health", {"headers": {"Vieneu-Wire-Version": "7.0"}}),
        ("get", "/readyz", {}),
    ],
)
async def test_real_answers_have_a_status_and_a_type_that_are_described(
    site: Site, document: dict[str, Any], method: str, path: str, fields: dict[str, Any]
) -> None:
    async with site.session.request(method, site.url + path, **fields) as response:
        described = document["paths"][path][method]["responses"][str(response.status)]

    assert response.content_type in described["content"]


async def test_the_document_is_served_to_who_has_the_token(site: Site) -> None:
    async with site.get("/openapi.json") as response:
        assert (await response.json())["info"]["title"] == "VieNeu speech server"
