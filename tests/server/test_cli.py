"""The command as a process: speech, tokens, signals."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from server_process import TOKEN, ServerHandle, running_server
from server_site import decode_frames
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.audio.decode import decode_clip
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM

SENTENCES = [f"Đây là câu {number}." for number in (3, 17, 42)]
JSON = ("--header", "Content-Type: application/json")
SLOW = {"chunk_delay_s": 0.02}


async def ask(server: ServerHandle, accept: str, body: dict[str, Any]) -> bytes:
    headers = {**server.headers, "Accept": accept}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(server.url + "/tts/stream", json=body) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.read()


async def test_a_whole_server_speaks_every_sentence() -> None:
    async with running_server() as server:
        data = await ask(server, FRAMES_OPUS, {"text": " ".join(SENTENCES)})
        async with (
            aiohttp.ClientSession(headers=server.headers) as session,
            session.get(server.url + "/health") as response,
        ):
            health = await response.json()

    got = decode_frames(data, opus=True)
    assert same(heard(got.pcm, got.sample_rate_hz), [expected(text) for text in SENTENCES])
    assert (health["status"], health["engine"], health["model"]) == ("ok", "tone", "sine")
    assert (health["accelerator"], health["gpu_memory_used_gb"]) == ("Tuning Fork", 0.25)
    assert not any(TOKEN in line for line in server.output + server.errors)


async def test_health_answers_at_once_while_a_sentence_is_spoken() -> None:
    async with (
        running_server(options=SLOW) as server,
        aiohttp.ClientSession(headers=server.headers) as session,
        session.post(server.url + "/tts/stream", json={"text": SENTENCES}) as response,
    ):
        for _ in range(5):
            async with session.get(server.url + "/health") as health:
                assert (await health.json())["queue_depth"] == 1
        assert len(await response.read()) > 100_000


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_stream_in_flight_end_and_the_process_with_it(sign: int) -> None:
    async with (
        running_server(options=SLOW) as server,
        aiohttp.ClientSession(headers=server.headers) as session,
    ):
        response = await session.post(
            server.url + "/tts/stream", json={"text": SENTENCES}, headers={"Accept": FRAMES_PCM}
        )
        first = await response.content.readany()
        os.kill(server.pid, sign)
        await until(lambda: any("Stopping on" in line for line in server.errors))
        data = first + await response.read()
        code = await server.stopped()

    got = decode_frames(data, opus=False)
    assert same(heard(got.pcm, got.sample_rate_hz), [expected(text) for text in SENTENCES])
    assert code == 0


async def test_a_second_signal_stops_at_once_and_leaves_no_process() -> None:
    async with (
        running_server(options={"chunk_delay_s": 0.3}) as server,
        aiohttp.ClientSession(headers=server.headers) as session,
    ):
        response = await session.post(
            server.url + "/tts/stream", json={"text": SENTENCES}, headers={"Accept": FRAMES_PCM}
        )
        workers = psutil.Process(server.pid).children(recursive=True)
        assert workers
        server.process.terminate()
        await until(lambda: any("Stopping on" in line for line in server.errors))
        server.process.terminate()
        code = await server.stopped()
        response.close()
        _, alive = await asyncio.to_thread(psutil.wait_procs, workers, 10)

    assert code == 143
    assert alive == []


async def test_a_crash_of_the_engine_is_an_error_frame_and_the_next_request_is_spoken() -> None:
    async with running_server() as server:
        data = await ask(server, FRAMES_PCM, {"text": [SENTENCES[0], "sigkill giữa câu."]})
        got = decode_frames(data, opus=False)
        assert got.problem is not None
        assert got.problem.code == "worker_died"

        async def speaks() -> bool:
            async with (
                aiohttp.ClientSession(headers=server.headers) as session,
                session.post(server.url + "/tts/stream", json={"text": "Một."}) as response,
            ):
                return response.status == 200

        while not await speaks():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)


async def test_a_new_token_is_printed_once_and_is_long() -> None:
    async with running_server("tone_engine:create", token="") as server:
        printed = [line for line in server.output if server.token in line]
        logged = [line for line in server.errors if server.token in line]

    assert len(server.token) >= 43, "256 bits in base64"
    assert (len(printed), logged) == (1, [])


async def test_the_worker_does_not_inherit_the_token() -> None:
    async with running_server() as server:
        (worker, *_) = psutil.Process(server.pid).children(recursive=True)
        assert "VIENEU_SERVER_TOKEN" not in worker.environ()
        assert TOKEN not in " ".join(worker.cmdline())


async def test_a_token_file_is_used(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-from-a-file-1234567890\n")
    file.chmod(0o644)

    async with running_server(
        "tone_engine:create", f"--token-file={file}", token="a-token-from-a-file-1234567890"
    ) as server:
        async with (
            aiohttp.ClientSession(headers=server.headers) as session,
            session.get(server.url + "/health") as response,
        ):
            assert response.status == 200
        assert any("Others may read the token file" in line for line in server.errors)


async def test_a_variable_may_name_the_token_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-from-a-file-1234567890\n")
    file.chmod(0o600)
    async with running_server(
        "tone_engine:create", token="", environ={"VIENEU_SERVER_TOKEN_FILE": str(file)}
    ) as server:
        assert server.token == ""
        assert f"Token: as in {file}" in server.output


async def test_curl_hears_the_embedded_voice(tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    file = tmp_path / "a.wav"
    async with running_server("espeak") as server:
        process = await asyncio.create_subprocess_exec(
            curl,
            *("--silent", "--show-error", "--fail", "--output", str(file)),
            *("--header", f"Authorization: Bearer {server.token}", *JSON, "--data"),
            json.dumps({"text": "Xin chào, hôm nay trời đẹp."}),
            server.url + "/tts/stream",
        )
        assert await process.wait() == 0

    spoken = decode_clip(file.read_bytes(), max_seconds=10)
    assert spoken.seconds > 1
    assert max(spoken.pcm) > 0


async def test_curl_notices_that_plain_audio_broke_off(tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    async with running_server() as server:
        process = await asyncio.create_subprocess_exec(
            curl,
            *("--silent", "--fail", "--output", str(tmp_path / "a.wav")),
            *("--header", f"Authorization: Bearer {server.token}", *JSON, "--data"),
            json.dumps({"text": ["Đây là câu 3.", "refuse giữa câu."]}),
            server.url + "/tts/stream",
        )
        partial_file = 18
        assert await process.wait() == partial_file
