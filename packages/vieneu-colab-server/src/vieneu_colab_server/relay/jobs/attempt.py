"""One try to speak one sentence, which an announcement may interrupt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_colab_server.relay.jobs.errors import ChosenVoiceAwayError
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest, collect
from vieneu_core.translatable import Translatable

FindReference = Callable[[str | None], ReferenceAudio | None]
"""Returns the clip of an uploaded voice by its id; None where the backend knows the voice."""


def no_reference(_: str | None) -> None:
    """Return None: there are no uploaded voices."""


class InterruptedByAnnouncementError(Exception):
    """The sentence was given up, so that an announcement need not wait for it."""


class Announcements:
    """Whether announcements are waiting or being spoken, which go before jobs.

    Args:
        busy: Says so, at no cost.
        clock: Waits between two questions: nobody reports a change.
        check_s: How long it waits, in seconds.
    """

    def __init__(self, busy: Callable[[], bool], clock: Clock, check_s: float) -> None:
        self._busy = busy
        self._clock = clock
        self._check_s = check_s

    async def over(self) -> None:
        """Wait until there are none."""
        while self._busy():
            await self._clock.sleep(self._check_s)

    async def begun(self) -> None:
        """Wait until there are some."""
        while not self._busy():
            await self._clock.sleep(self._check_s)


async def speak(backend: Backend, request: SynthesisRequest, *, refuse_fallback: bool) -> Speech:
    """Speak a request.

    Raises:
        ChosenVoiceAwayError: a fallback speaks, and that is refused; its synthesis is stopped.
        VieneuError: whatever `Backend.stream` raises.
    """
    async with aclosing(backend.stream(request)) as chunks:
        return await collect(_chosen(chunks) if refuse_fallback else chunks)


async def speak_unless(
    announcements: Announcements,
    backend: Backend,
    request: SynthesisRequest,
    *,
    refuse_fallback: bool,
) -> Speech:
    """Speak a request, and give it up once an announcement comes.

    Raises:
        InterruptedByAnnouncementError: one came.
        VieneuError: whatever `speak` raises.
    """
    speaking = asyncio.create_task(speak(backend, request, refuse_fallback=refuse_fallback))
    watching = asyncio.create_task(announcements.begun())
    try:
        await asyncio.wait({speaking, watching}, return_when=asyncio.FIRST_COMPLETED)
        if speaking.done():
            return speaking.result()
        raise InterruptedByAnnouncementError
    finally:
        speaking.cancel()
        watching.cancel()
        await asyncio.gather(speaking, watching, return_exceptions=True)


async def _chosen(chunks: AsyncGenerator[AudioChunk, None]) -> AsyncGenerator[AudioChunk, None]:
    async for chunk in chunks:
        if chunk.speaker.fallback:
            raise ChosenVoiceAwayError(
                Translatable(
                    "{backend} would speak with the voice {voice} in place of the chosen one.",
                    backend=chunk.speaker.backend,
                    voice=chunk.speaker.voice,
                ),
                backend=chunk.speaker.backend,
            )
        yield chunk
