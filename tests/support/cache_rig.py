"""A cache before a router over scripted backends, of which each has a sound of its own."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from fake_clock import FakeClock
from guard import GUARD_S
from tone_engine import Heard, expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.config import Settings
from vieneu_core.errors import BackendConnectionError, RateLimitedError
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.speech_cache import CachedBackend, SpeechCache, chosen_by
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.voices.catalogue import VoiceCatalogue

SENTENCES = ("Đây là câu 11 nhé.", "Còn đây là câu 12 nhé.")
TEXT = " ".join(SENTENCES)
LOST = BackendConnectionError("It is gone.")
MAX_BYTES = 10_000_000
SHIFTS = {"remote": 0, "local": 20, "last_resort": 40}
"""How far the tones of a backend are from those of the text: by ear it is known who spoke."""


class Voiced(ScriptedBackend):
    """Speaks "câu 11" as another number, and reports what model it has."""

    def __init__(self, name: str, *, model: str = "script", version: str = "1.0") -> None:
        super().__init__(name=name, clones=True, watermarks=True)
        self.model = model
        self.version = version

    async def health(self) -> Health:
        health = await super().health()
        return replace(health, model=self.model, version=self.version)

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        spoken = [as_spoken_by(self.name, text) async for text in sentences(request.text)]
        async with aclosing(super().stream(replace(request, text=tuple(spoken)))) as chunks:
            async for chunk in chunks:
                yield replace(chunk, speaker=replace(chunk.speaker, model=self.model))


def as_spoken_by(name: str, text: str) -> str:
    """Return the sentence whose tone a backend makes of a sentence."""
    return re.sub(r"câu (\d+)", lambda found: f"câu {int(found[1]) + SHIFTS[name]}", text)


@dataclass
class CacheRig:
    """The parts, and what is asked of them."""

    router: Router
    backend: CachedBackend
    local: Voiced
    remote: Voiced
    last: Voiced
    clock: FakeClock

    async def speak(
        self, text: str | tuple[str, ...] | AsyncIterator[str] = TEXT, **fields: object
    ) -> Speech:
        """Speak, and wait until it is stored."""
        request = SynthesisRequest(text=text, **fields)  # type: ignore[arg-type]
        speech = await collect(self.backend.stream(request))
        await self.backend.flush()
        return speech

    async def n_stored(self) -> int:
        """Entries of the cache, once all that has ended is stored."""
        await self.backend.flush()
        return (await self.backend.cache.count()).entries

    @property
    def n_asked(self) -> int:
        """Requests that came to a backend."""
        return sum(len(b.record.requests) for b in (self.local, self.remote, self.last))

    async def change_remote(self, *, model: str) -> None:
        """Give the server another model, and let the router know it."""
        self.remote.model = model
        await self.router.check("remote")

    async def lose_remote(self) -> None:
        """Let the server be gone, and the router know it."""
        await self.router.unload_backend("remote")


@asynccontextmanager
async def cache_rig(
    folder: Path,
    *,
    mode: Mode = Mode.REMOTE,
    max_bytes: int = MAX_BYTES,
    remote: Voiced | None = None,
    local: dict[str, object] | None = None,
    fallback: bool = True,
    lookup_within_s: float = GUARD_S,
    enabled: Callable[[], bool] | None = None,
) -> AsyncIterator[CacheRig]:
    """Build it over a folder, loaded; what is not ready is not waited for."""
    clock = remote.clock if isinstance(remote, Limited) else FakeClock()
    backends = {
        "local": Voiced("local"),
        "remote": remote or Voiced("remote"),
        "last_resort": Voiced("last_resort"),
    }
    router = Router(
        **backends,  # type: ignore[arg-type]
        mode=mode,
        policy=RouterPolicy(retry_for_s=0.0, fallback_enabled=fallback),
        clock=clock,
        rng=random.Random(7),
    )
    cache = SpeechCache(
        folder / "speech",
        max_bytes=max_bytes,
        voices=VoiceCatalogue(folder / "voices"),
        clock=clock,
        lookup_within_s=lookup_within_s,
    )
    settings = Settings.model_validate({"local": local or {}})
    backend = CachedBackend(
        router, cache, chosen=chosen_by(router, settings), enabled=enabled or (lambda: True)
    )
    async with backend:
        yield CacheRig(
            router,
            backend,
            backends["local"],
            backends["remote"],
            backends["last_resort"],
            clock,
        )


def spoken_by(speech: Speech, name: str, *texts: str, speed: float = 1.0) -> bool:
    """Whether these sentences are heard, whole and in order, as this backend speaks them."""
    tones = heard(speech.pcm, speech.sample_rate_hz)
    return same(tones, [_tone(name, text, speed) for text in texts])


def _tone(name: str, text: str, speed: float) -> Heard:
    return expected(as_spoken_by(name, text), speed=speed)


def is_away(backend: ScriptedBackend) -> None:
    """Make a backend one that cannot be reached."""
    from vieneu_core.errors import BackendConnectionError

    backend.load_error = BackendConnectionError("It is away.")
    backend.reported = Health(state=BackendState.UNLOADED)


@dataclass
class LeapingClock:
    """A clock in which each sleep moves another clock on, so that nothing else does."""

    clock: FakeClock

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def now(self) -> datetime:
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self.clock.advance(seconds)


class Limited(Voiced):
    """Refuses what exceeds its requests per minute, as a server does."""

    def __init__(self, *, per_minute: int) -> None:
        super().__init__("remote")
        self.clock = FakeClock()
        self.per_minute = per_minute
        self.sent_at_s: list[float] = []
        self.n_refused = 0

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        now_s = self.clock.monotonic()
        recent = [at_s for at_s in self.sent_at_s if at_s > now_s - 60]
        if len(recent) >= self.per_minute:
            self.n_refused += 1
            raise RateLimitedError("Too many.", retry_after_s=recent[0] + 60 - now_s)
        self.sent_at_s.append(now_s)
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk
