"""Fixtures for the tests of OpenAI's API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI
from openai_client import OpenAISite, speaking

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.fixture
async def openai_site(
    backend: ScriptedBackend,
    no_leaks: None,  # noqa: ARG001 - it checks after the server has ended
) -> AsyncIterator[OpenAISite]:
    """A server of that backend, with OpenAI's API."""
    async with speaking(backend) as running:
        yield running


@pytest.fixture
def client(openai_site: OpenAISite) -> AsyncOpenAI:
    """OpenAI's client of that server."""
    return openai_site.client
