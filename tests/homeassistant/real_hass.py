"""A real Home Assistant in a process of its own, set up over its API as its pages do it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
USER, PASSWORD = "admin", "a-password-for-tests"
CONFIGURATION = """
api:
config:
onboarding:
media_source:
media_player:
  - platform: tape
logger:
  default: warning
  logs:
    homeassistant.components.vieneu: debug
"""
ONBOARDING = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}


@dataclass
class Running:
    """A process of Home Assistant, and who reads its log."""

    process: asyncio.subprocess.Process
    reading: asyncio.Task[None]


@dataclass
class Hass:
    """A running Home Assistant, and an admin who is logged in."""

    url: str
    config: Path
    running: Running
    session: aiohttp.ClientSession
    log: list[str] = field(default_factory=list)

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, **data: Any) -> Any:
        async with self.session.post(self.url + path, json=data) as answer:
            assert answer.status in {200, 201}, await answer.text()
            return await answer.json()

    async def act(self, action: str, **data: Any) -> Any:
        domain, _, name = action.partition(".")
        return await self.post(f"/api/services/{domain}/{name}", **data)

    async def state(self, entity_id: str) -> str:
        found: str = (await self.get(f"/api/states/{entity_id}"))["state"]
        return found

    async def until(self, entity_id: str, wanted: str) -> None:
        async with asyncio.timeout(60):
            while (await self.state(entity_id)) != wanted:
                await asyncio.sleep(0.1)

    async def flow(self, *steps: dict[str, Any], entry: str | None = None) -> Any:
        """Go through the dialog that adds the integration, or reconfigures an entry of it."""
        path = "/api/config/config_entries/flow"
        of_entry = {} if entry is None else {"entry_id": entry}
        result = await self.post(path, handler="vieneu", **of_entry)
        for step in steps:
            result = await self.post(f"{path}/{result['flow_id']}", **step)
        return result

    async def until_running(self) -> None:
        async with asyncio.timeout(90):
            while (await self._phase()) != "RUNNING":
                await asyncio.sleep(0.1)

    async def _phase(self) -> str | None:
        try:
            found: str = (await self.get("/api/config"))["state"]
        except aiohttp.ClientError:
            return None
        return found

    async def restart(self) -> None:
        """End it, and start it again with all that it has kept."""
        await self.stop()
        port = int(self.url.rpartition(":")[2])
        self.running = await _start(self.config, port, self.log)
        await self.until_running()

    async def stop(self) -> None:
        """End it; the log is whole then."""
        process = self.running.process
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
        await self.running.reading

    async def issues(self) -> set[str]:
        """Return the repairs that an admin sees."""
        answer = await self.command("repairs/list_issues")
        return {i["issue_id"] for i in answer["issues"] if i["domain"] == "vieneu"}

    async def notifications(self) -> list[Any]:
        """Return what of ours is behind the bell."""
        found: list[Any] = await self.command("persistent_notification/get")
        return [each for each in found if each["notification_id"].startswith("vieneu")]

    async def happened(self) -> str:
        """Return what the event entity told last."""
        state = await self.get("/api/states/event.vieneu_backend_event")
        kind: str = state["attributes"]["event_type"]
        return kind

    async def command(self, kind: str, **data: Any) -> Any:
        """Ask by WebSocket, as the pages do."""
        token = self.session.headers["Authorization"].partition(" ")[2]
        async with self.session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": kind, **data})
            answer = await socket.receive_json()
            assert answer["success"], answer
            return answer["result"]


@asynccontextmanager
async def running_hass(
    folder: Path, *, configuration: str = CONFIGURATION, component: bool = True
) -> AsyncIterator[Hass]:
    """Start it on an empty configuration with the component, and go through its first page."""
    (folder / "configuration.yaml").write_text(configuration)
    (folder / ".storage").mkdir()
    (folder / ".storage/onboarding").write_text(json.dumps(ONBOARDING))
    for own in ("tape", "pulse"):
        shutil.copytree(HERE / own, folder / "custom_components" / own)
    if component:
        await install(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", list[str]()
    running = await _start(folder, port, log)
    async with aiohttp.ClientSession() as session:
        hass = Hass(url, folder, running, session, log)
        try:
            token = await _onboarded(url, running.process, log)
            session.headers["Authorization"] = f"Bearer {token}"
            await hass.until_running()
            yield hass
        finally:
            await hass.stop()


async def _start(folder: Path, port: int, log: list[str]) -> Running:
    environ = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTEST_VERSION"}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homeassistant", "--config", str(folder), "--skip-pip"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**environ, "SETUP_PORT": str(port)},
    )
    return Running(process, asyncio.create_task(_read(process, log)))


async def install(config: Path) -> None:
    """Install the component as a user does, out of the wheel."""
    import vieneu_ha

    assert "site-packages" in vieneu_ha.__file__, "not from the wheel; run nox -s homeassistant"
    command = (sys.executable, "-m", "vieneu_ha", "install", f"--config={config}")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


async def _read(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode(errors="replace").rstrip())


async def _onboarded(url: str, process: asyncio.subprocess.Process, log: list[str]) -> str:
    user = {
        "name": "Admin", "username": USER, "password": PASSWORD,
        "client_id": f"{url}/", "language": "en",
    }  # fmt: skip
    async with asyncio.timeout(90), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None, "\n".join(log[-30:])
            try:
                async with session.post(f"{url}/api/onboarding/users", json=user) as answer:
                    if answer.status == 200:
                        code = (await answer.json())["auth_code"]
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
        form = {"grant_type": "authorization_code", "code": code, "client_id": f"{url}/"}
        async with session.post(f"{url}/auth/token", data=form) as answer:
            token: str = (await answer.json())["access_token"]
            return token
