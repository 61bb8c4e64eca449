"""Memory of what the admin's choice has spoken before, and its replay in a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.router.outbox import Outbox
from vieneu_core.router.received_sentence import ReceivedSentence
from vieneu_core.synthesis import Speech


class Remembered(Protocol):
    """What is known of one sentence."""

    @property
    def speech(self) -> Speech | None:
        """As the admin's choice has spoken it before; None if it has not."""
        ...

    def keep(self, chunks: Sequence[AudioChunk]) -> None:
        """Take the complete speech of the sentence, whoever spoke it. Returns at once."""
        ...


class Memory(Protocol):
    """Speech of the sentences of one request, such as that in a cache."""

    async def find(self, sentence: str) -> Remembered | None:
        """Search a sentence; None if it can be neither found nor kept. Never fails."""
        ...


class Replay:
    """Replays the sentences of one request that were spoken before, and keeps the others.

    Args:
        memory: Where they are found; None remembers nothing.
        outbox: Where the audio goes.
    """

    def __init__(self, memory: Memory | None, outbox: Outbox) -> None:
        self._memory = memory
        self._outbox = outbox
        self._known: dict[int, Remembered | None] = {}
        """By index of the sentence: of those that were searched and not yet spoken."""

    async def begin(self, rest: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """Replay what was spoken before of the next sentences, up to the first that was not.

        Returns:
            How many were replayed, and those after them that a backend has to speak now: up to the
            next one that was spoken before.
        """
        n_replayed = 0
        for text in rest:
            speech = await self._speech(self._outbox.n_complete, text)
            if speech is None:
                break
            await self._release(speech)
            n_replayed += 1
        missed = rest[n_replayed : n_replayed + 1]
        for text in rest[n_replayed + 1 :]:
            if await self._speech(self._outbox.n_complete + len(missed), text) is not None:
                break
            missed += (text,)
        return n_replayed, missed

    def spoken(self, index: int, chunks: Sequence[AudioChunk]) -> None:
        """Take the complete speech of a sentence."""
        if (known := self._known.pop(index, None)) is not None:
            known.keep(chunks)

    async def _speech(self, index: int, text: str) -> Speech | None:
        if self._memory is None:
            return None
        if index not in self._known:
            self._known[index] = await self._memory.find(text)
        known = self._known[index]
        return None if known is None else known.speech

    async def _release(self, speech: Speech) -> None:
        outbox = self._outbox
        del self._known[outbox.n_complete]
        await outbox.make_room()
        sentence = ReceivedSentence(begun=True)
        outbox.rate_hz = outbox.rate_hz or speech.sample_rate_hz
        for chunk in speech.chunks:
            placed = replace(chunk, sentence=outbox.n_complete)
            await sentence.add(placed, rate_hz=outbox.rate_hz)
        outbox.release(sentence)
