"""The command, as a process: what it prints, what it refuses, how it stops."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import typer
from child_process import child, without_coverage
from guard import GUARD_S
from server_process import TESTS, TOKEN, ServerHandle, running_server
from server_site import decode_frames, until
from tone_engine import expected, heard, same
from typer.testing import CliRunner

from vieneu_colab_server import __version__
from vieneu_colab_server.cli import serve
from vieneu_core.audio.decode import decode_clip
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM

SENTENCES = [f"Đây là câu {number}." for number in (3, 17, 42)]
JSON = ("--header", "Content-Type: application/json")
SLOW = {"chunk_delay_s": 0.02}


def command(
    *arguments: str, environ: dict[str, str] | None = None, process: bool = False
) -> tuple[int, str, str]:
    """Run the command to its end; return exit code, standard output and standard error."""
    if not process:
        app = typer.Typer()
        app.command()(serve)
        result = CliRunner().invoke(app, arguments, env=environ)
        return result.exit_code, result.stdout, result.stderr
    done = subprocess.run(
        [sys.executable, "-m", "vieneu_colab_server", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "PYTHONPATH": str(TESTS), **(environ or {})},
    )
    return done.returncode, done.stdout, done.stderr


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


def no_token(tmp_path: Path) -> Path:
    return tmp_path / "none"


def token_of_others(tmp_path: Path) -> Path:
    file = tmp_path / "open"
    file.write_text(TOKEN)
    file.chmod(0o666)
    return file


def token_too_short(tmp_path: Path) -> Path:
    file = tmp_path / "short"
    file.write_text("short")
    file.chmod(0o600)
    return file


def token_not_ascii(tmp_path: Path) -> Path:
    file = tmp_path / "strange"
    file.write_text("mật-khẩu-của-tôi-rất-dài")
    file.chmod(0o600)
    return file


async def test_a_variable_may_name_the_token_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-from-a-file-1234567890\n")
    file.chmod(0o600)
    async with running_server(
        "tone_engine:create", token="", environ={"VIENEU_SERVER_TOKEN_FILE": str(file)}
    ) as server:
        assert server.token == ""
        assert f"Token: as in {file}" in server.output


@pytest.mark.parametrize("make", [no_token, token_of_others, token_too_short, token_not_ascii])
def test_a_token_file_that_cannot_be_used(tmp_path: Path, make: Any) -> None:
    file = make(tmp_path)
    code, out, err = command("--port=0", f"--token-file={file}")

    assert (code, out) == (3, "")
    assert re.fullmatch(r"error: .*\n", err)
    if file.exists():
        assert file.read_text().strip() not in err.replace(str(file), "")


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (["--engine-option=novalue"], {}, 3, "key=value"),
        (["--samples=/no/such/folder"], {}, 3, "samples folder"),
        (["--host=256.1.1.1"], {}, 3, "Cannot listen"),
        (["--session-limit=0"], {}, 3, "session_limit_s"),
        (["--port=70000"], {}, 3, "port"),
        ([], {"VIENEU_SERVER_MAX_QUEUE": "many"}, 3, "max_queue"),
        ([], {"VIENEU_SERVER_TOKEN": "short"}, 3, "token"),
        (["--log-level=loud"], {}, 2, "--log-level"),
        (["--no-such-option"], {}, 2, "--no-such-option"),
    ],
)
def test_what_is_wrong_is_one_line_with_an_exit_code(
    arguments: list[str], environ: dict[str, str], code: int, words: str
) -> None:
    free_port = [] if "--port" in str(arguments) else ["--port=0"]
    got, _, err = command(*free_port, *arguments, environ=environ)

    assert got == code
    assert words in err
    assert "Traceback" not in err
    if code != 2:
        assert re.match(r"error: \S", err.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine=nonsense"], "nonsense"),
        (["--engine=tone_engine:create", "--engine-option=load_error=model"], "fork"),
    ],
)
def test_an_engine_that_cannot_be_loaded_is_one_line_too(arguments: list[str], words: str) -> None:
    code, _, err = command("--port=0", *arguments, process=True)

    assert code == 4
    assert "Traceback" not in err
    assert re.match(rf"error: .*{words}", err.splitlines()[-1])


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = command(f"--port={taken.getsockname()[1]}")

    assert code == 3
    assert "Cannot listen" in err


def test_the_version() -> None:
    assert command("--version") == (0, f"{__version__}\n", "")


def test_the_help_names_no_option_for_the_token_itself() -> None:
    code, out, _ = command("--help", environ={"COLUMNS": "200", "TERM": "dumb"})

    assert code == 0
    assert "--token-file" in out
    assert not re.search(r"--token\b(?!-)", out)


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--version"], ["--help"]])
def test_a_full_disk_behind_standard_output_is_named(arguments: list[str]) -> None:
    done = in_shell('"$@" >/dev/full', *arguments)

    assert done.returncode == 3
    assert done.stderr == (
        "error: Standard output cannot be written: No space left on device. Free space on the disk,"
        " or send the output elsewhere.\n"
    )


@pytest.mark.parametrize("redirect", [">&-", "2>&-", "2>/dev/full", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_not_there_stop_no_server(redirect: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    script = f'"$@" {redirect} & ' + UNTIL_IT_LISTENS.format(port=port) + "kill -TERM $!; wait $!"
    done = in_shell(script, "--port", str(port))

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_as_soon_as_the_url_is_told_stops_it_gracefully() -> None:
    program = """if True:
        import os, signal
        from vieneu_colab_server import launch
        from vieneu_colab_server.settings import ServerSettings
        from vieneu_core.backends.local import LocalBackend
        settings = ServerSettings(port=0, token="t" * 32)
        launch.launch(settings, LocalBackend("espeak"), lambda url: os.kill(0, signal.SIGTERM))
        """
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=GUARD_S,
    )

    assert (done.returncode, done.stderr) == (0, "")


def in_shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vieneu_colab_server", *arguments]
    return subprocess.run(
        ["bash", "-c", script, "bash", *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "VIENEU_SERVER_TOKEN": TOKEN},
    )


UNTIL_IT_LISTENS = "until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done; "


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_ends_it_without_a_traceback(sign: signal.Signals) -> None:
    for step in range(16):
        with child(
            [sys.executable, "-m", "vieneu_colab_server", "--port=0", "--engine=espeak"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=without_coverage(os.environ),
        ) as process:
            try:
                process.wait(0.02 * 1.35**step)
            except subprocess.TimeoutExpired:
                process.send_signal(sign)
            _, errors = process.communicate(timeout=GUARD_S)
        ours = re.search(r'__main__\.py", line \d+, in main', errors)
        before_our_first_line = process.returncode in {-sign, 1} and ours is None
        assert before_our_first_line or "Traceback" not in errors, errors
        assert before_our_first_line or process.returncode in {0, 128 + sign}, errors


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
