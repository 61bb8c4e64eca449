"""`Server`: handle of a ``vieneu-server`` that runs as a child process, without a tunnel."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr, ValidationError

from vieneu_colab_server.exposure import TEST_SENTENCE
from vieneu_colab_server.middleware.traffic import OWN_HEADERS
from vieneu_colab_server.settings import ENV_PREFIX
from vieneu_colab_server.tokens.file import read_token_file, write_token_file
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import VieneuError
from vieneu_core.process_end import end_process
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.translatable import Translatable
from vieneu_core.wire.routes import HEALTH
from vieneu_core.wire.schemas import HealthAnswer
from vieneu_core.worker.spec import EngineSpec

HEALTH_CHECK_EVERY_S = 0.25
HEALTH_CHECK_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 15.0
"""Seconds after the signal to stop until the process is killed."""
_KEPT_LINES = 200
_PIECE_BYTES = 1 << 16
_LEVEL = re.compile(r"^\S+ \S+ (DEBUG|INFO|WARNING|ERROR) ")


class ServerStartError(VieneuError):
    """The server's process ended before it was ready, or did not become ready in time."""

    code = "server_start"
    title = "The server does not start"
    default_remedy = "Correct what is named, and start it again."


class Server:
    """A server process that this program starts, monitors and stops. It ends with this program.

    Its token is in a file that only this user can read, so that a token rotated by a client
    (``rotate-token``) stays valid after a restart.

    Args:
        engine: The engine to serve.
        token: Token that clients must send; None creates a new one of 256 bits.
        settings: Other fields of `ServerSettings`, by name.
        ends_at: End of the session; None if it has no end.
        environ: Environment of the process; None means this program's.
        clock: Clock of the session.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        engine: EngineSpec,
        *,
        token: SecretStr | None = None,
        settings: Mapping[str, object] | None = None,
        ends_at: datetime | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._engine = engine
        self._first_token = token or new_auth_token()
        self._settings = dict(settings or {})
        self.ends_at = ends_at
        """End of the session; None if it has no end."""
        self._environ = dict(os.environ if environ is None else environ)
        self._clock = clock or SystemClock()
        self._ends_at_s: float | None = None
        if ends_at is not None:  # the wall clock may be set while the server runs
            left_s = (ends_at - self._clock.now()).total_seconds()
            self._ends_at_s = self._clock.monotonic() + left_s
        self._folder: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()
        self._log: deque[str] = deque(maxlen=_KEPT_LINES)
        self._url = ""
        self.starting: HealthAnswer | None = None
        """Health while the model is loaded by `start`; None before that."""

    def __repr__(self) -> str:
        return f"Server(engine={self._engine.target!r}, url={self._url!r})"

    @property
    def url(self) -> str:
        """URL on this machine; empty before the first `start`."""
        return self._url

    @property
    def port(self) -> int:
        """Port of 127.0.0.1, kept over restarts."""
        return urlsplit(self._url).port or 0

    @property
    def token(self) -> SecretStr:
        """The current token."""
        if self._folder is None:
            return self._first_token
        return SecretStr(read_token_file(self._token_file))

    @property
    def log(self) -> tuple[str, ...]:
        """Last lines of its log."""
        return tuple(self._log)

    @property
    def runs(self) -> bool:
        """Whether its process is running."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process, and wait until its model is loaded. Without effect if it is running.

        Raises:
            ServerStartError: it ended; the message quotes its last line.
        """
        if self.runs:
            return
        if self._folder is None:
            self._folder = await asyncio.to_thread(_new_folder)
            await asyncio.to_thread(write_token_file, self._token_file, self._first_token)
        self._listening.clear()
        self.starting = None
        try:
            await self._spawn()
            await self._until_loaded()
        except BaseException:
            await self._end()
            raise

    async def speak(self, request: SynthesisRequest | None = None) -> Speech:
        """Synthesize a request, by default a test sentence.

        Raises:
            VieneuError: synthesis failed.
        """
        async with (
            aiohttp.ClientSession(headers=OWN_HEADERS) as session,
            RemoteBackend(self._url, self.token, session=session, name="server") as backend,
        ):
            return await collect(backend.stream(request or SynthesisRequest(text=TEST_SENTENCE)))

    async def health(self) -> HealthAnswer | None:
        """Return its health; None if it does not respond."""
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}", **OWN_HEADERS}
        timeout = aiohttp.ClientTimeout(total=HEALTH_CHECK_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(self._url + HEALTH, allow_redirects=False) as answer,
            ):
                return HealthAnswer.model_validate_json(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValidationError):
            return None

    async def ended(self) -> str:
        """Wait until the process ends; return the reason as text. Only while it is running."""
        process = self._required()
        code = await process.wait()
        await asyncio.wait(self._readers)
        return self._last_line() or _exit_text(code)

    async def stop(self) -> None:
        """Stop it after finishing running requests. It may be started again."""
        await self._end()
        if self._folder is not None:
            self._first_token = self.token
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None

    async def _spawn(self) -> None:
        arguments = [f"--engine={self._engine.target}", f"--port={self.port}"]
        arguments += [
            f"--engine-option={k}={json.dumps(v)}" for k, v in self._engine.options.items()
        ]
        arguments += ["--until-stdin-ends", f"--token-file={self._token_file}"]
        if self._ends_at_s is not None:
            left_s = self._ends_at_s - self._clock.monotonic()
            arguments.append(f"--session-limit={max(left_s, 1.0):.0f}")
        variables = {f"{ENV_PREFIX}{k.upper()}": str(v) for k, v in self._settings.items()}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vieneu_colab_server", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environ, "PYTHONUNBUFFERED": "1", **variables},
            # Ctrl-C at the terminal goes to this program only, which then stops the server.
            start_new_session=True,
        )
        self._readers = [
            asyncio.create_task(self._read_output(self._process.stdout)),
            asyncio.create_task(self._read_log(self._process.stderr)),
        ]

    async def _until_loaded(self) -> None:
        ended = asyncio.create_task(self.ended())
        loaded = asyncio.create_task(self._loaded())
        try:
            await asyncio.wait({ended, loaded}, return_when=asyncio.FIRST_COMPLETED)
            if not loaded.done():
                raise ServerStartError(
                    Translatable(
                        "The server ended while it started: {result}", result=ended.result()
                    )
                )
            loaded.result()
        finally:
            for task in (ended, loaded):
                task.cancel()
            await asyncio.wait({ended, loaded})

    async def _loaded(self) -> None:
        await self._listening.wait()
        while True:
            seen = self.starting = await self.health()
            if seen is not None and seen.model_loaded:
                return
            await asyncio.sleep(HEALTH_CHECK_EVERY_S)

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        await end_process(process, timeout_s=STOP_TIMEOUT_S)
        await asyncio.wait(self._readers)
        self._process = None

    async def _read_output(self, stream: asyncio.StreamReader | None) -> None:
        async for line in _lines(stream):
            if line.startswith("Listening on "):
                self._url = line.removeprefix("Listening on ")
                self._listening.set()

    async def _read_log(self, stream: asyncio.StreamReader | None) -> None:
        async for line in _lines(stream):
            self._log.append(line)

    def _last_line(self) -> str:
        lines = [line for line in self._log if not _LEVEL.match(line) and line.strip()]
        return lines[-1].removeprefix("error: ") if lines else ""

    @property
    def _token_file(self) -> Path:
        if self._folder is None:
            raise ServerStartError("The server was not started.", remedy="Start it first.")
        return self._folder / "token"

    def _required(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ServerStartError("The server was not started.", remedy="Start it first.")
        return self._process


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="vieneu-server-"))
    except OSError as error:
        raise ServerStartError(
            Translatable("There is no folder for its token: {error}.", error=error.strerror),
            remedy="Set TMPDIR to a folder that can be written.",
        ) from error


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    """Yield line by line; an endless line must not block the process."""
    rest = b""
    while stream is not None and (data := await stream.read(_PIECE_BYTES)):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
        rest = rest[-_PIECE_BYTES:]
    if rest:
        yield rest.decode(errors="replace")


def _exit_text(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return Translatable("its process was ended by {name}.", name=name)
    return Translatable("its process ended with exit code {code}.", code=code)
