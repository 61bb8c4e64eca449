"""A real Ray of this machine: an ingress, replicas in processes of their own, and real clients."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import psutil
import pytest
import pytest_asyncio
from guard import GUARD_S
from remote_site import PATIENT
from server_process import ServerHandle, running_ray_app
from system_rig import nothing_lost, sentences
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState
from vieneu_core.backends.remote import RemoteBackend, RetryPolicy
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.wire.problem import Problem

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: nox -s ray"),
]
AT_ONCE = 2
"""Requests that a replica speaks at once."""
QUEUED = 2
HEAD = "node:__internal_head__"
"""Resource that Ray itself gives the head."""
LOGS = Path("/tmp/ray/session_latest/logs")  # noqa: S108 - where Ray writes
REPLICA = "ray::ServeReplica:vieneu:Engine"
ONCE = RetryPolicy(attempts=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerHandle]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environ = {
        "HOME": str(tmp_path_factory.mktemp("home")),  # Ray keeps its own token there
        "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "0.5",
        "VIENEU_SERVER_REQUESTS_PER_MINUTE": "100000",
        "VIENEU_SERVER_HEALTH_CHECKS_PER_MINUTE": "100000",
        "VIENEU_SERVER_RETRY_AFTER_S": "1.5",
    }
    arguments = (
        'engine_options={"chunk_delay_s": 0.1}',  # of 0.1 s of speech: in real time
        *("min_replicas=1", "max_replicas=2", "target_ongoing_requests=1"),
        *(f"max_ongoing_requests={AT_ONCE}", f"max_queued_requests={QUEUED}"),
        *("upscale_delay_s=0", "downscale_delay_s=1"),
        *("replica_cpus=0.1", "ingress_cpus=0.1", f"ingress_resource={HEAD}"),
    )
    async with running_ray_app(*arguments, environ=environ, port=port) as handle:
        yield handle


def remote(server: ServerHandle, token: str | None = None) -> RemoteBackend:
    return RemoteBackend(server.url, token or server.token, timeouts=PATIENT, retries=ONCE)


def replicas() -> list[psutil.Process]:
    """Return the processes of the replicas, as Ray names them."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if (one.info["cmdline"] or [""])[0].startswith(REPLICA)]


@dataclass
class Readings:
    """Readings one after the other, each checked by ear, until the last round is told."""

    server: ServerHandle
    sounding: set[str] = field(default_factory=set)
    """Readings that have sounded, and go on."""
    last_round: bool = False
    n_read: int = 0

    async def read(self, first: int) -> None:
        while not self.last_round:
            text = sentences(6, first=first)
            nothing_lost(await self._spoken(text), text)
            self.n_read += 1

    async def _spoken(self, text: tuple[str, ...]) -> list[AudioChunk]:
        """Speak a text; where all replicas are taken, again."""
        while True:
            try:
                async with remote(self.server) as backend:
                    return await self._heard(backend, SynthesisRequest(text=text))
            except BackendBusyError as error:
                await asyncio.sleep(error.retry_after_s or GUARD_S)

    async def _heard(self, backend: RemoteBackend, request: SynthesisRequest) -> list[AudioChunk]:
        chunks: list[AudioChunk] = []
        try:
            async for chunk in backend.stream(request):
                chunks.append(chunk)
                if chunk.pcm:
                    self.sounding.add(request.request_id)
        finally:
            self.sounding.discard(request.request_id)
        return chunks


async def test_it_is_to_a_client_as_any_server(server: ServerHandle) -> None:
    text = sentences(3)
    async with remote(server) as backend:
        health, voices = await backend.health(), await backend.voices()
        chunks = [chunk async for chunk in backend.stream(SynthesisRequest(text=text))]
        with pytest.raises(VoiceNotFoundError, match="vi-low"):
            await collect(backend.stream(SynthesisRequest(text="Một.", voice="ba")))
    with pytest.raises(AuthenticationError):
        await remote(server, "another-token-0123456789abcdef").load()

    assert (health.state, health.engine, health.model) == (BackendState.READY, "tone", "sine")
    assert [voice.id for voice in voices] == ["vi-low", "vi-high", "en-low"]
    nothing_lost(chunks, text)
    assert {chunk.speaker.engine for chunk in chunks} == {"tone"}


async def test_errors_are_problem_documents_and_probes_need_no_token(server: ServerHandle) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/health") as response:
            refused = Problem.model_validate_json(await response.read())
            assert response.content_type == "application/problem+json"
        async with session.get(f"{server.url}/readyz") as response:
            assert response.status == 200
        async with session.get(f"{server.url}/nowhere", headers=server.headers) as response:
            assert response.status == 404

    assert (refused.status, refused.code) == (401, AuthenticationError.code)


async def test_speech_that_fails_in_the_middle_does_not_end_as_if_it_were_whole(
    server: ServerHandle,
) -> None:
    text = ("Đây là câu đầu tiên.", "Câu này refuse mất rồi.")
    async with aiohttp.ClientSession(headers=server.headers) as session:
        body = {"text": list(text)}
        async with session.post(f"{server.url}/tts/stream", json=body) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
    async with remote(server) as backend:
        with pytest.raises(SynthesisFailedError, match="No tone"):
            await collect(backend.stream(SynthesisRequest(text=text)))


async def test_more_than_there_is_room_for_is_refused_at_once(server: ServerHandle) -> None:
    """More than two replicas and the queue hold: the others hear when to come again."""
    n_requests = 2 * AT_ONCE + QUEUED + 4
    statuses: list[int] = []

    async def ask(session: aiohttp.ClientSession) -> None:
        body = {"text": list(sentences(2))}
        async with session.post(f"{server.url}/tts/stream", json=body) as response:
            statuses.append(response.status)
            if response.status == 503:
                problem = Problem.model_validate_json(await response.read())
                assert (problem.code, problem.retry_after_s) == ("busy", 1.5)
                assert response.headers["Retry-After"] == "2"
            else:
                assert len(await response.read()) > 10_000

    async with aiohttp.ClientSession(headers=server.headers) as session:
        async with asyncio.timeout(GUARD_S):
            await asyncio.gather(*(ask(session) for _ in range(n_requests)))

    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= AT_ONCE + QUEUED


async def test_a_client_that_leaves_ends_its_speech(server: ServerHandle) -> None:
    async def depth() -> int:
        async with remote(server) as backend:
            return (await backend.health()).queue_depth

    async def is_idle() -> bool:
        return await depth() == 0

    async with aiohttp.ClientSession(headers=server.headers) as session:
        body = {"text": list(sentences(100))}  # a minute and more
        async with session.post(f"{server.url}/tts/stream", json=body) as response:
            await response.content.readany()
            assert await depth() == 1
    await until(is_idle)


async def test_load_adds_a_replica_a_killed_one_loses_nothing_and_quiet_removes_it(
    server: ServerHandle,
) -> None:
    n_at_once = 2 * AT_ONCE  # as many as both replicas can: then each speaks
    readings = Readings(server)
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as group:
        for n in range(n_at_once):
            group.create_task(readings.read(first=100 * n))
        await until(lambda: len(readings.sounding) == n_at_once)
        victim = next(one for one in replicas() if one.children())
        readings.last_round = True
        os.kill(victim.pid, signal.SIGKILL)

    assert readings.n_read >= n_at_once
    assert "Another replica goes on." in logged("replica_vieneu_Ingress_*.log")
    await until(lambda: len(replicas()) == 1)


def logged(names: str) -> str:
    """Return what is in the log files of these names."""
    paths = (path for path in LOGS.resolve().rglob(names) if path.is_file())
    return "".join(path.read_text(errors="replace") for path in paths)


async def test_it_stops_with_a_signal_and_tells_nobody_of_its_token(server: ServerHandle) -> None:
    """The last test: it ends the server."""
    os.kill(server.pid, signal.SIGTERM)
    code = await server.stopped()

    assert code == 0
    assert server.token not in logged("*")
    assert not any(server.token in line for line in (*server.output, *server.errors))
    await until(lambda: not replicas())
