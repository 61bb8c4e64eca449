"""Real servers for the benchmarks, without limits that would affect the results."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from server_process import ServerHandle, running_relay, running_server

NO_LIMITS = {
    "VIENEU_SERVER_REQUESTS_PER_MINUTE": "1000000",
    "VIENEU_SERVER_LOOKS_PER_MINUTE": "1000000",
    "VIENEU_SERVER_MAX_CONCURRENT": "32",
    "VIENEU_SERVER_MAX_QUEUE": "64",
}
TONES = "tone_engine:create"


@asynccontextmanager
async def server(
    engine: str = "espeak", *, options: Mapping[str, object] | None = None
) -> AsyncGenerator[ServerHandle, None]:
    """Run one server in a process of its own."""
    async with running_server(engine, options=options, environ=NO_LIMITS) as handle:
        yield handle


@asynccontextmanager
async def relay(folder: Path) -> AsyncGenerator[ServerHandle, None]:
    """Run one relay with the embedded voice in a process of its own."""
    async with running_relay(folder, environ=NO_LIMITS) as handle:
        yield handle


def address(handle: ServerHandle) -> tuple[str, int]:
    """Return host and port of a server."""
    host, port = handle.url.removeprefix("http://").rsplit(":", 1)
    return host, int(port)
