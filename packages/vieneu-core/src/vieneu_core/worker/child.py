"""The worker process: runs one engine for the client at the other end of a socket.

Started as ``python -m vieneu_core.worker.child FD PARENT_PID``. The main thread runs the engine;
a second thread reads the socket, so that a cancellation is noticed while the engine works, and so
that the process ends at once when the client has ended, even while native code runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vieneu_core.audio.watermark import can_watermark
from vieneu_core.engines.base import (
    Engine,
    EngineInfo,
    Renewable,
    SpokenBy,
    Utterance,
)
from vieneu_core.engines.load_failure import foreign_failure
from vieneu_core.errors import (
    BackendError,
    ModelLoadError,
    RequestError,
    SynthesisFailedError,
    VieneuError,
)
from vieneu_core.translatable import shortened
from vieneu_core.worker.engine_lookup import find_factory
from vieneu_core.worker.messages import (
    LENGTH,
    Audio,
    Cancel,
    Failed,
    Finished,
    Load,
    Loaded,
    Memory,
    Message,
    Progress,
    Shutdown,
    Speak,
    Speaking,
    decode,
    encode,
    frame_length,
)
from vieneu_core.worker.prepared_text import said, upcoming
from vieneu_core.worker.watermarking import Watermarking

PR_SET_PDEATHSIG = 1
"""Constant of linux/prctl.h."""
_MAX_WORDS = 500
_RENEWAL_S = 0.5
"""Time between two checks for a voice that is being downloaded, in seconds."""


class Channel:
    """Messages over a blocking socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message; end the process if the client has ended."""
        with self._sending:
            try:
                self._sock.sendall(encode(message))
            except OSError:
                os._exit(0)

    def receive(self) -> Message | None:
        """Wait for a message; return None at the end of the stream."""
        prefix = self._exactly(LENGTH.size)
        frame = self._exactly(frame_length(prefix)) if prefix else b""
        return decode(frame) if frame else None

    def _exactly(self, n_bytes: int) -> bytes:
        got = bytearray()
        while len(got) < n_bytes:
            try:
                part = self._sock.recv(n_bytes - len(got))
            except OSError:
                return b""
            if not part:
                return b""
            got += part
        return bytes(got)


class Worker:
    """Main loop of the worker process."""

    def __init__(self, channel: Channel, watermarking: Watermarking) -> None:
        self._channel = channel
        self._watermarking = watermarking
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        """Load the engine, then speak until asked to end."""
        threading.Thread(target=self._listen, name="worker-listener", daemon=True).start()
        request = self._requests.get()
        if not isinstance(request, Load):
            return
        loaded = self._load(request)
        if loaded is None:
            return
        engine, info = loaded
        while True:
            renews = isinstance(engine, Renewable) and engine.may_renew
            with contextlib.suppress(queue.Empty):
                job = self._requests.get(timeout=_RENEWAL_S if renews else None)
                if not isinstance(job, Speak):
                    return
                self._speak(engine, info, job)
            info = self._renewed(engine) or info

    def _listen(self) -> None:
        while True:
            message = self._channel.receive()
            match message:
                case None:
                    # The client has ended. There is nothing to clean up, and the main thread
                    # may be inside native code that never returns.
                    os._exit(0)
                case Cancel():
                    self._cancelled.add(message.job)
                case Shutdown():
                    self._stopping = True
                    self._requests.put(message)
                case _:
                    self._requests.put(message)

    def _load(self, request: Load) -> tuple[Engine, EngineInfo] | None:
        try:
            engine = find_factory(request.target)(request.options)
            info = engine.load(lambda now: self._channel.send(Progress(now)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - raised again by the client
            self._channel.send(_failed(None, error, ModelLoadError))
            return None
        self._report_memory(engine)
        self._offer(info)
        return engine, info

    def _renewed(self, engine: Engine) -> EngineInfo | None:
        """Tell the client which voices the engine has got since."""
        if info := engine.renewed() if isinstance(engine, Renewable) else None:
            self._offer(info)
        return info

    def _offer(self, info: EngineInfo) -> None:
        # Audio that the engine cannot watermark is watermarked here.
        self._channel.send(Loaded(replace(info, watermarks=info.watermarks or can_watermark())))

    def _speak(self, engine: Engine, info: EngineInfo, job: Speak) -> None:
        try:
            for pcm in self._samples(engine, info, job):
                if self._is_cancelled(job.job):
                    break
                self._channel.send(Audio(job.job, pcm))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - raised again by the client
            self._channel.send(_failed(job.job, error, SynthesisFailedError))
        else:
            self._report_memory(engine)
            self._channel.send(Finished(job.job))
        self._cancelled = {number for number in self._cancelled if number > job.job}

    def _samples(self, engine: Engine, info: EngineInfo, job: Speak) -> Iterator[bytes]:
        utterance = Utterance(
            text=said(job.text, job, info),
            voice=job.voice,
            reference=job.reference,
            watermark=job.watermark and info.watermarks,
            upcoming=tuple(upcoming(job, info)),
            speed=job.speed if info.changes_speed else 1.0,
        )
        spoken = engine.synthesize(utterance, lambda: self._is_cancelled(job.job))
        pieces = self._samples_only(job.job, spoken)
        if job.speed != utterance.speed:
            from vieneu_core.audio.tempo import stretched

            pieces = stretched(pieces, info.sample_rate_hz, job.speed)
        if job.watermark and not info.watermarks:
            pieces = self._watermarking.mark(pieces, info.sample_rate_hz)
        return pieces

    def _samples_only(self, job: int, spoken: Iterator[bytes | SpokenBy]) -> Iterator[bytes]:
        """Yield the samples, and tell the client which engine speaks them."""
        for piece in spoken:
            if isinstance(piece, SpokenBy):
                self._channel.send(Speaking(job, piece))
            else:
                yield piece

    def _is_cancelled(self, job: int) -> bool:
        return self._stopping or job in self._cancelled

    def _report_memory(self, engine: Engine) -> None:
        device = engine.memory()
        self._channel.send(Memory(_rss_bytes(), device.gpu_used_gb, device.gpu_total_gb))


def _failed(job: int | None, error: BaseException, unnamed: type[BackendError]) -> Failed:
    """Describe an engine's error; one that is not a `VieneuError` becomes ``unnamed``."""
    if isinstance(error, RequestError | BackendError):
        named: VieneuError = error
    elif isinstance(error, VieneuError):
        # A missing package, for example, is why the model does not load.
        named = unnamed(error.detail, remedy=error.remedy)
    else:
        if not isinstance(error, MemoryError):
            traceback.print_exception(error)  # the client writes it to its log
        # Only the admin, who loads, may see the message of a foreign error.
        named = foreign_failure(error, unnamed, with_message=job is None)
    detail, remedy = (shortened(text, _MAX_WORDS) for text in (named.detail, named.remedy))
    return Failed(job, named.code, detail, remedy)


def _rss_bytes() -> int:
    """Return the resident memory of this process, from proc(5)."""
    try:
        n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return n_pages * os.sysconf("SC_PAGE_SIZE")


def _die_with_parent(parent_pid: int) -> None:
    """Let the kernel end this process when its parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the line above took effect.
    if os.getppid() != parent_pid:
        os._exit(0)


def main(argv: list[str]) -> None:
    """Run the worker; ``argv`` has the socket's file descriptor and the parent's process id."""
    # The parent handles Ctrl-C, and a service manager's SIGTERM to all processes: it may still
    # have messages to send, and ends the worker when it is done.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    _die_with_parent(int(argv[1]))
    with socket.socket(fileno=int(argv[0])) as sock:
        Worker(Channel(sock), Watermarking()).run()


if __name__ == "__main__":
    main(sys.argv[1:])
