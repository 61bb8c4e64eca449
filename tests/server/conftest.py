"""Fixtures for the tests of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from access_lines import log  # noqa: F401 - a fixture, which pytest finds by name
from server_site import Site, serving

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.fixture
def backend() -> ScriptedBackend:
    """A backend that speaks tones."""
    return ScriptedBackend()


@pytest.fixture
async def site(
    backend: ScriptedBackend,
    no_leaks: None,  # noqa: ARG001 - it looks after the server has gone
) -> AsyncIterator[Site]:
    """A server of that backend, as it is by default."""
    async with serving(backend) as running:
        yield running
