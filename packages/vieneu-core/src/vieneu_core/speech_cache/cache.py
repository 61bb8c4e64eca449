"""The cache on disk as the event loop sees it: lookups that never hold up speech, and counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from vieneu_core.audio.pauses import without_long_lead
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import BadAudioError, ConfigurationError, TextTooLongError
from vieneu_core.speech_cache.admission import Lookup
from vieneu_core.speech_cache.entry import encode_entry
from vieneu_core.speech_cache.identity import Chosen
from vieneu_core.speech_cache.stored_speech import StoredSpeech
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.translatable import Translatable
from vieneu_core.voices.catalogue import VoiceCatalogue

T = TypeVar("T")
LOOKUP_WITHIN_S = 2.0
"""A disk that has not answered by then is slower than speaking anew."""
OPEN_WITHIN_S = 5.0
_PCM_PER_ENTRY = 4
"""FLAC makes speech smaller by less than this."""
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """What was counted since the cache was made."""

    hits: int = 0
    """Sentences that were found."""
    misses: int = 0
    """Sentences that were not."""
    stored: int = 0
    bytes: int = 0
    """Bytes on the disk, after the last use."""
    hit_s: float = 0.0
    """Seconds that all hits together took, each from its search to its audio."""

    @property
    def hit_rate(self) -> float:
        """Share of the lookups that found speech."""
        return _share(self.hits, self.misses)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCount:
    """What is in the folder, for all processes alike."""

    entries: int
    hits: int
    misses: int
    bytes: int
    """Bytes on the disk."""

    @property
    def hit_rate(self) -> float:
        """Share of the lookups that found speech."""
        return _share(self.hits, self.misses)


def _share(hits: int, misses: int) -> float:
    return hits / (hits + misses) if hits else 0.0


class SpeechCache:
    """A folder of finished speech; several processes may share it.

    Whatever is wrong with the folder is said once in the log, and by `problem`; meanwhile nothing
    is found.

    Args:
        folder: Made where it is missing, for its owner alone.
        max_bytes: Most that it may take on the disk; what was not used for longest goes first.
        voices: Voices that were added: each counts by its clip.
        clock: Time, for `CacheStats.hit_s`.
        lookup_within_s: Longest wait for the disk before a request is spoken without the cache.
        on_lookup: Called for each lookup that counts, with the seconds that a hit took; None is a
            miss.
    """

    def __init__(  # noqa: PLR0913 - its parts and limits, each once
        self,
        folder: Path,
        *,
        max_bytes: int,
        voices: VoiceCatalogue | None = None,
        clock: Clock | None = None,
        lookup_within_s: float = LOOKUP_WITHIN_S,
        on_lookup: Callable[[float | None], None] | None = None,
    ) -> None:
        self._stored = StoredSpeech(folder, max_bytes, voices)
        self._clock = clock or SystemClock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vieneu-speech-cache")
        self._lookup_within_s = lookup_within_s
        self._on_lookup = on_lookup
        self._overdue: asyncio.Future[Lookup | None] | None = None
        self._stats = CacheStats()
        self._n_bytes = 0
        self.problem: ConfigurationError | None = None
        """Why the folder could not be used; kept until speech is stored or it is opened again."""

    @property
    def max_pcm_bytes(self) -> int:
        """Samples that are too many for an entry, in bytes."""
        return self._stored.database.max_entry_bytes * _PCM_PER_ENTRY

    def stats(self) -> CacheStats:
        """Return what was counted."""
        return replace(self._stats, bytes=self._n_bytes)

    async def open(self) -> None:
        """Make ready, so that the first request does not wait for that, or at least begin to.

        A failure is a `problem`, which is not raised; one of before is forgotten.
        """
        self.problem = None
        opening = asyncio.get_running_loop().run_in_executor(self._thread, self._opened)
        await asyncio.wait({opening}, timeout=OPEN_WITHIN_S)

    async def find(
        self, chosen: Chosen, request: SynthesisRequest, sentence: str, *, preparing: bool = False
    ) -> Lookup | None:
        """Search the speech of a sentence.

        Args:
            chosen: The backend that shall speak.
            request: How it shall speak.
            sentence: As the backend gets it.
            preparing: Whether nobody waits to hear it: then there is no hurry, and it is no use of
                the cache that counts.

        Returns:
            None where the folder cannot be used, or does not answer in time.
        """
        if not preparing and self._overdue is not None and not self._overdue.done():
            return None
        began_s = self._clock.monotonic()
        search = asyncio.get_running_loop().run_in_executor(
            self._thread, self._searched, chosen, request, sentence, not preparing
        )
        done, _ = await asyncio.wait({search}, timeout=None if preparing else self._lookup_within_s)
        if not done:
            self._overdue = search
        found = search.result() if done else None
        if preparing:
            return found
        if found is not None and found.speech is not None:
            self._count(self._clock.monotonic() - began_s)
        else:
            self._count(None)
        return found

    async def store(self, lookup: Lookup, chosen: Chosen, speech: Speech) -> None:
        """Store finished speech.

        Args:
            lookup: Of its sentence, made before it was spoken.
            chosen: The backend as it was after the speech.
            speech: Of that sentence, as it came.

        Raises:
            VieneuError: it may not be stored (see `speaking_identity` and `heard_voice`).
            TextTooLongError: it takes too many bytes.
            ConfigurationError: the folder cannot be used.
        """
        key = await self._run(self._stored.key_for, lookup, chosen, speech)
        if key is None:
            raise BadAudioError("The voice changed while it spoke; the speech is not stored.")
        alone = Speech(without_long_lead(speech.chunks))
        entry = await asyncio.to_thread(encode_entry, key, alone)
        if entry is None:
            raise BadAudioError("The speech cannot be stored without loss.")
        self.check_size(len(entry))
        await self._run(self._stored.put, key, entry)
        self.problem = None
        self._stats = replace(self._stats, stored=self._stats.stored + 1)

    def check_size(self, n_bytes: int) -> None:
        """Make sure that an entry may take so many bytes.

        Raises:
            TextTooLongError: it may not.
        """
        most = self._stored.database.max_entry_bytes
        if n_bytes > most:
            raise TextTooLongError(
                Translatable(
                    "The speech takes {n_bytes} bytes; at most {most} are stored.",
                    n_bytes=n_bytes,
                    most=most,
                ),
                remedy="Raise cache.max_bytes in the settings, or shorten the text.",
            )

    async def count(self) -> StoredCount:
        """Count what is stored.

        Raises:
            ConfigurationError: the folder cannot be used.
        """
        entries, hits, misses = await self._run(self._stored.database.count)
        return StoredCount(entries=entries, hits=hits, misses=misses, bytes=self._n_bytes)

    async def clear(self) -> None:
        """Remove everything.

        Raises:
            ConfigurationError: the folder cannot be used.
        """
        await self._run(self._stored.clear)
        self.problem = None

    async def release(self) -> None:
        """Close the files; any use opens them again."""
        with suppress(RuntimeError):  # its thread has ended
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self._stored.database.close
            )

    async def aclose(self) -> None:
        """Close the files for good. Closing twice changes nothing."""
        await self.release()
        await asyncio.to_thread(self._thread.shutdown)

    def _count(self, hit_s: float | None) -> None:
        known = self._stats
        if hit_s is None:
            self._stats = replace(known, misses=known.misses + 1)
        else:
            self._stats = replace(known, hits=known.hits + 1, hit_s=known.hit_s + hit_s)
        if self._on_lookup is not None:
            self._on_lookup(hit_s)

    async def _run(self, call: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._noted, call, *args)

    def _opened(self) -> None:
        import_module("av")  # decodes what is found
        with suppress(ConfigurationError):
            self._noted(self._stored.database.prepare)

    def _searched(
        self, chosen: Chosen, request: SynthesisRequest, sentence: str, counted: bool
    ) -> Lookup | None:
        with suppress(ConfigurationError):
            return self._noted(self._stored.find, chosen, request, sentence, counted)
        return None

    def _noted(self, call: Callable[..., T], *args: object) -> T:
        """Make a call on the thread, and note whether the folder can be used."""
        try:
            result = call(*args)
        except ConfigurationError as error:
            if self.problem is None:
                _LOGGER.warning("%s", error)
            self.problem = error
            raise
        self._n_bytes = self._stored.database.n_bytes
        return result
