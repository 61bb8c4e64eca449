"""Bodies of requests and responses. The server validates with them, the client builds them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.synthesis import (
    MAX_LANGUAGE_LENGTH,
    MAX_REQUEST_ID_LENGTH,
    MAX_SPEED,
    MIN_SPEED,
    new_request_id,
)
from vieneu_core.voices import Voice
from vieneu_core.wire.version import WIRE_VERSION


class _Body(BaseModel):
    # A newer minor version may add members, which are ignored.
    model_config = ConfigDict(extra="ignore", frozen=True)


class SynthesisBody(_Body):
    """Body of ``POST /tts/synthesize`` and ``POST /tts/stream``."""

    text: str | list[str] = Field(
        description="The text; or a list of sentences that are already split.",
        examples=["Xin chào, hôm nay trời đẹp."],
    )
    voice: str | None = Field(
        default=None, description="Id of a voice from GET /voices.", examples=["vi-north"]
    )
    language: str = Field(
        default="vi",
        max_length=MAX_LANGUAGE_LENGTH,
        description="Chooses the voice where none is named.",
    )
    voice_sample_path: str | None = Field(
        default=None,
        description="A file inside the server's samples folder, or base64 audio.",
        examples=[None],
    )
    voice_transcript: str | None = Field(
        default=None, description="What is said in the sample.", examples=[None]
    )
    speed: float = Field(default=1.0, ge=MIN_SPEED, le=MAX_SPEED, strict=True)
    watermark: StrictBool = False
    request_id: Annotated[
        str, Field(min_length=1, max_length=MAX_REQUEST_ID_LENGTH, pattern=r"^[\x20-\x7e]+$")
    ] = Field(
        default_factory=new_request_id,
        description="The same id with the same body is spoken once.",
        examples=["5b0c8e0f7c2d4a0f9f3f6f1f0a9d8c7b"],
    )
    first_audio_within_s: float | None = Field(
        default=None,
        gt=0,
        strict=True,
        description="How long the client waits for the first audio. The server answers with a "
        "named error (loading, busy) before that rather than after it.",
        examples=[4.5],
    )
    replaceable: StrictBool = Field(
        default=False,
        description="Whether the client can go on elsewhere: then a failure of the engine ends the "
        "answer at once. Otherwise the server speaks the sentence again.",
    )


class SynthesisAnswer(_Body):
    """Response of ``POST /tts/synthesize``."""

    audio_base64: str = Field(description="A WAV file, base64.", examples=["UklGRi…"])
    sample_rate: int = Field(description="Samples per second.", examples=[24000])
    duration_ms: int = Field(description="Length of the audio.", examples=[1234])
    engine: str = Field(examples=["espeak"])
    voice: str = Field(examples=["vi-north"])
    stand_in: bool = Field(
        default=False, description="True where another voice spoke than was asked for."
    )
    request_id: str


class VoiceBody(_Body):
    """One voice of ``GET /voices``."""

    id: str = Field(examples=["vi-north"])
    name: str = Field(examples=["Tiếng Việt (miền Bắc)"])
    language: str = Field(examples=["vi"])

    @classmethod
    def of(cls, voice: Voice) -> VoiceBody:
        """Describe a voice for the wire."""
        return cls(id=voice.id, name=voice.name, language=voice.language)

    def to_voice(self) -> Voice:
        """Return the voice that this body describes."""
        return Voice(id=self.id, name=self.name, language=self.language)


class VoiceUpload(_Body):
    """Body of ``POST /voices``."""

    audio_base64: str = Field(description="A WAV, FLAC, OGG or MP3 file.", examples=["ZkxhQw…"])
    transcript: str = Field(
        max_length=1000, description="What is said in it.", examples=["Xin chào các bạn."]
    )
    name: str = Field(default="", max_length=60, description="For people.", examples=["Bà Ngoại"])
    language: str = Field(default="vi", max_length=MAX_LANGUAGE_LENGTH)
    id: str | None = Field(
        default=None,
        max_length=64,
        description="The id that it must have; another one is refused.",
        examples=[None],
    )


class VoicesAnswer(_Body):
    """Response of ``GET /voices``; the default voice comes first."""

    voices: list[VoiceBody]


class HealthAnswer(_Body):
    """Response of ``GET /health``."""

    status: str = Field(description="ok, loading, draining or failed.", examples=["ok"])
    model_loaded: bool
    gpu_memory_used_gb: float | None = Field(default=None, examples=[4.2])
    uptime_seconds: float = Field(examples=[3600.0])
    version: str = Field(description="Version of vieneu-colab-server.", examples=["0.1.0"])
    wire_version: str = Field(examples=[WIRE_VERSION])
    state: BackendState
    engine: str | None = Field(default=None, examples=["espeak"])
    model: str | None = Field(default=None, examples=["espeak-ng 1.52.0"])
    downloaded_bytes: int | None = Field(
        default=None, description="Of the model that is being downloaded; else absent."
    )
    download_bytes: int | None = Field(
        default=None, description="All of that download, if it is known."
    )
    queue_depth: int = 0
    accelerator: str | None = Field(default=None, examples=["Tesla T4"])
    gpu_memory_total_gb: float | None = Field(default=None, examples=[15.0])
    session_started_at: AwareDatetime | None = Field(
        default=None, description="When the session began.", examples=["2026-11-25T08:00:00Z"]
    )
    session_limit_seconds: float | None = Field(
        default=None, description="Length of the session; absent where it has no end."
    )
    session_remaining_seconds: float | None = Field(
        default=None, description="Until the session ends; absent where it has no end."
    )
    clones: bool = Field(default=False, description="Whether it takes voices (POST /voices).")
    draining: bool = False
    requests_served: int = Field(default=0, description="HTTP requests since its start.")
    bytes_sent: int = Field(default=0, description="Bytes of all answers since its start.")

    def to_health(self, *, latency_ms: float) -> Health:
        """Return the health that this body describes."""
        return Health(
            state=self.state,
            engine=self.engine,
            model=self.model,
            version=self.version,
            queue_depth=self.queue_depth,
            latency_ms=latency_ms,
            accelerator=self.accelerator,
            clones=self.clones,
            gpu_memory_used_gb=self.gpu_memory_used_gb,
            gpu_memory_total_gb=self.gpu_memory_total_gb,
            uptime_s=self.uptime_seconds,
            remaining_s=self.session_remaining_seconds,
        )


class NewToken(_Body):
    """Response of ``POST /admin/rotate-token``."""

    token: str = Field(description="The token from now on.", repr=False, examples=["…"])
    old_valid_seconds: float = Field(
        description="How long the one before it stays good.", examples=[600.0]
    )


class DrainAnswer(_Body):
    """Response of ``POST /admin/drain``."""

    draining: bool
