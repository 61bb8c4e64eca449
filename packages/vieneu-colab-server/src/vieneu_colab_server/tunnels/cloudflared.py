"""Quick tunnel by cloudflared, as a child process. No account is needed.

Its output is defined in https://github.com/cloudflare/cloudflared (cmd/cloudflared/tunnel).
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections import deque
from http import HTTPStatus
from pathlib import Path

import aiohttp

from vieneu_colab_server.tunnels.agent_parent import ends_with_parent, why_not_started
from vieneu_colab_server.tunnels.cloudflared_download import fetch_cloudflared
from vieneu_colab_server.tunnels.errors import (
    QuickTunnelRefusedError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelProgramError,
    TunnelTimeoutError,
)
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.process_end import end_process
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
START_TIMEOUT_S = 40.0
"""Seconds; Cloudflare takes up to half a minute."""
READY_EVERY_S, UNREADY_FOR_S = 5.0, 60.0
"""cloudflared reconnects automatically; after this long without a connection the tunnel is lost."""
_END_S = 5.0
_LINES = 40
_URL = re.compile(r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com")
_QUIC_FAILED = "Failed to dial a quic connection"
_QUIC_FAILURES = 2
"""A single failure of QUIC may be chance: cloudflared tries again after some seconds."""
_HTTP2 = ("--protocol", "http2")
_CONNECTED = "Registered tunnel connection"
_METRICS = re.compile(r"Starting metrics server on (127\.0\.0\.1:\d+)/metrics")
_REFUSED = ("429 Too Many Requests", "error code: 1015", "error code: 1101", "quick Tunnel ID")
_UNREACHED = ("no such host", "dial tcp", "i/o timeout", "network is unreachable")


class CloudflaredTunnel:
    """A quick tunnel; its URL is new each time.

    Args:
        program: Path of cloudflared; None searches PATH.
        fetch_to: Folder to download it to if it is not in PATH; None means no download.
        clock: Clock of the time limits.
        start_timeout_s: Time limit for the connection, in seconds.
    """

    name = "cloudflared"

    def __init__(
        self,
        *,
        program: Path | None = None,
        fetch_to: Path | None = None,
        clock: Clock | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._program, self._fetch_to = program, fetch_to
        self._clock = clock or SystemClock()
        self._start_timeout_s = start_timeout_s
        self._running: _Running | None = None
        self._protocol: tuple[str, ...] = ()

    async def open(self, port: int) -> str:
        """Start cloudflared and wait until it is connected; see `Tunnel.open`.

        A quick tunnel uses QUIC alone, over UDP. Where that is blocked it is opened once more over
        HTTP/2, and so from then on.
        """
        await self.close()
        program = await self._found()
        try:
            return await self._opened(program, port)
        except _QuicBlockedError:
            self._protocol = _HTTP2
            _LOGGER.warning("QUIC is blocked in this network: cloudflared uses HTTP/2.")
        return await self._opened(program, port)

    async def lost(self) -> str:
        """Wait until cloudflared ends, or stays disconnected; see `Tunnel.lost`."""
        running, unready_since = self._running, None
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=4)) as session:
            while running is not None and not running.reading.done():
                await self._clock.sleep(READY_EVERY_S if running.log.metrics else 1.0)
                if await _is_ready(session, running.log.metrics):
                    unready_since = None
                    continue
                now = self._clock.monotonic()
                unready_since = now if unready_since is None else unready_since
                if now - unready_since >= UNREADY_FOR_S:
                    return Translatable(
                        "cloudflared has had no connection for {seconds:g} s.",
                        seconds=UNREADY_FOR_S,
                    )
        return Translatable("cloudflared has ended.")

    async def close(self) -> None:
        """End cloudflared."""
        running, self._running = self._running, None
        if running is not None:
            await running.end()

    async def _found(self) -> str:
        found = shutil.which("cloudflared") if self._program is None else str(self._program)
        if found is None and self._fetch_to is not None:
            return str(await fetch_cloudflared(self._fetch_to))
        if found is None or not await asyncio.to_thread(Path(found).is_file):
            raise TunnelProgramError(
                "There is no cloudflared on this machine."
                if self._program is None
                else Translatable("There is no cloudflared at {program}.", program=self._program),
                remedy="Install it, or name its path: "
                "https://developers.cloudflare.com/cloudflare-one/networks/connectors/"
                "cloudflare-tunnel/downloads/",
            )
        return found

    async def _opened(self, program: str, port: int) -> str:
        self._running = await self._started(program, port)
        try:
            return await self._connected(self._running)
        except BaseException:
            await self.close()
            raise

    async def _started(self, program: str, port: int) -> _Running:
        try:
            process = await asyncio.create_subprocess_exec(
                *ends_with_parent(program),
                *("tunnel", "--no-autoupdate", "--metrics", "127.0.0.1:0", *self._protocol),
                *("--url", f"http://127.0.0.1:{port}"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C goes to this process only, which ends it in order
            )
        except OSError as error:
            raise _not_run(error.strerror) from error
        return _Running(process)

    async def _connected(self, running: _Running) -> str:
        connected = asyncio.create_task(running.log.connected.wait())
        blocked = asyncio.create_task(running.log.quic_blocked.wait())
        try:
            await asyncio.wait(
                {connected, blocked, running.reading},
                timeout=self._start_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            connected.cancel()
            blocked.cancel()
        if running.log.connected.is_set():
            return running.log.url
        if running.log.n_quic_failures and not self._protocol:
            raise _QuicBlockedError("Cloudflare cannot be reached from this machine.")
        if running.reading.done():
            raise running.log.why_not()
        raise TunnelTimeoutError(
            Translatable(
                "cloudflared was not connected after {start_timeout_s:g} s.",
                start_timeout_s=self._start_timeout_s,
            ),
            remedy="Try again; some networks block its port 7844. Or choose the tunnel ngrok.",
        )


class _QuicBlockedError(TunnelNetworkError):
    """QUIC does not reach Cloudflare."""


def _not_run(reason: str | None) -> TunnelProgramError:
    return TunnelProgramError(
        Translatable("cloudflared does not run here: {error}.", error=reason or ""),
        remedy="Name the path of a cloudflared for this machine.",
    )


class _Running:
    """The process of cloudflared, and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log = _Log()
        self.reading = asyncio.create_task(self.log.read(process.stderr))
        """Done once the process has ended."""

    async def end(self) -> None:
        """End it, gracefully if possible."""
        await end_process(self._process, timeout_s=_END_S)
        await self.reading


async def _is_ready(session: aiohttp.ClientSession, metrics: str) -> bool:
    """Return whether cloudflared is connected; older versions do not report it."""
    if not metrics:
        return True
    try:
        async with session.get(f"http://{metrics}/ready") as answer:
            return answer.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


class _Log:
    """Log of cloudflared, read to its end so that the process never blocks on a full pipe."""

    def __init__(self) -> None:
        self.url = ""
        self.metrics = ""
        self.connected = asyncio.Event()
        self.quic_blocked = asyncio.Event()
        self.n_quic_failures = 0
        self._is_connected = False
        self._last: deque[str] = deque(maxlen=_LINES)

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        """Read lines until the process has ended."""
        rest = b""
        while stream is not None and (piece := await stream.read(65_536)):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(line.decode(errors="replace").strip())
            rest = rest[-4096:]
        self._take(rest.decode(errors="replace").strip())

    def why_not(self) -> TunnelOpenError:
        """Return the error with the reason why there is no tunnel."""
        said = " ".join(self._last)
        if not_started := why_not_started(said):
            return _not_run(not_started)
        if any(sign in said for sign in _REFUSED):
            return QuickTunnelRefusedError("Cloudflare refuses a quick tunnel now.")
        if any(sign in said for sign in _UNREACHED):
            return TunnelNetworkError("Cloudflare cannot be reached from this machine.")
        last = self._last[-1][:200] if self._last else "nothing"
        return TunnelOpenError(
            Translatable("cloudflared ended without a tunnel. Its last output: {last}", last=last)
        )

    def _take(self, line: str) -> None:
        if not line:
            return
        _LOGGER.debug("cloudflared: %s", line)
        self._last.append(line)
        if not self.url and (found := _URL.search(line)):
            self.url = found[0]
        if found := _METRICS.search(line):
            self.metrics = found[1]
        if _QUIC_FAILED in line:
            self.n_quic_failures += 1
            if self.n_quic_failures >= _QUIC_FAILURES:
                self.quic_blocked.set()
        self._is_connected = self._is_connected or _CONNECTED in line
        if self.url and self._is_connected:
            self.connected.set()
