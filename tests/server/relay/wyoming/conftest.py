"""Fixtures for the tests of the Wyoming server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from wyoming.client import AsyncClient
from wyoming_site import WyomingSite, serving_wyoming

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.fixture
async def wyoming(
    backend: ScriptedBackend,
    no_leaks: None,  # noqa: ARG001 - it looks after the server has gone
) -> AsyncIterator[WyomingSite]:
    """A Wyoming server of the backend, as it is by default."""
    async with serving_wyoming(backend) as site:
        yield site


@pytest.fixture
async def client(wyoming: WyomingSite) -> AsyncIterator[AsyncClient]:
    """A client that is connected to it."""
    async with wyoming.client() as client:
        yield client
