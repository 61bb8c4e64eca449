"""Test double: a `Backend` that plays a script. Needs no engine, process or network.

Each sentence is spoken as a tone whose pitch and length follow from its text (`sentence_tone`),
so that a test can check the audio that a router, a server or an encoder returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from vieneu_core.arguments import expect, expect_optional, items_of, refuse, whole_number
from vieneu_core.audio.pcm import MAX_RATE_HZ, AudioChunk, Speaker
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    BackendError,
    CloningUnsupportedError,
    VieneuError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.testing.tone import in_chunks, sentence_tone
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice, choose_voice

MODEL = "script"
DEFAULT_VOICES = (
    Voice(id="vi-tone", name="Âm thử", language="vi"),
    Voice(id="en-tone", name="Test tone", language="en"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptStep:
    """Behaviour for one request. By default it is spoken without failure.

    The fields take effect once, at one point: in sentence ``at_sentence``, after ``after_chunks``
    chunks of it. The order is delay, hold, error or truncation.
    """

    at_sentence: int = 0
    after_chunks: int = 0
    delay_s: float = 0.0
    """Seconds to wait at that point."""
    hold: asyncio.Event | None = None
    """Event to wait for at that point."""
    error: VieneuError | None = None
    """Exception to raise at that point."""
    truncate: bool = False
    """Whether to end the stream there without an error, as no backend should."""
    chunk_delay_s: float = 0.0
    """Seconds to wait before every chunk."""


@dataclass(slots=True)
class Record:
    """Requests to a `ScriptedBackend`, and their progress."""

    requests: list[SynthesisRequest] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    """Sentences whose first chunk was made, or was next."""
    finished: list[str] = field(default_factory=list)
    """Sentences whose final chunk was consumed."""
    closed_early: int = 0
    """Number of streams that were closed before their end."""
    loads: int = 0
    unloads: int = 0
    health_checks: int = 0


class _CutShortError(Exception):
    """The script ends the stream here."""


class ScriptedBackend(Backend):
    """Plays one `ScriptStep` for each request, and ``always`` after the end of the script.

    ``reported`` (a `Health`, or an error to raise) replaces the result of `health`; ``load_error``
    makes `load` fail, ``load_hold`` delays it. All of them may be changed at any time.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """

    def __init__(  # noqa: PLR0913 - the facts of a backend, each with its default
        self,
        script: Iterable[ScriptStep] = (),
        *,
        name: str = "scripted",
        engine: str = "scripted",
        voices: tuple[Voice, ...] = DEFAULT_VOICES,
        sample_rate_hz: int = 24_000,
        clones: bool = False,
        watermarks: bool = False,
        clock: Clock | None = None,
    ) -> None:
        expect("name", name, str, "a string")
        expect("engine", engine, str, "a string")
        expect_optional("clock", clock, Clock, "a Clock")
        self._name = name
        self._lifetime = Lifetime(name, backend=name)
        self.engine = engine
        self.sample_rate_hz = whole_number("sample_rate_hz", sample_rate_hz, 1_000, MAX_RATE_HZ)
        self.clones = clones
        self.watermarks = watermarks
        self.script = items_of("script", script, ScriptStep, "a Turn")
        self.always = ScriptStep()
        self.reported: Health | VieneuError | None = None
        self.load_error: BackendError | None = None
        self.load_hold: asyncio.Event | None = None
        self.record = Record()
        self.in_flight = 0
        self._voices = tuple(items_of("voices", voices, Voice, "a Voice"))
        if not self._voices:
            raise refuse("voices", voices, "at least one Voice")
        self._clock = SystemClock() if clock is None else clock
        self._loaded = False
        self._session = 0

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self._name

    def add_voice(self, voice: Voice) -> None:
        """Add a voice.

        Raises:
            ConfigurationError: it is not a `Voice`.
        """
        expect("voice", voice, Voice, "a Voice")
        self._voices = (*self._voices, voice)

    async def load(self) -> None:
        """Become ready, unless the script prevents it.

        Raises:
            BackendError: ``load_error`` is set, or `aclose` was called before.
        """
        self._lifetime.require_open()
        if self._loaded:
            return
        if self.load_hold is not None:
            await self.load_hold.wait()
        if self.load_error is not None:
            raise self._signed(self.load_error)
        self.record.loads += 1
        self._loaded = True

    async def unload(self) -> None:
        """Stop; a running stream raises `BackendNotLoadedError`."""
        self._lifetime.use()
        if self._loaded:
            self.record.unloads += 1
            self._session += 1
        self._loaded = False

    async def aclose(self) -> None:
        """Unload permanently."""
        self._lifetime.close()
        await self.unload()

    async def health(self) -> Health:
        """Return ``reported``, or else the real state.

        Raises:
            VieneuError: ``reported`` is an error.
        """
        self.record.health_checks += 1
        if isinstance(self.reported, VieneuError):
            raise self._signed(self.reported)
        if self.reported is not None:
            return self.reported
        return Health(
            state=BackendState.READY if self._loaded else BackendState.UNLOADED,
            engine=self.engine,
            model=MODEL,
            queue_depth=self.in_flight,
            clones=self.clones,
        )

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices.

        Raises:
            BackendNotLoadedError: `load` has not been called.
        """
        self._check_loaded(self._session)
        return self._voices

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request as the script says.

        Raises:
            VieneuError: as the script says, or as every backend for an invalid request.
        """
        check_request(request)
        self.record.requests.append(request)
        self.in_flight += 1
        ended = False
        try:
            async with aclosing(self._perform(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
            ended = True
        except (VieneuError, _CutShortError) as error:
            ended = True
            if isinstance(error, VieneuError):
                raise self._signed(error) from error.__cause__
        finally:
            self.in_flight -= 1
            self.record.closed_early += not ended

    async def _perform(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        session = self._session
        self._check_loaded(session)
        turn = self.script.pop(0) if self.script else self.always
        speaker = self._speaker(request)
        index = 0
        async with aclosing(sentences(request.text)) as texts:
            async for text in texts:
                self.record.begun.append(text)
                pcm = sentence_tone(text, speed=request.speed).pcm(self.sample_rate_hz)
                for number, part in enumerate(in_chunks(pcm, self.sample_rate_hz)):
                    await self._reach(turn, index, number)
                    self._check_loaded(session)
                    yield AudioChunk(part, self.sample_rate_hz, index, speaker)
                await self._reach(turn, index, number + 1)
                self._check_loaded(session)
                yield AudioChunk(b"", self.sample_rate_hz, index, speaker, final=True)
                self.record.finished.append(text)
                index += 1

    async def _reach(self, turn: ScriptStep, sentence: int, n_chunks: int) -> None:
        """Do what the step specifies for this point of the stream."""
        if turn.chunk_delay_s:
            await self._clock.sleep(turn.chunk_delay_s)
        if (sentence, n_chunks) != (turn.at_sentence, turn.after_chunks):
            return
        if turn.delay_s:
            await self._clock.sleep(turn.delay_s)
        if turn.hold is not None:
            await turn.hold.wait()
        if turn.error is not None:
            raise turn.error
        if turn.truncate:
            raise _CutShortError

    def _speaker(self, request: SynthesisRequest) -> Speaker:
        if request.reference is not None and not self.clones:
            raise CloningUnsupportedError(
                Translatable("{name} cannot speak with reference audio.", name=self.name)
            )
        if request.watermark and not self.watermarks:
            raise WatermarkUnavailableError(
                Translatable("{name} cannot watermark.", name=self.name)
            )
        voice = choose_voice(self._voices, request.voice, request.language, where=self.name)
        return Speaker(
            backend=self.name,
            engine=self.engine,
            voice="reference" if request.reference is not None else voice.id,
            watermarked=request.watermark,
            model=MODEL,
        )

    def _check_loaded(self, session: int) -> None:
        self._lifetime.use()
        if not self._loaded or session != self._session:
            raise self._lifetime.not_loaded()

    def _signed(self, error: VieneuError) -> VieneuError:
        if isinstance(error, BackendError) and error.backend is None:
            error.backend = self.name
        return error
