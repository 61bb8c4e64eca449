"""OpenAI's own client, of a server that runs in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI
from server_site import TOKEN, Site, serving

from vieneu_colab_server.relay.openai import openai_api
from vieneu_core.backends.base import Backend


@dataclass
class OpenAISite:
    """A server with OpenAI's API, and the client of it."""

    site: Site
    client: AsyncOpenAI


@asynccontextmanager
async def speaking(
    backend: Backend, *, api_key: str = TOKEN, send_timeout_s: float = 30.0, **settings: Any
) -> AsyncIterator[OpenAISite]:
    """Serve a backend; the client does not retry, so that each test sees each answer."""
    api = openai_api(send_timeout_s=send_timeout_s)
    async with (
        serving(backend, added=[api], **settings) as site,
        AsyncOpenAI(base_url=f"{site.url}/v1", api_key=api_key, max_retries=0) as client,
    ):
        yield OpenAISite(site, client)


async def read_into(received: list[Any], stream: AsyncIterator[Any]) -> None:
    """Read a stream to its end; where it fails, what came before that has been received."""
    async for part in stream:
        received.append(part)  # noqa: PERF401 - one by one, as they come


def events_of(body: bytes) -> list[dict[str, Any]]:
    """Decode server-sent events that hold nothing but data."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == "", "the last event is cut off"
    assert all(block.startswith("data: ") for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]
