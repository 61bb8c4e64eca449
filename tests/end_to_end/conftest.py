"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from server_process import running_server
from system_rig import SUPPORT, TONES, OpenSystem, SystemRig, open_rig


@pytest.fixture(autouse=True)
def tones_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes find the tone engine where the tests are."""
    path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture
async def rigs(no_leaks: None) -> AsyncIterator[OpenSystem]:  # noqa: ARG001 - closed before it looks
    """Open houses that are closed at the end of the test; each server ends with its house."""
    async with AsyncExitStack() as stack:

        async def open_one(environ: dict[str, str] | None = None, **fields: object) -> SystemRig:
            running = running_server(TONES, environ=environ)
            server = await stack.enter_async_context(running)
            rig = open_rig(server=server, **fields)  # type: ignore[arg-type]
            return await stack.enter_async_context(rig)

        yield open_one
