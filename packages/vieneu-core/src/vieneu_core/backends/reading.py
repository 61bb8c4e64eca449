"""A backend before which texts are read as the user chose: with a dictionary and with pauses.

A router does the same for all its backends; this is for one that serves alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.arguments import expect, expect_optional
from vieneu_core.audio.pauses import NATURAL_PAUSES, Pauses
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, Health
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.synthesis import MAX_REQUEST_ID_LENGTH, SynthesisRequest, check_request
from vieneu_core.text.current_reading import CurrentReading, Entries
from vieneu_core.text.reading import Reader
from vieneu_core.voices import Voice


class ReadingBackend(Backend):
    """Speaks by another backend, which it owns and closes.

    Args:
        backend: Speaks.
        pauses: Silence between two sentences.
        dictionary: The user's entries, or the file that has them.
        clock: Time.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        pauses: Pauses = NATURAL_PAUSES,
        dictionary: Entries | None = None,
        clock: Clock | None = None,
    ) -> None:
        expect("backend", backend, Backend, "a backend, such as LocalBackend('espeak')")
        expect("pauses", pauses, Pauses, "Pauses, such as NATURAL_PAUSES")
        expect_optional("clock", clock, Clock, "a Clock")
        self._backend = backend
        self._clock = clock or SystemClock()
        self._reading = CurrentReading(dictionary, lambda: pauses, self._clock)

    @property
    def name(self) -> str:
        """Name of the backend that speaks."""
        return self._backend.name

    async def load(self) -> None:
        """Load the backend, and read the dictionary.

        Raises:
            BackendError: the backend cannot be made ready.
        """
        await self._backend.load()
        await self._reading.start()

    async def unload(self) -> None:
        """Unload the backend; the file of the dictionary is not followed any more."""
        await self._reading.stop()
        await self._backend.unload()

    async def aclose(self) -> None:
        """As `unload`, for good."""
        await self._reading.stop()
        await self._backend.aclose()

    async def health(self) -> Health:
        """Return the health of the backend."""
        return await self._backend.health()

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the backend."""
        return await self._backend.voices()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`."""
        check_request(request)
        reader = Reader(self._reading.now, speed=request.speed)
        async with aclosing(reader.paced(self._spoken(request, reader))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _spoken(
        self, request: SynthesisRequest, reader: Reader
    ) -> AsyncGenerator[AudioChunk, None]:
        if isinstance(request.text, str | tuple):
            read = replace(request, text=reader.texts(request.text))
            async with aclosing(self._backend.stream(read)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        n_spoken = 0
        async with aclosing(reader.passages(request.text, self._clock)) as passages:
            async for passage in passages:
                suffix = f"-{n_spoken}" if n_spoken else ""
                request_id = request.request_id[: MAX_REQUEST_ID_LENGTH - len(suffix)] + suffix
                part = replace(request, text=passage, request_id=request_id)
                async with aclosing(self._backend.stream(part)) as chunks:
                    async for chunk in chunks:
                        yield replace(chunk, sentence=n_spoken + chunk.sentence)
                n_spoken += len(passage)
