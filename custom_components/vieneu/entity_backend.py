"""Backend for another text-to-speech entity of Home Assistant, which speaks as a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from homeassistant.components.tts import DOMAIN as TTS_DOMAIN
from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.entity import TTSAudioRequest, TTSAudioResponse
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.sanity_check import LONGEST_SENTENCE_S, SpeechCheck
from vieneu_core.audio.tempo import TempoStretcher
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.errors import (
    BackendUnavailableError,
    BadAudioError,
    CloningUnsupportedError,
    FirstByteTimeoutError,
    ReferenceAudioError,
    SynthesisFailedError,
    UnpronounceableError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import LANGUAGES, SynthesisRequest, check_request
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice, choose_voice

from .const import DOMAIN
from .error_translation import reason_of

ENGINE: Final = "entity"
"""`Speaker.engine` of all entities; the model is the entity's id."""
MAX_AUDIO_BYTES: Final = 32 << 20
AUDIO_WITHIN_S: Final = 20.0
"""Longest time for the whole audio of one sentence, in seconds."""
CHUNK_S: Final = 0.25


class EntityBackend(Backend):
    """Has each sentence spoken by another text-to-speech entity.

    The entity is found anew for each request: it may be set up later, or replaced.

    Args:
        hass: Home Assistant.
        entity_id: The entity; one of this integration is refused, as it would ask itself.
        name: Name of the backend.
    """

    def __init__(self, hass: HomeAssistant, entity_id: str, *, name: str) -> None:
        self._hass = hass
        self._entity_id = entity_id
        self._name = name
        self._lifetime = Lifetime(Translatable("The backend {name}", name=name), backend=name)
        self._loaded = False

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self._name

    async def load(self) -> None:
        """Check that the entity is there.

        Raises:
            BackendUnavailableError: it is not, or cannot be used.
        """
        self._lifetime.require_open()
        self._voices(self._entity())
        self._loaded = True

    async def unload(self) -> None:
        """Stop speaking. A running stream raises `BackendNotLoadedError`."""
        self._lifetime.use()
        self._loaded = False

    async def aclose(self) -> None:
        """Unload permanently."""
        self._lifetime.close()
        self._loaded = False

    async def health(self) -> Health:
        """Check that the entity is there; nothing is sent to its service.

        Raises:
            BackendUnavailableError: it is not.
        """
        if not self._loaded:
            return Health(state=BackendState.UNLOADED)
        self._entity()
        return Health(state=BackendState.READY, engine=ENGINE, model=self._entity_id)

    async def voices(self) -> tuple[Voice, ...]:
        """List the entity's voices for our languages.

        Raises:
            BackendUnavailableError: the entity is not there.
        """
        self._require_loaded()
        return self._voices(self._entity())

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the entity cannot speak this request.
            BackendError: the entity failed, or is not there.
        """
        check_request(request)
        self._require_loaded()
        if request.reference is not None:
            raise CloningUnsupportedError(
                Translatable("{name} cannot speak with reference audio.", name=self._entity_id)
            )
        if request.watermark:
            raise WatermarkUnavailableError(
                Translatable("The audio of {entity} carries no watermark.", entity=self._entity_id)
            )
        index, rate_hz = 0, None
        async with aclosing(sentences(request.text)) as texts:
            async for text in texts:
                pcm, rate_hz, speaker = await self._sentence(request, text, rate_hz)
                for part, final in _parts(pcm, rate_hz):
                    self._require_loaded()
                    yield AudioChunk(part, rate_hz, index, speaker, final=final)
                index += 1

    async def _sentence(
        self, request: SynthesisRequest, text: str, rate_hz: int | None
    ) -> tuple[bytes, int, Speaker]:
        """Return the samples of a sentence, their rate, and who spoke."""
        entity = self._entity()
        voice = choose_voice(
            self._voices(entity), request.voice, request.language, where=self._entity_id
        )
        if request.voice is None and _primary(voice.language) != _primary(request.language):
            raise UnpronounceableError(  # an English voice reads Vietnamese as nobody understands
                Translatable(
                    "{entity} does not speak the language {language}.",
                    entity=self._entity_id,
                    language=request.language,
                )
            )
        speaker = Speaker(backend=self.name, engine=ENGINE, voice=voice.id, model=self._entity_id)
        data = await self._asked(entity, text, voice)
        pcm, decoded_hz = await self._hass.async_add_executor_job(
            _decoded, data, text, request.speed, rate_hz
        )
        return pcm, decoded_hz, speaker

    async def _asked(self, entity: TextToSpeechEntity, text: str, voice: Voice) -> bytes:
        """Return the audio file that the entity makes of a sentence."""

        async def written() -> AsyncGenerator[str]:
            yield text

        options = dict(entity.default_options or {})
        if voice.id != self._entity_id:
            options["voice"] = voice.id
        wanted = TTSAudioRequest(voice.language, options, written())
        try:
            async with asyncio.timeout(AUDIO_WITHIN_S):
                response = await entity.internal_async_stream_tts_audio(wanted)
                return await self._whole(response)
        except TimeoutError as error:
            raise FirstByteTimeoutError(
                Translatable(
                    "{entity} did not answer within {seconds:g} s.",
                    entity=self._entity_id,
                    seconds=AUDIO_WITHIN_S,
                )
            ) from error
        except BadAudioError:
            raise
        except Exception as error:  # another integration's code: whatever it raises, it failed
            known = isinstance(error, HomeAssistantError)
            reason = reason_of(error) if known else type(error).__name__
            raise SynthesisFailedError(
                Translatable("{entity} failed: {reason}", entity=self._entity_id, reason=reason),
                remedy="See the log of Home Assistant.",
            ) from error

    async def _whole(self, response: TTSAudioResponse) -> bytes:
        data = bytearray()
        async with aclosing(response.data_gen) as pieces:
            async for piece in pieces:
                data += piece
                if len(data) > MAX_AUDIO_BYTES:
                    raise BadAudioError(
                        Translatable(
                            "{entity} sent more than {most} bytes for one sentence.",
                            entity=self._entity_id,
                            most=MAX_AUDIO_BYTES,
                        )
                    )
        return bytes(data)

    @callback
    def _entity(self) -> TextToSpeechEntity:
        if is_own(self._hass, self._entity_id):
            raise BackendUnavailableError(
                Translatable("{entity} is VieNeu's own voice.", entity=self._entity_id),
                remedy="Choose the entity of another integration in the options.",
            )
        found = (
            get_engine_instance(self._hass, self._entity_id)
            if TTS_DOMAIN in self._hass.config.components
            else None
        )
        state = self._hass.states.get(self._entity_id)
        if not isinstance(found, TextToSpeechEntity) or (
            state is not None and state.state == STATE_UNAVAILABLE
        ):
            raise BackendUnavailableError(
                Translatable("The entity {entity} is not available.", entity=self._entity_id),
                remedy="Check its integration, or choose another entity in the options.",
            )
        return found

    @callback
    def _voices(self, entity: TextToSpeechEntity) -> tuple[Voice, ...]:
        """Return the voices for our languages: the entity itself where it lists none."""
        found = []
        for primary in LANGUAGES:
            for tag in entity.supported_languages:
                if _primary(tag) != primary:
                    continue
                listed = entity.async_get_supported_voices(tag) or ()
                found.append(Voice(self._entity_id, self._entity_id, tag))
                found += [Voice(voice.voice_id, voice.name, tag) for voice in listed]
        if not found:
            raise BackendUnavailableError(
                Translatable(
                    "{entity} speaks neither Vietnamese nor English.", entity=self._entity_id
                ),
                remedy="Choose another entity in the options.",
            )
        return tuple(found)

    def _require_loaded(self) -> None:
        self._lifetime.require_open()
        if not self._loaded:
            raise self._lifetime.not_loaded()


def _primary(tag: str) -> str:
    """Return the language of a tag such as ``vi_VN``, without its region."""
    return tag.replace("_", "-").partition("-")[0].lower()


@callback
def is_own(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity is of this integration."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry is not None and entry.platform == DOMAIN


def _decoded(data: bytes, text: str, speed: float, rate_hz: int | None) -> tuple[bytes, int]:
    """Return the samples of a file at the requested speed, and their rate. Blocking.

    Args:
        data: WAV, FLAC, Ogg or MP3.
        text: Its sentence.
        speed: Wanted rate of speech; entities have no common option for it.
        rate_hz: Rate of earlier sentences, which all get; None takes the file's own.
    """
    try:
        clip = decode_clip(data, max_seconds=LONGEST_SENTENCE_S)
    except ReferenceAudioError as error:
        raise BadAudioError(error.detail) from error
    check = SpeechCheck(text, speed=1.0, sample_rate_hz=clip.sample_rate_hz)
    check.add(clip.pcm)
    check.finish()
    stretcher = TempoStretcher(clip.sample_rate_hz, speed)
    pcm = stretcher.push(clip.pcm) + stretcher.finish()
    wanted_hz = rate_hz or clip.sample_rate_hz
    resampler = Resampler(clip.sample_rate_hz, wanted_hz)
    return resampler.push(pcm) + resampler.finish(), wanted_hz


def _parts(pcm: bytes, rate_hz: int) -> Iterator[tuple[bytes, bool]]:
    step = round(CHUNK_S * rate_hz) * BYTES_PER_SAMPLE
    for at in range(0, max(len(pcm), 1), step):
        yield pcm[at : at + step], at + step >= len(pcm)
