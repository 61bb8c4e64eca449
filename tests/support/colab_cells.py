"""Cells of the notebook, run in the process of the test."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

from pydantic import SecretStr

from vieneu_colab_server import colab
from vieneu_colab_server.colab.relay import Relay
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

TONES = EngineSpec("tone_engine:create")
TOKEN = "token-of-the-house-0123456789-abcdef"
SLOW = """
import time
from tone_engine import ToneEngine
from vieneu_core.engines.base import LoadProgress

class Slow(ToneEngine):
    def load(self, progress):
        for n in range(12):
            progress(LoadProgress("weights", n * 10**7, 12 * 10**7 if n > 6 else None))
            time.sleep(0.25)
        progress(LoadProgress("warming up"))
        time.sleep(1.2)
        return super().load(progress)

def create(options):
    options.pop("model"), options.pop("codec", None)
    return Slow(options)
"""


def answering(answer: str) -> Callable[[str], str]:
    return lambda _prompt: answer


def refusing(_prompt: str) -> str:
    raise EOFError


def run_as_cell(relay: Relay, then: Callable[[], None]) -> None:
    """Launch as a cell does, on the main thread; stop it as ■ does, once ``then`` has returned."""

    ended, failures = threading.Event(), list[BaseException]()

    def stop() -> None:
        time.sleep(0.5)  # the cell has begun
        try:
            then()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test sees it
            failures.append(error)
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        colab.launch(relay)
    finally:
        ended.set()
        stopping.join()
    for failure in failures:
        raise failure


def heard_s(url: str, token: SecretStr) -> float:
    async def listen() -> float:
        backend = RemoteBackend(url, token)
        try:
            await backend.load()
            return (await synthesize(backend, SynthesisRequest(text="Xin chào."))).seconds
        finally:
            await backend.aclose()

    return asyncio.run(listen())
