"""A wrong field of a request is named, in the language of the reader."""

from __future__ import annotations

from typing import Any

import pytest
from server_site import Site

from vieneu_core.i18n import translated
from vieneu_core.wire.problem import to_error


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": 7}, "text"),
        ({"text": ["a", 7]}, "text"),
        ({"text": "a", "speed": 2.1}, "speed"),
        ({"text": "a", "speed": "fast"}, "speed"),
        ({"text": "a", "speed": float("nan")}, "speed"),
        ({"text": "a", "watermark": []}, "watermark"),
        ({"text": "a", "watermark": 0}, "watermark"),
        ({"text": "a", "watermark": "no"}, "watermark"),
        ({"text": "a", "replaceable": 1}, "replaceable"),
        ({"text": "a", "speed": "1.5"}, "speed"),
        ({"text": "a", "speed": True}, "speed"),
        ({"text": "a", "first_audio_within_s": "3"}, "first_audio_within_s"),
        ({"text": "a", "request_id": ""}, "request_id"),
        ({"text": "a", "request_id": "x\n"}, "request_id"),
        ({"text": "a", "request_id": "ế"}, "request_id"),
        ({"text": "a", "first_audio_within_s": 0}, "first_audio_within_s"),
        ({"text": "a", "language": "x" * 36}, "language"),
    ],
)
async def test_a_wrong_field_is_named(site: Site, body: dict[str, Any], field: str) -> None:
    async with site.post("/tts/synthesize", json=body) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["code"]) == (422, "invalid_request")
    assert {error["field"].partition(".")[0] for error in problem["errors"]} == {field}
    assert field in problem["detail"]


async def test_wrong_fields_are_described_in_the_language_of_the_reader(site: Site) -> None:
    async with site.post(
        "/tts/synthesize", json={"text": "a", "voice": 7, "speed": "x"}
    ) as response:
        problem = await site.problem(response)

    error = to_error(problem, backend="remote")
    assert error.detail == (
        "The request body is wrong. voice: it must be text; speed: it must be a number."
    )
    assert translated(error.detail, "vi") == (
        "Nội dung yêu cầu sai. voice: phải là chuỗi ký tự; speed: phải là một số."
    )
