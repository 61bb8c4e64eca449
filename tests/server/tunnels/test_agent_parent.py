"""An agent ends with the program that started it, also when that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from guard import GUARD_S
from ngrok_service import ngrok_service
from tunnel_programs import program

SUPPORT = Path(__file__).parents[2] / "support"
STARTER = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from vieneu_colab_server.tunnels.cloudflared import CloudflaredTunnel
from vieneu_colab_server.tunnels.ngrok import NgrokTunnel
from vieneu_colab_server.tunnels.pyngrok import PyngrokTunnel

def tunnel():
    match sys.argv[1:]:
        case ["cloudflared", path]:
            return CloudflaredTunnel(program=Path(path))
        case ["pyngrok", path]:
            return PyngrokTunnel(SecretStr("good-token"), program=Path(path))
        case ["ngrok", address, certificate]:
            server = (address, Path(certificate).read_bytes())
            return NgrokTunnel(SecretStr("good-token"), server=server)

async def main():
    opened = tunnel()
    print(await opened.open(9), flush=True)
    # threads of the pool end and begin: the agent must not depend on one of them
    for _ in range(50):
        await asyncio.to_thread(lambda: None)
    print("open", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def started(*arguments: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(GUARD_S):
        while (line := await process.stdout.readline()) != b"open\n":
            assert line
    return process


@pytest.mark.parametrize("provider", ["cloudflared", "pyngrok"])
async def test_a_killed_program_leaves_no_agent(tmp_path: Path, provider: str) -> None:
    path = program(tmp_path, provider.removeprefix("py"))
    starter = await started(provider, str(path))
    family = psutil.Process(starter.pid).children(recursive=True)
    assert [each.status() for each in family] != []

    starter.send_signal(signal.SIGKILL)
    await starter.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=GUARD_S)
    assert alive == []


async def test_the_agent_within_a_killed_program_is_gone_for_ngrok(tmp_path: Path) -> None:
    async with ngrok_service(tmp_path) as service:
        (tmp_path / "ca.pem").write_bytes(service.certificate)
        starter = await started("ngrok", service.address, str(tmp_path / "ca.pem"))
        assert psutil.Process(starter.pid).children(recursive=True) == [], "it needs no program"
        assert len(service.sessions) == 1

        starter.send_signal(signal.SIGKILL)
        await starter.wait()
        async with asyncio.timeout(GUARD_S):
            await service.ended.wait()
        assert service.sessions == []


async def test_a_program_that_ended_while_its_agent_started_leaves_none() -> None:
    """The kernel sends no signal for a parent that has ended before it was asked to."""
    script = (
        "import os, sys\n"
        "from vieneu_colab_server.tunnels.agent_parent import ends_with_parent\n"
        "command = ends_with_parent('/bin/sleep')\n"
        "if os.fork() == 0:\n"
        "    while os.getppid() == int(command[-2]): pass\n"
        "    os.execv(command[0], [*command, '600'])\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(GUARD_S):
        said = await process.stderr.read()  # until the last of both has ended
    await process.wait()

    assert b"has ended" in said
    assert os.path.exists("/bin/sleep")  # noqa: PTH110, ASYNC240 - else nothing was shown
