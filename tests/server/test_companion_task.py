"""A task beside a server: cancelled with it, and heard of when it fails."""

from __future__ import annotations

import asyncio

import pytest
from guard import GUARD_S
from waiting import until

from vieneu_colab_server.companion_task import running_beside


async def test_a_failure_that_nobody_expected_is_logged_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing() -> None:
        raise LookupError("this one")

    async with asyncio.timeout(GUARD_S), running_beside(failing(), name="failing"):
        await until(lambda: "The task failing has failed" in caplog.text)
    assert "LookupError: this one" in caplog.text


async def test_the_end_cancels_it_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(GUARD_S), running_beside(asyncio.Event().wait(), name="x"):  # type: ignore[arg-type]  # its result counts for nothing
        await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "x"]
    assert caplog.text == ""
