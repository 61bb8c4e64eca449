"""OpenAI's API in the OpenAPI document of the app."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import SecretStr
from server_site import TOKEN

from vieneu_colab_server.app import create_app
from vieneu_colab_server.relay.openai import openai_api
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.testing.scripted import ScriptedBackend


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    settings = ServerSettings(token=SecretStr(TOKEN))
    return create_app(settings, ScriptedBackend(), added=[openai_api(send_timeout_s=30)]).openapi()


def test_the_document_is_valid_and_describes_every_path(document: dict[str, Any]) -> None:
    validate(document)
    paths = {path: list(operations) for path, operations in document["paths"].items()}
    assert {path: names for path, names in paths.items() if path.startswith("/v1/")} == {
        "/v1/audio/speech": ["post"],
        "/v1/models": ["get"],
        "/v1/models/{model}": ["get"],
        "/v1/audio/models": ["get"],
        "/v1/audio/voices": ["get"],
    }


def test_its_errors_are_openais(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") else ():
            assert operation["description"]
            (content,) = operation["responses"]["default"]["content"].items()
            assert content[0] == "application/json"
            assert content[1]["schema"]["$ref"].endswith("/ErrorAnswer")
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_a_voice_is_a_name_or_an_object_with_its_id(document: dict[str, Any]) -> None:
    voice = document["components"]["schemas"]["SpeechBody"]["properties"]["voice"]

    assert [choice.get("type", choice.get("$ref")) for choice in voice["anyOf"]] == [
        "string",
        "#/components/schemas/VoiceReference",
    ]
