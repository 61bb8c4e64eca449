"""Backend for a Wyoming server: one connection for each sentence.

The protocol can also stream a text in pieces, but its answer does not say where a sentence ends.
A sentence that ends for certain is what lets the router go on with another backend, without a
sentence lost or spoken twice. So each is sent by itself, and its audio is passed on as it comes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib import import_module

from pydantic_core import PydanticCustomError

from vieneu_core.arguments import expect, expect_optional
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.audio.watermark import WATERMARK_REMEDY
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.backends.request_queue import RequestQueue
from vieneu_core.backends.unsayable import SilentStart
from vieneu_core.backends.wyoming.client import WyomingClient
from vieneu_core.backends.wyoming.connection import WyomingTimeouts
from vieneu_core.backends.wyoming.description import Description
from vieneu_core.backends.wyoming.sentence_audio import UNKNOWN_RATE_HZ, SentenceAudio
from vieneu_core.clock import Clock
from vieneu_core.credentials.wyoming_url import WyomingAddress, wyoming_address
from vieneu_core.errors import (
    BackendError,
    BadAudioError,
    CloningUnsupportedError,
    ConfigurationError,
    EmptyTextError,
    UnpronounceableError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.text.clean import has_speech
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.text.spoken import spoken
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.voices import Voice, choose_voice

ENGINE = "wyoming"
"""`Speaker.engine` of all Wyoming servers; the model names the program."""
_LOGGER = logging.getLogger(__name__)

Prepare = Callable[[str, str], str]
"""Turns a sentence and its language into the text that a server can read aloud. Blocking; it may
raise EmptyTextError where nothing in it can be spoken."""


class WyomingBackend(Backend):
    """Speaks with a voice of a Wyoming server, such as the Piper app of Home Assistant.

    ``default_voice`` speaks requests that name no voice. If the server lacks it, its first voice of
    the request's language speaks, and `Health.missing_voice` contains the id. The server's audio
    carries no watermark: without ``watermark_required`` a request that asks for one is spoken
    without it.

    Args:
        url: ``tcp://HOST:PORT``.
        name: Name of the backend.
        clock: Time of texts that come in pieces.
        default_voice: Id of a voice; None is the server's first one of the language.
        watermark_required: Whether to refuse requests for a watermark.
        timeouts: Limits for waiting.
        prepare: Prepares each sentence; a server reads numbers and marks by its own rules, which
            are seldom Vietnamese ones.

    Raises:
        ConfigurationError: the URL cannot be used, or an argument has the wrong type.
    """

    def __init__(  # noqa: PLR0913 - each but the first has a default
        self,
        url: str,
        *,
        name: str = "local",
        clock: Clock | None = None,
        default_voice: str | None = None,
        watermark_required: bool = True,
        timeouts: WyomingTimeouts | None = None,
        prepare: Prepare = spoken,
    ) -> None:
        expect("url", url, str, "a string, such as 'tcp://127.0.0.1:10200'")
        expect("name", name, str, "a string")
        expect_optional("clock", clock, Clock, "a Clock")
        expect_optional("default_voice", default_voice, str, "the id of a voice")
        expect("watermark_required", watermark_required, bool, "True or False")
        expect_optional("timeouts", timeouts, WyomingTimeouts, "WyomingTimeouts")
        self._name = name
        self._client = WyomingClient(_address(url), timeouts or WyomingTimeouts())
        self._clock = clock
        self._default_voice = default_voice
        self._watermark_required = watermark_required
        self._prepare = prepare
        self._lifetime = Lifetime(Translatable("The backend {name}", name=name), backend=name)
        self._description: Description | None = None
        self._queue = RequestQueue(name)

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self._name

    async def load(self) -> None:
        """Ask the server for its voices.

        Raises:
            ModelLoadError: it has none for Vietnamese or English.
            BackendError: it cannot be reached, or does not speak the protocol.
        """
        self._lifetime.require_open()
        # Conversion and check of the audio use numpy, whose import would block the event loop.
        await asyncio.gather(self._describe(), asyncio.to_thread(import_module, "numpy"))

    async def unload(self) -> None:
        """Forget the server's voices. A running stream raises `BackendNotLoadedError`."""
        self._lifetime.use()
        self._description = None

    async def aclose(self) -> None:
        """Unload permanently."""
        self._lifetime.close()
        self._description = None

    async def health(self) -> Health:
        """Ask the server for its voices again.

        Raises:
            BackendError: it cannot be reached, or has no voice that can be used.
        """
        if self._description is None:
            return Health(state=BackendState.UNLOADED)
        began_s = time.perf_counter()
        description = await self._describe()
        known = {voice.id for voice in description.voices}
        return Health(
            state=BackendState.READY,
            engine=ENGINE,
            model=description.program,
            queue_depth=self._queue.depth,
            latency_ms=1_000 * (time.perf_counter() - began_s),
            missing_voice=None if self._default_voice in {None, *known} else self._default_voice,
        )

    async def voices(self) -> tuple[Voice, ...]:
        """List the server's voices for Vietnamese and English, the default one first.

        Raises:
            BackendError: it is not loaded, or cannot be reached.
        """
        self._known()
        found = (await self._describe()).voices
        return tuple(sorted(found, key=lambda voice: voice.id != self._default_voice))

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the server cannot speak this request.
            UnpronounceableError: it cannot pronounce any of its sentences.
            BadAudioError: its audio cannot be the speech of the sentence.
            BackendError: it failed, or cannot be reached.
        """
        check_request(request)
        description = self._known()
        voice = self._voice(request, description)
        self._check_watermark(request)
        with self._queue.accepted():
            start = SilentStart()
            async with aclosing(self._sentences(request, voice, description.program)) as chunks:
                async for chunk in chunks:
                    self._known()  # `unload` ends it
                    for passed in start.add(chunk):
                        yield replace(passed, sample_rate_hz=chunk.sample_rate_hz)
            start.finish()

    async def _sentences(
        self, request: SynthesisRequest, voice: Voice, program: str
    ) -> AsyncGenerator[AudioChunk, None]:
        speaker = Speaker(backend=self.name, engine=ENGINE, voice=voice.id, model=program)
        rate_hz, index = None, 0
        async with aclosing(sentences(request.text, clock=self._clock)) as texts:
            async for sentence in texts:
                text = await asyncio.to_thread(self._prepared, sentence, request.language)
                audio = SentenceAudio(text, speed=request.speed)
                async with aclosing(self._pieces(text, voice, audio)) as pieces:
                    async for pcm in pieces:
                        rate_hz = _same_rate(audio.rate_hz, rate_hz)
                        yield AudioChunk(pcm, rate_hz, index, speaker)
                yield AudioChunk(b"", rate_hz or UNKNOWN_RATE_HZ, index, speaker, final=True)
                index += 1

    def _prepared(self, sentence: str, language: str) -> str:
        try:
            return self._prepare(sentence, language)
        except EmptyTextError:
            return ""

    async def _pieces(
        self, text: str, voice: Voice, audio: SentenceAudio
    ) -> AsyncGenerator[bytes, None]:
        """Yield the samples of a sentence; none where there is nothing to pronounce."""
        if not has_speech(text):
            return
        with suppress(UnpronounceableError):
            async with aclosing(self._client.speak(text, voice.id, audio)) as pieces:
                async for pcm in pieces:
                    yield pcm

    async def _describe(self) -> Description:
        """Ask the server what it offers, and keep that."""
        try:
            self._description = await self._client.describe()
        except BackendError as error:
            error.backend = self.name
            raise
        return self._description

    def _known(self) -> Description:
        self._lifetime.require_open()
        if self._description is None:
            raise self._lifetime.not_loaded()
        return self._description

    def _voice(self, request: SynthesisRequest, description: Description) -> Voice:
        """Choose the voice of a request; a missing default voice is ignored."""
        where = Translatable("The Wyoming server {address}", address=self._client.address)
        if request.reference is not None:
            raise CloningUnsupportedError(
                Translatable("{name} cannot speak with reference audio.", name=where)
            )
        known = {voice.id for voice in description.voices}
        default = self._default_voice if self._default_voice in known else None
        wanted = request.voice or default
        return choose_voice(description.voices, wanted, request.language, where=where)

    def _check_watermark(self, request: SynthesisRequest) -> None:
        if not request.watermark:
            return
        reason = "The audio of a Wyoming server cannot be watermarked here."
        if self._watermark_required:
            raise WatermarkUnavailableError(reason, remedy=WATERMARK_REMEDY)
        _LOGGER.warning("%s It is spoken without a watermark.", reason)


def _address(url: str) -> WyomingAddress:
    try:
        return wyoming_address(url)
    except PydanticCustomError as error:
        raise ConfigurationError(
            Translatable(
                "The Wyoming server's URL cannot be used: {reason}.", reason=reason_of(error)
            ),
            remedy="Write tcp://HOST:PORT, for example tcp://127.0.0.1:10200.",
        ) from None


def _same_rate(rate_hz: int | None, before_hz: int | None) -> int:
    if rate_hz is None or before_hz not in {None, rate_hz}:
        raise BadAudioError("The Wyoming server's sample rate changes between two sentences.")
    return rate_hz
