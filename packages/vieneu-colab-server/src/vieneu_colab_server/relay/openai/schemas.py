"""Bodies of requests and answers, as OpenAI describes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from vieneu_colab_server.relay.openai.names import voice_id
from vieneu_colab_server.relay.openai.speed import FASTEST, SLOWEST, backend_speed
from vieneu_core.voices import Voice
from vieneu_core.wire.schemas import SynthesisBody

MAX_NAME_LENGTH = 256
MAX_INSTRUCTIONS_LENGTH = 4096
"""OpenAI's own limit."""


class ResponseFormat(StrEnum):
    """A format of the audio."""

    MP3 = "mp3"
    OPUS = "opus"
    AAC = "aac"
    FLAC = "flac"
    WAV = "wav"
    PCM = "pcm"


class StreamFormat(StrEnum):
    """A way of sending the audio."""

    AUDIO = "audio"
    SSE = "sse"


class VoiceReference(BaseModel):
    """A voice that is named as OpenAI names custom voices."""

    id: str


def _id_in(voice: object) -> object:
    """Return the id in a `VoiceReference`; what is none is left to the next validator."""
    return voice.get("id") if isinstance(voice, dict) else voice


class SpeechBody(BaseModel):
    """Body of ``POST /v1/audio/speech``; what OpenAI adds to it one day is ignored.

    Each text has a bound of its length: without one, pydantic takes halves of surrogate pairs.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = Field(
        max_length=MAX_NAME_LENGTH, description="A model of GET /v1/models.", examples=["vieneu"]
    )
    input: str = Field(
        min_length=1, description="The text.", examples=["Xin chào, hôm nay trời đẹp."]
    )
    voice: Annotated[
        str,
        Field(max_length=MAX_NAME_LENGTH),
        BeforeValidator(_id_in, json_schema_input_type=str | VoiceReference),
    ] = Field(
        description="A voice of GET /v1/audio/voices; each of OpenAI's names is the default one.",
        examples=["alloy"],
    )
    instructions: str | None = Field(
        default=None,
        max_length=MAX_INSTRUCTIONS_LENGTH,
        description="Accepted and ignored: the models here take no instructions.",
    )
    response_format: ResponseFormat = ResponseFormat.MP3
    speed: float = Field(default=1.0, ge=SLOWEST, le=FASTEST, strict=True)
    stream_format: StreamFormat = StreamFormat.AUDIO

    def to_synthesis(self) -> SynthesisBody:
        """Return the request for speech that this body makes, at a speed that backends have."""
        return SynthesisBody(
            text=self.input, voice=voice_id(self.voice), speed=backend_speed(self.speed)
        )


class AudioDelta(BaseModel):
    """Event with some of the audio."""

    type: Literal["speech.audio.delta"] = "speech.audio.delta"
    audio: str
    """Bytes of the audio, base64."""


class Usage(BaseModel):
    """Tokens of a request. None are counted here: clients only expect the members."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0


class AudioDone(BaseModel):
    """Event behind the last of the audio."""

    type: Literal["speech.audio.done"] = "speech.audio.done"
    usage: Usage = Usage()


class ErrorBody(BaseModel):
    """What failed."""

    message: str = Field(examples=["The request body is wrong. input: it is missing."])
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(examples=["input"])
    code: str | None = Field(examples=["invalid_request"])


class ErrorAnswer(BaseModel):
    """Answer to a request that failed."""

    error: ErrorBody


class ErrorEvent(ErrorAnswer):
    """Event in place of the rest of a speech that failed."""

    type: Literal["error"] = "error"


class ModelBody(BaseModel):
    """One model."""

    id: str = Field(examples=["vieneu"])
    object: Literal["model"] = "model"
    created: int = Field(description="When the server was started, in Unix time.")
    owned_by: str = "vieneu-relay"


class ModelList(BaseModel):
    """Answer of ``GET /v1/models``."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class AudioModelList(BaseModel):
    """Answer of ``GET /v1/audio/models``, which Open WebUI asks for."""

    models: list[ModelBody]


class VoiceItem(BaseModel):
    """One voice."""

    id: str = Field(examples=["vi-north"])
    object: Literal["audio.voice"] = "audio.voice"
    name: str = Field(examples=["Tiếng Việt (miền Bắc)"])
    language: str = Field(examples=["vi"])

    @classmethod
    def of(cls, voice: Voice) -> VoiceItem:
        """Describe a voice."""
        return cls(id=voice.id, name=voice.name, language=voice.language)


class VoiceList(BaseModel):
    """Answer of ``GET /v1/audio/voices``.

    OpenAI has no such list yet. Open WebUI and others read ``voices``; ``data`` is where OpenAI's
    lists have their members.
    """

    object: Literal["list"] = "list"
    voices: list[VoiceItem]
    data: list[VoiceItem]
