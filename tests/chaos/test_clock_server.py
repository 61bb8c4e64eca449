"""A server whose machine's calendar is set while it runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
from chaos import clock_server
from chaos.system import UNLIMITED
from guard import GUARD_S
from server_process import ServerHandle, running_server


async def asked(server: ServerHandle) -> tuple[datetime, float]:
    """Return the server's date, and the rest of its session in seconds."""
    async with (
        aiohttp.ClientSession(headers=server.headers) as session,
        session.get(f"{server.url}/health") as answer,
    ):
        health = await answer.json()
        return parsedate_to_datetime(answer.headers["Date"]), health["session_remaining_seconds"]


@pytest.mark.parametrize("days", [400, -1])
async def test_its_date_is_wrong_and_the_rest_of_its_session_is_not(
    tmp_path: Path, days: int
) -> None:
    offset_file = tmp_path / "offset"
    environ = UNLIMITED | {clock_server.OFFSET_FILE: str(offset_file)}
    async with running_server(
        "tone_engine:create",
        environ=environ,
        module=clock_server.MODULE,
    ) as server:
        before, left_before_s = await asked(server)
        clock_server.set_offset(offset_file, timedelta(days=days))
        after, left_s = before, left_before_s
        async with asyncio.timeout(GUARD_S):
            while abs(after - before) < timedelta(hours=1):  # uvicorn tells the time once a second
                after, left_s = await asked(server)

    assert abs(before - datetime.now(UTC)) < timedelta(hours=1)
    assert abs(after - before - timedelta(days=days)) < timedelta(hours=1)
    assert left_before_s - 3600 < left_s <= left_before_s
