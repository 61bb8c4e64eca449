"""Finished speech as the bytes of one entry: who spoke, where sentences end, lossless audio.

An entry is a head (magic, format, digest of all that follows, length of the description), the
description as JSON, and FLAC.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from pydantic import BaseModel, ConfigDict, ValidationError

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import Speech

_MAGIC = b"VNSP"
_FORMAT = 1
_HEAD = struct.Struct(">4sB16sI")
CHUNK_S = 0.25
"""Length of a chunk of replayed speech, in seconds."""


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    n_samples: int
    speaker: Speaker


class _Description(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    sample_rate_hz: int
    sentences: tuple[_Sentence, ...]


def encode_entry(key: str, speech: Speech) -> bytes | None:
    """Return speech as an entry; None where its samples would not come back as they are. Blocking.

    Args:
        key: The entry's own: one that stands under another key is damaged.
        speech: Of one sample rate.
    """
    description = _Description(
        key=key,
        sample_rate_hz=speech.sample_rate_hz,
        sentences=tuple(_sentences(speech)),
    )
    encoder = Encoder(AudioFormat.FLAC, speech.sample_rate_hz)
    try:
        audio = b"".join([*(encoder.encode(chunk.pcm) for chunk in speech.chunks)])
        audio += encoder.finish()
    finally:
        encoder.close()
    written = description.model_dump_json().encode()
    entry = _HEAD.pack(_MAGIC, _FORMAT, _digest(written + audio), len(written)) + written + audio
    back = decode_entry(key, entry)
    return entry if back is not None and back.pcm == speech.pcm else None


def decode_entry(key: str, entry: bytes) -> Speech | None:
    """Return the speech of an entry; None where it is damaged, or of another format. Blocking."""
    if len(entry) < _HEAD.size:
        return None
    magic, fmt, digest, length = _HEAD.unpack_from(entry)
    rest = entry[_HEAD.size :]
    if (magic, fmt) != (_MAGIC, _FORMAT) or digest != _digest(rest):
        return None
    try:
        description = _Description.model_validate_json(rest[:length])
        n_samples = sum(sentence.n_samples for sentence in description.sentences)
        rate_hz = description.sample_rate_hz
        clip = decode_clip(rest[length:], max_seconds=n_samples / rate_hz + 1)
        if description.key != key or clip.sample_rate_hz != rate_hz:
            return None
        if len(clip.pcm) != n_samples * BYTES_PER_SAMPLE:
            return None
        return Speech(tuple(_chunks(description, clip.pcm)))
    except (ValidationError, VieneuError, ArithmeticError):
        return None


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _sentences(speech: Speech) -> Iterator[_Sentence]:
    for _, group in groupby(speech.chunks, lambda chunk: chunk.sentence):
        chunks = list(group)
        speaker = replace(chunks[-1].speaker, cached=False)
        yield _Sentence(n_samples=sum(chunk.n_samples for chunk in chunks), speaker=speaker)


def _chunks(description: _Description, pcm: bytes) -> Iterator[AudioChunk]:
    rate_hz = description.sample_rate_hz
    step = max(1, round(CHUNK_S * rate_hz)) * BYTES_PER_SAMPLE
    begin = 0
    for index, sentence in enumerate(description.sentences):
        end = begin + sentence.n_samples * BYTES_PER_SAMPLE
        speaker = replace(sentence.speaker, cached=True)
        for at in range(begin, max(end, begin + 1), step):
            part = pcm[at : min(at + step, end)]
            yield AudioChunk(part, rate_hz, index, speaker, final=at + step >= end)
        begin = end
