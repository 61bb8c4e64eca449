"""A router before which a cache stands: what its chosen voice has spoken before is replayed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from vieneu_core.arguments import expect
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.errors import BadAudioError, UnpronounceableError, VieneuError
from vieneu_core.router import Router
from vieneu_core.speech_cache.admission import Lookup, refuse_fallback
from vieneu_core.speech_cache.cache import SpeechCache
from vieneu_core.speech_cache.identity import MAX_CHARS, Chosen, sentences_of
from vieneu_core.synthesis import Speech, SynthesisRequest, check_request
from vieneu_core.text.reading import Reading
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

_LOGGER = logging.getLogger(__name__)


class CachedBackend(Backend):
    """Replays each sentence that the chosen voice has spoken before, and stores the others.

    A sentence that is found is replayed before any backend is asked. It owns the router and the
    cache, and closes them.

    Args:
        router: Speaks what is not in the cache.
        cache: Where speech is found and stored.
        chosen: Describes the backend that shall speak now; costs nothing.
        preparing: Speaks what `prepare` is asked for, such as the same router measured apart; it
            is loaded and closed by others. None takes ``router``.
        enabled: Whether speech is replayed and stored now; asked for each request.

    Raises:
        ConfigurationError: an argument is of the wrong type.
    """

    def __init__(
        self,
        router: Router,
        cache: SpeechCache,
        *,
        chosen: Callable[[], Chosen],
        preparing: Backend | None = None,
        enabled: Callable[[], bool] = lambda: True,
    ) -> None:
        expect("router", router, Router, "a Router")
        expect("cache", cache, SpeechCache, "a SpeechCache")
        self.cache = cache
        self._router = router
        self._preparing = router if preparing is None else preparing
        self._chosen = chosen
        self._enabled = enabled
        self._lifetime = Lifetime("The speech cache", backend=router.name)
        self._loaded = False
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """Name of the router."""
        return self._router.name

    @property
    def enabled(self) -> bool:
        """Whether speech is replayed and stored now."""
        return self._enabled()

    async def load(self) -> None:
        """Load the router, and open the cache meanwhile, if it is enabled.

        Raises:
            BackendError: no backend can be made ready.
        """
        self._lifetime.require_open()
        opening = [asyncio.create_task(self.cache.open())] if self.enabled else []
        try:
            await self._router.load()
        finally:
            await asyncio.gather(*opening)
        self._loaded = True

    async def unload(self) -> None:
        """Unload the router; speech that is being stored is stored."""
        self._lifetime.use()
        self._loaded = False
        await self._router.unload()
        await self.flush()
        await self.cache.release()

    async def aclose(self) -> None:
        """As `unload`, for good."""
        self._lifetime.close()
        self._loaded = False
        await self._router.aclose()
        await self.flush()
        await self.cache.aclose()

    async def health(self) -> Health:
        """Return the health of the router."""
        return await self._router.health()

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the router."""
        return await self._router.voices()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Replay the sentences of a request, or speak them; see `Backend.stream`."""
        check_request(request)
        self._require_loaded()

        first = self._chosen()

        async def find(sentence: str) -> Lookup | None:
            now = self._chosen()
            if (now.name, now.options) != (first.name, first.options):
                return None  # another choice is for the requests that start after it
            return await self.cache.find(now, request, sentence)

        is_kept = self.enabled and not _is_long(request)
        memory = _RequestMemory(find, self._keep) if is_kept else None
        async with aclosing(self._router.stream(request, memory=memory)) as chunks:
            async for chunk in chunks:
                self._require_loaded()
                yield chunk

    async def prepare(self, request: SynthesisRequest) -> bool:
        """Speak a request unheard, by the chosen backend alone, and store its sentences.

        Returns:
            Whether anything was spoken: False where all of it is stored already.

        Raises:
            BackendError: the chosen backend cannot speak it.
            RequestError: it cannot be spoken, or not be stored.
            UnpronounceableError: it lacks a sentence that nobody can pronounce.
            ConfigurationError: the cache cannot be used.
        """
        check_request(request)
        self._require_loaded()
        reading = self._router.reading.now
        unheard: list[str] = []
        lookups: list[Lookup] = []
        for written, sentences in sentences_of(request, reading):
            found = [await self._find(request, sentence) for sentence in sentences]
            if any(lookup.speech is None for lookup in found):
                unheard.append(written)
                lookups += found
        if unheard:
            await self._prepare(replace(request, text=tuple(unheard)), lookups, reading)
        return bool(unheard)

    async def _find(self, request: SynthesisRequest, sentence: str) -> Lookup:
        lookup = await self.cache.find(self._chosen(), request, sentence, preparing=True)
        if lookup is None:
            raise self.cache.problem or self._lifetime.not_loaded()
        return lookup

    async def _prepare(
        self, request: SynthesisRequest, lookups: list[Lookup], reading: Reading
    ) -> None:
        """Speak the sentences of a request; each is stored once it is complete."""
        sentence: list[AudioChunk] = []
        async with aclosing(self._preparing.stream(request)) as chunks:
            async for chunk in chunks:
                sentence = [] if chunk.restarted else sentence
                sentence.append(chunk)
                n_bytes = sum(len(part.pcm) for part in sentence)
                if chunk.final and not n_bytes:
                    raise UnpronounceableError(
                        Translatable(
                            "Sentence {number} cannot be pronounced; the speech is not stored.",
                            number=chunk.sentence + 1,
                        )
                    )
                refuse_fallback([chunk.speaker], self._chosen())
                if n_bytes > self.cache.max_pcm_bytes:
                    self.cache.check_size(n_bytes)
                if not chunk.final:
                    continue
                if self._router.reading.now.dictionary != reading.dictionary:
                    raise BadAudioError("The dictionary has changed meanwhile; it is not stored.")
                spoken, sentence = Speech(tuple(sentence)), []
                await self.cache.store(lookups[chunk.sentence], self._chosen(), spoken)

    async def flush(self) -> None:
        """Wait until all speech that has ended is stored."""
        while self._storing:
            await asyncio.wait(self._storing)

    def _require_loaded(self) -> None:
        self._lifetime.require_open()
        if not self._loaded:
            raise self._lifetime.not_loaded()

    def _keep(self, lookup: Lookup, chunks: Sequence[AudioChunk]) -> None:
        """Store in the background: a stream does not wait for the disk."""
        if not (self._loaded and self.enabled):
            return
        if sum(len(chunk.pcm) for chunk in chunks) > self.cache.max_pcm_bytes:
            return
        task = asyncio.create_task(self._try_to_store(lookup, self._chosen(), tuple(chunks)))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _try_to_store(
        self, lookup: Lookup, chosen: Chosen, chunks: tuple[AudioChunk, ...]
    ) -> None:
        try:
            await self.cache.store(lookup, chosen, Speech(chunks))
        except VieneuError as error:  # a folder that cannot be used is the cache's `problem`
            _LOGGER.debug("Speech is not stored: %s", error.detail)


@dataclass(frozen=True, slots=True)
class _Searched:
    """A sentence that was looked up."""

    lookup: Lookup
    store: Callable[[Lookup, Sequence[AudioChunk]], None]

    @property
    def speech(self) -> Speech | None:
        return self.lookup.speech

    def keep(self, chunks: Sequence[AudioChunk]) -> None:
        self.store(self.lookup, chunks)


class _RequestMemory:
    """Memory of one request: of its sentences, as far as it is no longer than an announcement."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[Lookup | None]],
        store: Callable[[Lookup, Sequence[AudioChunk]], None],
    ) -> None:
        self._find = find
        self._store = store
        self._n_chars = 0

    async def find(self, sentence: str) -> _Searched | None:
        self._n_chars += len(sentence)
        lookup = await self._find(sentence) if self._n_chars <= MAX_CHARS else None
        return None if lookup is None else _Searched(lookup, self._store)


def _is_long(request: SynthesisRequest) -> bool:
    """Return whether a text is no announcement: it would drive those out of the cache."""
    text = request.text
    if not isinstance(text, str | tuple):
        return False  # not known before its end
    return (len(text) if isinstance(text, str) else sum(map(len, text))) > MAX_CHARS
