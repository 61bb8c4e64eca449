"""A server as a handle: started, watched, started again, reached from outside, and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from guard import GUARD_S
from pydantic import SecretStr
from set_clock import SetClock
from tunnel_programs import program

from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.server_process import Server, ServerStartError
from vieneu_colab_server.supervised_server import PublicServer
from vieneu_colab_server.tunnels.base import NoTunnel
from vieneu_colab_server.tunnels.pyngrok import PyngrokTunnel
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.clock import SystemClock
from vieneu_core.errors import AuthenticationError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

SUPPORT = Path(__file__).parents[1] / "support"
TONES = EngineSpec("tone_engine:create")
HELLO = SynthesisRequest(text="Xin chào các bạn.")


class HurriedClock(SystemClock):
    """Real time, but nobody waits on purpose."""

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join(
        filter(None, [str(SUPPORT), str(tmp_path), os.environ.get("PYTHONPATH")])
    )
    return {**os.environ, "PYTHONPATH": path}


@pytest.fixture
async def server(environ: dict[str, str]) -> AsyncIterator[Server]:
    server = Server(TONES, ends_at=datetime.now(UTC) + timedelta(hours=2), environ=environ)
    yield server
    await server.stop()


async def seconds_heard(url: str, token: SecretStr) -> float:
    backend = RemoteBackend(url, token)
    await backend.load()
    speech = await synthesize(backend, HELLO)
    await backend.aclose()
    return speech.seconds


def process_of(server: Server) -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process().children()
        if f"--token-file={server._token_file}" in child.cmdline()
    ]
    return found


async def test_it_speaks_is_looked_at_and_leaves_nothing_behind(server: Server) -> None:
    await server.start()
    await server.start()  # without effect
    process = process_of(server)
    folder = server._token_file.parent
    seen = await server.health()
    spoken = await server.speak()
    token = server.token.get_secret_value()

    assert seen is not None
    assert (seen.model_loaded, seen.engine) == (True, "tone")
    assert spoken.seconds > 0.3
    assert len(token) >= 43, "256 bits"
    assert token not in " ".join([*process.cmdline(), *server.log, repr(server)])
    assert folder.stat().st_mode & 0o777 == 0o700

    await server.stop()
    assert not process.is_running()
    assert not folder.exists()
    assert await server.health() is None


async def test_a_token_that_the_house_made_and_the_end_are_good_after_a_restart(
    server: Server,
) -> None:
    await server.start()
    first, url = server.token, server.url
    backend = RemoteBackend(url, first)
    made = await backend.rotate_token()
    await backend.aclose()
    process_of(server).kill()
    assert "SIGKILL" in await server.ended()
    await server.start()
    seen = await server.health()

    assert seen is not None
    assert seen.session_remaining_seconds == pytest.approx(7200, abs=300), "no longer than before"
    assert server.url == url
    assert server.token == made
    assert await seconds_heard(url, made) > 0.3
    with pytest.raises(AuthenticationError):
        await seconds_heard(url, first)


@pytest.mark.parametrize("days", [-1, 1], ids=["back", "forward"])
async def test_a_session_ends_when_it_should_although_the_clock_was_set(
    environ: dict[str, str], days: int
) -> None:
    clock = SetClock()
    ends_at = clock.now() + timedelta(hours=2)
    server = Server(TONES, ends_at=ends_at, environ=environ, clock=clock)
    try:
        clock.offset = timedelta(days=days)
        await server.start()
        seen = await server.health()
    finally:
        await server.stop()

    assert seen is not None
    assert seen.session_remaining_seconds == pytest.approx(7200, abs=300)


async def test_why_it_does_not_start_is_told_in_its_own_words(environ: dict[str, str]) -> None:
    server = Server(EngineSpec("no-such-engine"), environ=environ)

    with pytest.raises(ServerStartError, match=r"ended while it started: .*no-such-engine"):
        await server.start()
    assert not server.runs
    await server.stop()


async def test_nothing_is_asked_of_a_server_that_was_never_started() -> None:
    server = Server(TONES, token=SecretStr("a-token-that-was-given-0123"))

    with pytest.raises(ServerStartError):
        await server.ended()
    await server.stop()
    assert server.token == SecretStr("a-token-that-was-given-0123")


STARTER = """
import asyncio
from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.server_process import Server
from vieneu_core.worker.spec import EngineSpec

async def main():
    server = Server(EngineSpec("tone_engine:create"))
    await server.start()
    print(server.url, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_it_ends_when_the_program_that_started_it_is_killed(environ: dict[str, str]) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER), stdout=subprocess.PIPE, env=environ
    )
    assert starter.stdout is not None
    async with asyncio.timeout(GUARD_S):
        await starter.stdout.readline()
    family = psutil.Process(starter.pid).children(recursive=True)
    starter.kill()
    await starter.wait()

    assert len(family) >= 2, "server and worker"
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=GUARD_S)
    assert alive == []


async def test_outside_it_is_heard_again_at_the_same_address_after_it_was_killed(
    server: Server, tmp_path: Path
) -> None:
    events: list[PublicEvent] = []
    tunnel = PyngrokTunnel(SecretStr("good-token"), program=program(tmp_path, "ngrok"))
    public = PublicServer(server, tunnel, notify=events.append, voices=["vi-high", "nobody"])
    url = await public.open()
    keeping = asyncio.create_task(public.keep())
    process_of(server).send_signal(signal.SIGKILL)
    async with asyncio.timeout(GUARD_S):
        while "server_restarted" not in [event.kind for event in events]:  # noqa: ASYNC110 - a list
            await asyncio.sleep(0.05)
    heard_s = await seconds_heard(server.url, server.token)
    assert public.url == url
    await public.close()
    await keeping

    assert heard_s > 0.3
    assert url.startswith("http://127.0.0.1:")
    kinds = [event.kind for event in events]
    assert kinds == [
        *("loading", "spoken", "voice_prepared", "voice_missing", "address"),
        *("server_ended", "server_restarted"),
    ]
    assert "nobody" in events[3].detail
    assert "SIGKILL" in events[5].detail
    assert public.url is None
    assert not server.runs


async def test_a_server_that_cannot_be_started_again_is_given_up_by_name(
    environ: dict[str, str], tmp_path: Path
) -> None:
    engine = tmp_path / "passing_engine.py"
    engine.write_text("from tone_engine import create\n")
    server = Server(EngineSpec("passing_engine:create"), environ=environ)
    events: list[PublicEvent] = []
    public = PublicServer(server, NoTunnel(), notify=events.append, clock=HurriedClock())
    await public.open()
    engine.unlink()
    process_of(server).kill()

    with pytest.raises(ServerStartError, match="passing_engine"):
        await public.keep()
    await public.close()
    assert len([event for event in events if event.kind == "server_ended"]) == 5


async def test_a_server_that_does_not_start_is_not_opened(environ: dict[str, str]) -> None:
    server = Server(EngineSpec("no-such-engine"), environ=environ)
    events: list[PublicEvent] = []

    with pytest.raises(ServerStartError):
        await PublicServer(server, NoTunnel(), notify=events.append).open()
    assert [event.kind for event in events] == ["loading"]
    assert not server.runs
