"""The token is secret, whatever is asked."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from server_site import TOKEN, Site


async def test_the_token_is_in_no_log_line_and_no_answer(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/health", {}),
        ("GET", f"/health?token={TOKEN}", {}),
        ("GET", f"/{TOKEN}", {}),
        ("POST", "/tts/stream", {"json": {"text": "Một.", "request_id": TOKEN * 9}}),
        ("POST", "/tts/stream", {"json": {"text": ["Một."], "speed": TOKEN}}),
        ("POST", "/tts/stream", {"data": TOKEN}),
        ("GET", "/health", {"headers": {"Authorization": f"Basic {TOKEN}"}}),
        ("GET", "/health", {"headers": {"Authorization": f"Bearer x{TOKEN}"}}),
        ("GET", "/health", {"headers": {"Vieneu-Wire-Version": TOKEN}}),
    ]

    answers = []
    for method, path, fields in requests:
        async with site.session.request(method, site.url + path, **fields) as response:
            answers.append((str(response.headers), await response.text()))

    own = [r for r in caplog.records if r.name.startswith(("vieneu", "uvicorn", "fastapi"))]
    assert len(own) >= len(requests)
    assert not any(TOKEN in record.getMessage() + str(record.exc_info) for record in own)
    assert not any(TOKEN in header + text for header, text in answers)
