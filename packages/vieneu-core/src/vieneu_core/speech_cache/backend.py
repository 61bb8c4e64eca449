"""A backend before which a cache stands: what it has spoken before is replayed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

from vieneu_core.arguments import expect
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.errors import UnpronounceableError, VieneuError
from vieneu_core.speech_cache.admission import Lookup, refuse_fallback
from vieneu_core.speech_cache.cache import SpeechCache
from vieneu_core.speech_cache.identity import Chosen, sentences_of
from vieneu_core.synthesis import SynthesisRequest, check_request, collect
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

_LOGGER = logging.getLogger(__name__)


class CachedBackend(Backend):
    """Replays what was spoken before; all else is streamed as it comes, and stored at its end.

    It owns the backend and the cache, and closes them.

    Args:
        backend: Speaks what is not in the cache, such as a router.
        cache: Where speech is found and stored.
        chosen: Describes the backend that shall speak now; costs nothing.
        preparing: Speaks what `prepare` is asked for, such as the same backend measured apart; it
            is loaded and closed by others. None takes ``backend``.

    Raises:
        ConfigurationError: an argument is of the wrong type.
    """

    def __init__(
        self,
        backend: Backend,
        cache: SpeechCache,
        *,
        chosen: Callable[[], Chosen],
        preparing: Backend | None = None,
    ) -> None:
        expect("backend", backend, Backend, "a backend, such as a Router")
        expect("cache", cache, SpeechCache, "a SpeechCache")
        self.cache = cache
        self._backend = backend
        self._preparing = backend if preparing is None else preparing
        self._chosen = chosen
        self._lifetime = Lifetime("The speech cache", backend=backend.name)
        self._loaded = False
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """Name of the backend behind the cache."""
        return self._backend.name

    async def load(self) -> None:
        """Load the backend, and open the cache meanwhile.

        Raises:
            BackendError: the backend cannot be made ready.
        """
        self._lifetime.require_open()
        opening = asyncio.create_task(self.cache.open())
        try:
            await self._backend.load()
        finally:
            await opening
        self._loaded = True

    async def unload(self) -> None:
        """Unload the backend; speech that is being stored is stored."""
        self._lifetime.use()
        self._loaded = False
        await self._backend.unload()
        await self.flush()
        await self.cache.release()

    async def aclose(self) -> None:
        """As `unload`, for good."""
        self._lifetime.close()
        self._loaded = False
        await self._backend.aclose()
        await self.flush()
        await self.cache.aclose()

    async def health(self) -> Health:
        """Return the health of the backend."""
        return await self._backend.health()

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the backend."""
        return await self._backend.voices()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Replay a request, or speak it; see `Backend.stream`."""
        check_request(request)
        self._require_loaded()
        lookup = await self.cache.find(self._chosen(), request)
        if lookup is not None and lookup.speech is not None:
            for chunk in lookup.speech.chunks:
                self._require_loaded()
                yield chunk
            return
        recording = _Recording(self.cache.max_pcm_bytes if lookup is not None else 0)
        async with aclosing(self._backend.stream(request)) as chunks:
            async for chunk in chunks:
                recording.add(chunk)
                yield chunk
        if lookup is not None and recording.usable and self._loaded:
            self._keep(lookup, recording.chunks)

    async def prepare(self, request: SynthesisRequest) -> bool:
        """Speak a request unheard, by the chosen backend alone, and store it.

        Returns:
            Whether it was spoken: False where it is stored already.

        Raises:
            BackendError: the chosen backend cannot speak it.
            RequestError: it cannot be spoken, or not be stored.
            UnpronounceableError: it lacks a sentence that nobody can pronounce.
            ConfigurationError: the cache cannot be used.
        """
        check_request(request)
        self._require_loaded()
        chosen = self._chosen()
        sentences_of(request, chosen.reading)
        lookup = await self.cache.find(chosen, request, preparing=True)
        if lookup is None:
            raise self.cache.problem or self._lifetime.not_loaded()
        if lookup.speech is not None:
            return False
        recording = _Recording(self.cache.max_pcm_bytes)
        async with aclosing(self._preparing.stream(request)) as chunks:
            async for chunk in chunks:
                recording.add(chunk)
                if recording.skipped is not None:
                    raise UnpronounceableError(
                        Translatable(
                            "Sentence {number} cannot be pronounced; the speech is not stored.",
                            number=recording.skipped + 1,
                        )
                    )
                refuse_fallback([chunk.speaker], self._chosen())
                if not recording.usable:
                    self.cache.check_size(recording.n_bytes)
        await self._store(lookup, self._chosen(), recording.chunks)
        return True

    async def flush(self) -> None:
        """Wait until all speech that has ended is stored."""
        while self._storing:
            await asyncio.wait(self._storing)

    def _require_loaded(self) -> None:
        self._lifetime.require_open()
        if not self._loaded:
            raise self._lifetime.not_loaded()

    def _keep(self, lookup: Lookup, chunks: list[AudioChunk]) -> None:
        """Store in the background: the end of a stream does not wait for the disk."""
        task = asyncio.create_task(self._try_to_store(lookup, self._chosen(), chunks))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _try_to_store(self, lookup: Lookup, chosen: Chosen, chunks: list[AudioChunk]) -> None:
        try:
            await self._store(lookup, chosen, chunks)
        except VieneuError as error:  # a folder that cannot be used is the cache's `problem`
            _LOGGER.debug("Speech is not stored: %s", error.detail)

    async def _store(self, lookup: Lookup, chosen: Chosen, chunks: list[AudioChunk]) -> None:
        await self.cache.store(lookup, chosen, await collect(_replayed(chunks)))


class _Recording:
    """Chunks as they come, until they are too many, or a fallback's, or lack a sentence."""

    def __init__(self, max_bytes: int) -> None:
        self.chunks: list[AudioChunk] = []
        self.usable = max_bytes > 0
        self.n_bytes = 0
        self.skipped: int | None = None
        """Index of a sentence without samples: none of the backends can pronounce it."""
        self._max_bytes = max_bytes
        self._spoken = False  # the current sentence

    def add(self, chunk: AudioChunk) -> None:
        """Keep a chunk."""
        self.n_bytes += len(chunk.pcm)
        self._spoken |= bool(chunk.pcm)
        if chunk.final:
            self.skipped = self.skipped if self._spoken else chunk.sentence
            self._spoken = False
        skipped = self.skipped is not None
        if self.n_bytes > self._max_bytes or chunk.speaker.fallback or skipped:
            self.usable = False
            self.chunks.clear()
        if self.usable:
            self.chunks.append(chunk)


async def _replayed(chunks: Iterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    for chunk in chunks:
        yield chunk
