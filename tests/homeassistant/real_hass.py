"""A real Home Assistant in a process of its own, set up over its API as its pages do it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from guard import GUARD_S
from user_machine import OURS, Machine, machine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
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
COMPLAINT = re.compile(r"ERROR|Traceback|deprecat|stop working|blocking call")
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
    machine: Machine
    running: Running
    session: aiohttp.ClientSession
    log: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.machine.config

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
        """Wait for a state of an entity, which may have yet to be added."""
        async with asyncio.timeout(GUARD_S):
            while wanted not in [
                each["state"]
                for each in await self.get("/api/states")
                if each["entity_id"] == entity_id
            ]:
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
        async with asyncio.timeout(GUARD_S):
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
        self.running = await _start(self.machine, port, self.log)
        await self.until_running()

    async def stop(self) -> None:
        """End it; the log is whole then."""
        process = self.running.process
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(GUARD_S):
            await process.wait()
        await self.running.reading

    def complaints(self) -> list[str]:
        """Return what the log holds against us, once it is whole: errors and deprecations."""
        complaints = [line for line in self.log if "We found a custom integration" not in line]
        return [
            line
            for line in complaints
            if ("vieneu" in line and COMPLAINT.search(line)) or "Unable to install" in line
        ]

    async def issues(self) -> set[str]:
        """Return the repairs that an admin sees."""
        answer = await self.command("repairs/list_issues")
        return {i["issue_id"] for i in answer["issues"] if i["domain"] == "vieneu"}

    async def notifications(self) -> list[Any]:
        """Return what of ours is behind the bell."""
        found: list[Any] = await self.command("persistent_notification/get")
        return [each for each in found if each["notification_id"].startswith("vieneu")]

    async def happened(self) -> str:
        """Return the last event of the event entity."""
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
    folder: Path,
    *,
    configuration: str = CONFIGURATION,
    from_hacs: bool = False,
    by_pip: bool = False,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Hass]:
    """Start it on an empty configuration with the component, and go through its first page.

    The component comes by ``vieneu-ha install``, as HACS unpacks it, or by the two lines that the
    documentation has for as long as the packages are on no index.
    """
    (folder / "configuration.yaml").write_text(configuration)
    (folder / ".storage").mkdir()
    (folder / ".storage/onboarding").write_text(json.dumps(ONBOARDING))
    for own in ("tape", "pulse"):
        component = folder / "custom_components" / own
        shutil.copytree(HERE / own, component)
        # hassfest checks every manifest.json of the checkout as one of ours.
        (component / "manifest").rename(component / "manifest.json")
    if not by_pip:
        (_unpack if from_hacs else _install)(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", list[str]()
    with machine(folder, **(environ or {})) as lent:
        assert lent.modules(*OURS) == set(), "a user's machine has none of them"
        if by_pip:
            lent.install_from_clone()
        running = await _start(lent, port, log)
        async with aiohttp.ClientSession() as session:
            hass = Hass(url, lent, running, session, log)
            try:
                token = await _onboarded(url, running.process, log)
                session.headers["Authorization"] = f"Bearer {token}"
                await hass.until_running()
                yield hass
            finally:
                await hass.stop()


async def _start(machine: Machine, port: int, log: list[str]) -> Running:
    process = await asyncio.create_subprocess_exec(
        *(str(machine.python), "-m", "homeassistant", "--config", str(machine.config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**machine.environ, "SETUP_PORT": str(port)},
        cwd=machine.config,  # the checkout would offer its own custom_components
    )
    return Running(process, asyncio.create_task(_read(process, log)))


def _install(config: Path) -> None:
    """Install the component as a user does, out of the wheel."""
    import vieneu_ha

    assert "site-packages" in vieneu_ha.__file__, "not from the wheel; run nox -s homeassistant"
    command = (sys.executable, "-m", "vieneu_ha", "install", f"--config={config}")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=GUARD_S)


def _unpack(config: Path) -> None:
    """Put the component where HACS puts it, out of the zip of a release."""
    program = ROOT / "packages/vieneu-ha-integration/make_hacs.py"
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            [sys.executable, program, folder],
            check=True, capture_output=True, text=True, timeout=GUARD_S,
        )  # fmt: skip
        with zipfile.ZipFile(made.stdout.strip()) as archive:
            archive.extractall(config / "custom_components/vieneu")


async def _read(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode(errors="replace").rstrip())


async def _onboarded(url: str, process: asyncio.subprocess.Process, log: list[str]) -> str:
    user = {
        "name": "Admin", "username": USER, "password": PASSWORD,
        "client_id": f"{url}/", "language": "en",
    }  # fmt: skip
    async with asyncio.timeout(GUARD_S), aiohttp.ClientSession() as session:
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
