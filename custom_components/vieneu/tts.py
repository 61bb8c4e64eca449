"""Text-to-speech entity: text arrives in pieces, audio is streamed while it is synthesized."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from homeassistant.components.tts import (
    ATTR_PREFERRED_FORMAT,
    ATTR_PREFERRED_SAMPLE_RATE,
    ATTR_VOICE,
    TextToSpeechEntity,
    TTSAudioRequest,
    TTSAudioResponse,
    Voice,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.audio import at_rate, with_opening
from vieneu_core.audio.encode import AudioFormat, encode_stream
from vieneu_core.audio.pauses import with_pauses
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.silence import SILENT_ENGINE
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import SynthesisRequest

from .const import (
    ATTR_CACHE,
    ATTR_CHIME,
    ATTR_LEAD_IN,
    ATTR_PAUSE,
    ATTR_SPEED,
    DEFAULT_LANGUAGE,
    LANGUAGES,
    MAX_PAUSE,
    NOT_KEPT,
)
from .coordinator import LastSpeech
from .entity import VieneuEntity
from .error_translation import translated
from .options import SpeechOptions, number_of
from .runtime import VieneuConfigEntry, VieneuRuntime
from .speech_opening import async_opening
from .tts_cache import ProvenCache, cache_store

PARALLEL_UPDATES = 0
DESCRIPTION = EntityDescription(key="tts", translation_key="voice")
RATES_HZ = (8_000, 96_000)
"""Lowest and highest sample rate of any player."""
TAIL_S = 0.25
"""Seconds of silence at the end, because some players cut off the end of the audio."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the text-to-speech entity."""
    cache = ProvenCache(cache_store(hass, entry))
    await cache.async_load()
    async_add_entities([VieneuTTSEntity(entry.runtime_data, cache)])


class VieneuTTSEntity(VieneuEntity, TextToSpeechEntity):
    """The text-to-speech entity."""

    _attr_supported_languages = list(LANGUAGES)
    _attr_default_language = DEFAULT_LANGUAGE
    _attr_supported_options = [
        ATTR_VOICE,
        ATTR_SPEED,
        ATTR_PAUSE,
        ATTR_LEAD_IN,
        ATTR_CHIME,
        ATTR_PREFERRED_FORMAT,
        # Without a conversion since 2026.11, if the audio is WAV: before, ffmpeg copies it.
        ATTR_PREFERRED_SAMPLE_RATE,
        ATTR_CACHE,
    ]

    def __init__(self, runtime: VieneuRuntime, cache: ProvenCache) -> None:
        super().__init__(runtime.coordinator, DESCRIPTION)
        self._runtime = runtime
        self._cache = cache

    @property
    def default_options(self) -> Mapping[str, Any]:
        """Options of requests that give none; part of the cache's key."""
        options = SpeechOptions.of(self.coordinator.config_entry.options)
        data = self.coordinator.data
        # With a default, a backend that lacks this voice could not speak.
        is_known = data.voices_of == data.status.active and any(
            voice.id == options.voice for voice in data.voices
        )
        given = {ATTR_VOICE: options.voice} if is_known else {}
        return {
            **given,
            ATTR_SPEED: options.speed,
            ATTR_PAUSE: options.pause_s,
            ATTR_CACHE: self._cache.key(data.status.active, options.dictionary),
        }

    @callback
    def async_get_supported_voices(self, language: str) -> list[Voice]:
        """Return the voices of a language; a new one is listed at the next call."""
        self.coordinator.async_voices_wanted()
        return [
            Voice(voice.id, voice.name)
            for voice in self.coordinator.data.voices
            if voice.language.partition("-")[0] == language.partition("-")[0]
        ]

    async def async_stream_tts_audio(self, request: TTSAudioRequest) -> TTSAudioResponse:
        """Speak; the first sentence starts while the text is still being written."""
        wanted = str(request.options.get(ATTR_PREFERRED_FORMAT, AudioFormat.MP3))
        # Home Assistant converts to other formats, from the one that is fastest to encode.
        fmt = AudioFormat(wanted) if wanted in set(AudioFormat) else AudioFormat.WAV
        return TTSAudioResponse(fmt.value, self._audio(request, fmt))

    async def _audio(self, request: TTSAudioRequest, fmt: AudioFormat) -> AsyncGenerator[bytes]:
        speech = _Measured()
        try:
            opening = await async_opening(self.hass, request.options)
            chunks = with_opening(speech.measure(self._speech(request)), opening)
            if (rate_hz := _rate_of(request.options)) is not None:
                chunks = at_rate(chunks, rate_hz)
            async with aclosing(encode_stream(chunks, fmt)) as encoded:
                async for data in encoded:
                    yield data
        except VieneuError as error:
            raise translated(self.hass, error, "not_spoken") from error
        finally:
            if speech.fallback:
                self._cache.async_forget()
            if (last := speech.result()) is not None:
                self.coordinator.async_record_speech(last)

    def _speech(self, request: TTSAudioRequest) -> AsyncGenerator[AudioChunk]:
        options = SpeechOptions.of(self.coordinator.config_entry.options)
        given = request.options
        is_kept = not str(given.get(ATTR_CACHE, "")).startswith(NOT_KEPT)
        backend = self._runtime.speech if is_kept else self._runtime.router
        spoken = backend.stream(
            SynthesisRequest(
                text=request.message_gen,
                voice=given.get(ATTR_VOICE),
                language=request.language,
                speed=number_of(given, ATTR_SPEED, options.speed),
            )
        )
        pause_s = min(max(number_of(given, ATTR_PAUSE, options.pause_s), 0.0), MAX_PAUSE)
        return _with_tail(with_pauses(spoken, lambda _: pause_s))


def _rate_of(given: Mapping[str, Any]) -> int | None:
    """Return the sample rate that a player asks for; None leaves that of the speech.

    Raises:
        InvalidRequestError: it is no number.
    """
    if given.get(ATTR_PREFERRED_SAMPLE_RATE) is None:
        return None
    wanted_hz = round(number_of(given, ATTR_PREFERRED_SAMPLE_RATE, 0.0))
    return min(max(wanted_hz, RATES_HZ[0]), RATES_HZ[1])


async def _with_tail(chunks: AsyncGenerator[AudioChunk]) -> AsyncGenerator[AudioChunk]:
    """Add silence at the end, without delaying any chunk."""
    last: AudioChunk | None = None
    async with aclosing(chunks):
        async for chunk in chunks:
            yield chunk
            last = chunk
    if last is not None:
        yield replace(last, pcm=bytes(2 * round(TAIL_S * last.sample_rate_hz)))


class _Measured:
    """Measures the synthesis of one speech."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self._seconds = 0.0
        self._backend = ""
        self.fallback = False
        """Whether a fallback spoke any sentence."""

    async def measure(self, speech: AsyncGenerator[AudioChunk]) -> AsyncGenerator[AudioChunk]:
        """Yield the speech and measure it."""
        async with aclosing(speech):
            async for chunk in speech:
                if self._first_s is None and chunk.pcm and chunk.speaker.engine != SILENT_ENGINE:
                    self._first_s = time.monotonic()
                self._seconds += chunk.seconds
                self._backend = chunk.speaker.backend
                self.fallback |= chunk.speaker.fallback
                yield chunk

    def result(self) -> LastSpeech | None:
        """Return the measurements; None if nothing was spoken."""
        if self._first_s is None:
            return None
        return LastSpeech(
            first_audio_ms=1_000 * (self._first_s - self._began_s),
            real_time_factor=(time.monotonic() - self._began_s) / max(self._seconds, 0.01),
            backend=self._backend,
        )
