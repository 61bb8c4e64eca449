"""Messages between a worker and its client, and their encoding.

A frame is its length (4 bytes, big-endian, without these four), a kind (1 byte), the length of a
JSON header (4 bytes), the header, and samples, if the message has any. No pickle, so that neither
side can execute code from the other.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from vieneu_core.engines.base import EngineInfo, LoadProgress, SpokenBy
from vieneu_core.errors import (
    BackendError,
    EngineError,
    ModelLoadError,
    RequestError,
    SynthesisFailedError,
    error_class,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.translatable import from_parts, parts_of
from vieneu_core.untrusted_json import parse_json
from vieneu_core.voices import Voice

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A longer frame is rejected as corrupt."""
LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">BI")


class MessageError(Exception):
    """The bytes are not a message, because of a bug or corruption."""


@dataclass(frozen=True, slots=True)
class Message:
    """Base class of the messages between client and worker."""

    kind: ClassVar[int]

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Return header and samples."""
        return dataclasses.asdict(self), b""

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        del samples
        return cls(**header)


# --- client to worker ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load(Message):
    """Load this engine. The first message, sent once."""

    kind = 1
    target: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Speak(Message):
    """Speak one sentence."""

    kind = 2
    job: int
    """Number of the job, rising with every message of this kind."""
    text: str
    voice: Voice | None
    speed: float = 1.0
    watermark: bool = False
    reference: ReferenceAudio | None = None
    upcoming: tuple[str, ...] = ()

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Return header and samples."""
        header = dataclasses.asdict(self)
        if self.reference is None:
            return header, b""
        del header["reference"]["pcm"]
        return header, self.reference.pcm

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        voice, reference = header.pop("voice"), header.pop("reference")
        upcoming = tuple(header.pop("upcoming"))
        return cls(
            **header,
            upcoming=upcoming,
            voice=None if voice is None else Voice(**voice),
            reference=None if reference is None else ReferenceAudio(pcm=samples, **reference),
        )


@dataclass(frozen=True, slots=True)
class Cancel(Message):
    """Stop this job: nobody needs its audio."""

    kind = 3
    job: int


@dataclass(frozen=True, slots=True)
class Shutdown(Message):
    """Stop the current job, and end."""

    kind = 4


# --- worker to client ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """Progress of loading the model."""

    kind = 10
    now: LoadProgress

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        del samples
        return cls(LoadProgress(**header["now"]))


@dataclass(frozen=True, slots=True)
class Loaded(Message):
    """The engine is ready."""

    kind = 11
    info: EngineInfo

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        del samples
        info = header["info"]
        return cls(EngineInfo(**{**info, "voices": tuple(Voice(**v) for v in info["voices"])}))


@dataclass(frozen=True, slots=True)
class Audio(Message):
    """Samples of a job, mono signed 16-bit little-endian; empty ones only show activity."""

    kind = 12
    job: int
    pcm: bytes

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Return header and samples."""
        return {"job": self.job}, self.pcm

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        return cls(header["job"], samples)


@dataclass(frozen=True, slots=True)
class Finished(Message):
    """A job has ended: complete, or cancelled."""

    kind = 13
    job: int


@dataclass(frozen=True, slots=True)
class Failed(Message):
    """A job failed, or, if ``job`` is None, the loading of the engine."""

    kind = 14
    job: int | None
    code: str
    detail: str
    remedy: str

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Return header and samples."""
        parts = {"detail": parts_of(self.detail), "remedy": parts_of(self.remedy)}
        return {**dataclasses.asdict(self), "parts": parts}, b""

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        del samples
        for name, parts in header.pop("parts").items():
            header[name] = from_parts(header[name], parts)
        return cls(**header)

    def error(self) -> RequestError | BackendError:
        """Return the exception that the worker reported."""
        cls = error_class(self.code)
        if cls is not None and issubclass(cls, RequestError | BackendError):
            return cls(self.detail, remedy=self.remedy)
        return SynthesisFailedError(self.detail, remedy=self.remedy)

    def load_error(self) -> EngineError:
        """Return the exception for a failed load; one without a class is a `ModelLoadError`."""
        error = self.error()
        if isinstance(error, EngineError):
            return error
        return ModelLoadError(error.detail, remedy=error.remedy)


@dataclass(frozen=True, slots=True)
class Memory(Message):
    """Memory of the worker process."""

    kind = 15
    rss_bytes: int
    """Resident memory in bytes; 0 if this system does not report it."""
    gpu_used_gb: float | None = None
    gpu_total_gb: float | None = None


@dataclass(frozen=True, slots=True)
class Speaking(Message):
    """Which of the engines inside the engine speaks a job; before its samples."""

    kind = 16
    job: int
    by: SpokenBy

    @classmethod
    def unpack(cls, header: dict[str, Any], samples: bytes) -> Self:
        """Create the message from the result of `pack`."""
        del samples
        return cls(header["job"], SpokenBy(**header["by"]))


_CLASSES: dict[int, type[Message]] = {
    cls.kind: cls
    for cls in (
        *(Load, Speak, Cancel, Shutdown),
        *(Progress, Loaded, Audio, Finished, Failed, Memory, Speaking),
    )
}


class Receiver(Protocol):
    """Receiver of a worker's messages, at the client's side."""

    def on_message(self, message: Message) -> None:
        """Process a message of a worker."""
        ...

    def on_gone(self, error: BackendError) -> None:
        """Handle the end of the worker; also called if there is none."""
        ...


def encode(message: Message) -> bytes:
    """Return the frame of a message, its length included."""
    header, samples = message.pack()
    text = json.dumps(header).encode()
    n_bytes = _HEAD.size + len(text) + len(samples)
    return LENGTH.pack(n_bytes) + _HEAD.pack(message.kind, len(text)) + text + samples


def frame_length(prefix: bytes) -> int:
    """Return the number of bytes that follow the four in ``prefix``.

    Raises:
        MessageError: it is not a frame.
    """
    n_bytes: int = LENGTH.unpack(prefix)[0]
    if not _HEAD.size <= n_bytes <= MAX_FRAME_BYTES:
        raise MessageError(f"A frame of {n_bytes} bytes is not possible.")
    return n_bytes


def decode(frame: bytes) -> Message:
    """Decode a frame, given without its length.

    Raises:
        MessageError: the frame contains no message.
    """
    try:
        kind, n_header = _HEAD.unpack_from(frame)
        cls = _CLASSES[kind]
        header = parse_json(frame[_HEAD.size : _HEAD.size + n_header])
        return cls.unpack(header, frame[_HEAD.size + n_header :])
    except (struct.error, AttributeError, KeyError, TypeError, ValueError) as error:
        raise MessageError(f"Not a message: {type(error).__name__}.") from error
