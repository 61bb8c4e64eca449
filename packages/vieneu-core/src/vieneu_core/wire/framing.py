"""Framing of audio, so that a truncated stream is always detected.

A stream is a sequence of frames, each::

    type      u8     see `FrameType`
    sentence  u32    index of the sentence (0 for START, ERROR, END)
    length    u32    bytes of payload, at most `MAX_PAYLOAD`
    checksum  u32    CRC-32 (zlib) of type, sentence and payload
    payload   bytes

all big-endian. Their order is ``START (SENTENCE AUDIO* SENTENCE_END)+ END``; an ERROR frame may
replace any frame after START and ends the stream. A second SENTENCE frame for a sentence
that has not ended starts it again (the server switched to a fallback): its earlier audio
is discarded. START, SENTENCE, SENTENCE_END, ERROR
and END carry JSON; AUDIO carries samples (signed 16-bit little-endian) or, with the Opus media
type, packets, each after its length as u16 big-endian. Opus is at 48 kHz; each sentence begins
a new Opus stream whose first ``pre_skip`` samples at 48 kHz are dropped, and SENTENCE_END states
the true number of samples, which also trims the padding of the last packet.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from pydantic import BaseModel, ConfigDict

from vieneu_core.errors import BadResponseError, StreamInterruptedError
from vieneu_core.wire.problem import Problem

HEADER = struct.Struct(">BIII")
MAX_PAYLOAD = 1 << 20


class FrameType(IntEnum):
    """Type of a frame."""

    START = 1
    SENTENCE = 2
    AUDIO = 3
    SENTENCE_END = 4
    ERROR = 5
    END = 6


class Start(BaseModel):
    """Payload of START."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    wire_version: str
    request_id: str
    sample_rate_hz: int
    """Sample rate of the engine; a decoder returns samples at this rate."""


class SentenceStart(BaseModel):
    """Payload of SENTENCE: the speaker."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    engine: str
    voice: str
    stand_in: bool = False
    watermarked: bool = False
    model: str = ""
    """Empty from a server that does not name it yet."""
    cached: bool = False
    """Replayed from a cache of the server."""
    pre_skip: int = 0
    """Opus: samples at 48 kHz to drop at the start of the sentence."""
    backend: str = ""
    """Backend of the server; empty from one that does not name it yet."""


class SentenceEnd(BaseModel):
    """Payload of SENTENCE_END."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    n_samples: int
    """Samples of the sentence at `Start.sample_rate_hz`."""


class End(BaseModel):
    """Payload of END."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    n_sentences: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    type: FrameType
    sentence: int
    payload: bytes


def encode_frame(kind: FrameType, payload: bytes | BaseModel, sentence: int = 0) -> bytes:
    """Return the bytes of one frame."""
    if isinstance(payload, BaseModel):
        payload = payload.model_dump_json().encode()
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(payload)} bytes; at most {MAX_PAYLOAD}")
    return HEADER.pack(kind, sentence, len(payload), _checksum(kind, sentence, payload)) + payload


def encode_error(problem: Problem) -> bytes:
    """Return the bytes of an ERROR frame."""
    return encode_frame(FrameType.ERROR, problem)


def _checksum(kind: int, sentence: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack(">BI", kind, sentence)))


class FrameDecoder:
    """Decodes a byte stream, split anywhere, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that ``data`` completes.

        Raises:
            BadResponseError: these bytes are not frames, or were damaged in transit.
        """
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, sentence, length, checksum = HEADER.unpack_from(self._buffer)
            if kind not in FrameType.__members__.values() or length > MAX_PAYLOAD:
                raise BadResponseError("The audio stream is not in our framing.")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            if _checksum(kind, sentence, payload) != checksum:
                raise BadResponseError("A frame of the audio stream was damaged in transit.")
            if self._ended:
                raise BadResponseError("The audio stream goes on after its end mark.")
            self._ended = kind in (FrameType.END, FrameType.ERROR)
            yield Frame(FrameType(kind), sentence, payload)

    def finish(self) -> None:
        """Check that the stream has ended.

        Raises:
            StreamInterruptedError: there was no END frame, or bytes are left over.
        """
        if not self._ended or self._buffer:
            raise StreamInterruptedError("The audio stream broke off before its end mark.")


def pack_packets(packets: list[bytes]) -> bytes:
    """Join Opus packets into one AUDIO payload."""
    return b"".join(struct.pack(">H", len(p)) + p for p in packets)


def unpack_packets(payload: bytes) -> list[bytes]:
    """Split an AUDIO payload into its Opus packets.

    Raises:
        BadResponseError: a length exceeds the payload.
    """
    packets, at = [], 0
    while at < len(payload):
        if at + 2 > len(payload):
            raise BadResponseError("An Opus frame is cut short.")
        (length,) = struct.unpack_from(">H", payload, at)
        at += 2
        if at + length > len(payload):
            raise BadResponseError("An Opus frame is cut short.")
        packets.append(payload[at : at + length])
        at += length
    return packets
