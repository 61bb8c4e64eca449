"""One sentence for the worker, as its client keeps it."""

from __future__ import annotations

import asyncio

from vieneu_core.audio.listener import Listener
from vieneu_core.engines.base import SpokenBy, Utterance
from vieneu_core.errors import BackendError, RequestError


class Job:
    """A sentence, its audio, and its state."""

    def __init__(self, utterance: Utterance, speed: float, listener: Listener) -> None:
        self.utterance = utterance
        self.speed = speed
        self.listener = listener
        self.number = 0
        """Number at the worker; 0 until its turn has come."""
        self.called = asyncio.Event()
        """Set when its turn has come, or the worker has gone meanwhile."""
        # Unbounded, so that a slow consumer never blocks the engine for others. A sentence
        # is short: 300 characters are about 2 MB.
        self.audio: asyncio.Queue[bytes | SpokenBy | None] = asyncio.Queue()
        self.error: BackendError | RequestError | None = None
        self.ended = asyncio.Event()
        self.cancelled = False

    def end(self, error: BackendError | RequestError | None = None) -> None:
        """End it, with an error if it failed."""
        self.error = error
        self.ended.set()
        self.audio.put_nowait(None)
