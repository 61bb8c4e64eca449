"""Requests that our own programs make to watch a server are not counted as those of clients."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from access_lines import lines
from child_process import without_coverage
from fake_clock import FakeClock
from pydantic import SecretStr
from server_site import TOKEN, Site, serving
from waiting import until

from vieneu_colab_server.exposure import Exposure, PublicEvent
from vieneu_colab_server.tunnels.supervisor import CHECK_EVERY_S
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

DEPLOY = Path(__file__).parents[2] / "deploy"


class SiteServer:
    """The server of a test, as the one that is made public."""

    ends_at: datetime | None = None
    token = SecretStr(TOKEN)

    def __init__(self, site: Site) -> None:
        self.port = site.address[1]

    async def start(self) -> None:
        """It has started."""

    async def speak(self, request: SynthesisRequest) -> Speech:
        raise NotImplementedError


class OpenTunnel:
    """A tunnel whose public address leads to a port of this machine."""

    name = "open"

    def __init__(self) -> None:
        self.broken = asyncio.Event()
        self.n_openings = 0

    async def open(self, port: int) -> str:
        self.n_openings += 1
        return f"http://127.0.0.1:{port}"

    async def lost(self) -> str:
        await self.broken.wait()
        self.broken.clear()
        return "It broke."

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def public(site: Site, tunnel: OpenTunnel, clock: FakeClock) -> AsyncIterator[Exposure]:
    events: list[PublicEvent] = []
    exposure = Exposure(SiteServer(site), tunnel, notify=events.append, clock=clock)
    task = asyncio.create_task(exposure.keep())
    try:
        yield exposure
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_checks_of_the_public_address_are_no_requests_of_clients(
    log: pytest.LogCaptureFixture,
) -> None:
    clock, tunnel = FakeClock(), OpenTunnel()
    async with serving(ScriptedBackend()) as site, public(site, tunnel, clock) as exposure:
        await exposure.opened()
        assert _n_checks(log) == 1, "before it is published"

        tunnel.broken.set()
        await until(lambda: tunnel.n_openings == 2 and _n_checks(log) == 2)
        await until(lambda: exposure.url is not None)
        for n_checks in (3, 4):
            await clock.advance(CHECK_EVERY_S)
            await _until_checked(log, n_checks)

        traffic = site.service.traffic
        assert (traffic.n_requests, traffic.n_bytes) == (0, 0)
        async with site.get("/health") as answer:
            assert (await answer.json())["requests_served"] == 1


async def _until_checked(log: pytest.LogCaptureFixture, n_checks: int) -> None:
    await until(lambda: _n_checks(log) == n_checks)


def _n_checks(log: pytest.LogCaptureFixture) -> int:
    return sum("GET /health" in line for line in lines(log))


def _health_checks() -> dict[str, list[str]]:
    """Return the command of each container's health check, by its file."""
    found = {}
    for path in sorted(DEPLOY.glob("Containerfile*")):
        command = re.search(r"(?ms)^HEALTHCHECK.*?CMD (\[.*?\])$", path.read_text())
        assert command, path
        found[path.name] = json.loads(command[1])
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        if "healthcheck" in service:
            found[f"compose: {name}"] = shlex.split(service["healthcheck"]["test"])
    return found


@pytest.mark.parametrize("name", _health_checks())
async def test_the_health_check_of_a_container_is_none_either(name: str, tmp_path: Path) -> None:
    """It is made directly, also where the container has a proxy for what it downloads."""
    python, *arguments = _health_checks()[name]
    assert python.startswith("python")
    environ = without_coverage({"http_proxy": "http://127.0.0.1:9", "PATH": ""})
    async with serving(ScriptedBackend()) as site:
        asked = [part.replace("127.0.0.1:8000", site.url.split("//")[1]) for part in arguments]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *asked, cwd=tmp_path, env=environ
        )
        assert await process.wait() == 0

        assert site.service.traffic.n_requests == 0
