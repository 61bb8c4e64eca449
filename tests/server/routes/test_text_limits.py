"""Texts that are too long, or hold nothing to speak."""

from __future__ import annotations

from typing import Any

import pytest
from server_site import serving

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "a" * 101}, "text_too_long"),
        ({"text": ["a" * 60, "b" * 41]}, "text_too_long"),
        ({"text": ["", *[""] * 100]}, "text_too_long"),
        ({"text": ""}, "empty_text"),
        ({"text": []}, "empty_text"),
        ({"text": " \n "}, "empty_text"),
        ({"text": "\u0000\u0007"}, "empty_text"),
    ],
)
async def test_texts_that_are_not_spoken(
    backend: ScriptedBackend, body: dict[str, Any], code: str
) -> None:
    async with (
        serving(backend, max_text_chars=100) as site,
        site.post("/tts/stream", json=body) as response,
    ):
        assert (await site.problem(response)).code == code
        assert response.status == 422


async def test_the_longest_text_is_spoken(backend: ScriptedBackend) -> None:
    async with (
        serving(backend, max_text_chars=100) as site,
        site.post("/tts/synthesize", json={"text": "a" * 100}) as response,
    ):
        assert response.status == 200
