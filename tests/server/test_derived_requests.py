"""Requests that schemathesis derives from the OpenAPI document are answered as it describes."""

from __future__ import annotations

from pathlib import Path

import pytest
from derived_requests import LIMITS, derived
from server_site import TOKEN, serving

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.mark.parametrize(
    ("token", "clones"),
    [(TOKEN, True), (TOKEN, False), ("a-wrong-token-of-some-length", True)],
)
async def test_each_answer_is_one_that_is_described(
    tmp_path: Path, token: str, *, clones: bool
) -> None:
    backend = ScriptedBackend(clones=clones)
    async with serving(backend, **LIMITS) as site:
        document = tmp_path / "openapi.json"
        async with site.get("/openapi.json") as answer:
            document.write_bytes(await answer.read())

        status, printed = await derived(document, site.url, token)

        assert status == 0, printed
        assert bool(backend.record.requests) is (token == TOKEN), "the right one speaks"
