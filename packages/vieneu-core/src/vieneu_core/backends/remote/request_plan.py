"""Division of a speech request into HTTP requests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.clock import Clock
from vieneu_core.synthesis import MAX_REQUEST_ID_LENGTH, ReferenceAudio, SynthesisRequest
from vieneu_core.text.passages import passages
from vieneu_core.text.sentence_splitter import sentences
from vieneu_core.wire.schemas import SynthesisBody

MAX_CHARS = 4_096
"""Characters per request that a server accepts by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One HTTP request for speech."""

    sentences: tuple[str, ...]
    """Sentences to speak, in order."""
    first_sentence: int
    """Index of the first one within the caller's request."""
    request_id: str
    speed: float
    body: bytes
    """JSON body; equal for every retry, so that the server recognizes the request."""


async def plan_requests(
    request: SynthesisRequest, clock: Clock, *, first_audio_within_s: float
) -> AsyncGenerator[PlannedRequest, None]:
    """Yield the HTTP requests that together speak ``request``.

    Text that is still being written is sent passage by passage; a complete text is sent in as
    few requests as the server's limit allows.

    Args:
        request: The request; its own limit for the first audio holds where it is shorter.
        clock: Measures the pauses of a text that is still being written.
        first_audio_within_s: The client's limit for the first audio in seconds.

    Raises:
        EmptyTextError: there is nothing to speak.
    """
    own_s = request.first_audio_within_s
    within_s = first_audio_within_s if own_s is None else min(own_s, first_audio_within_s)
    sample = None if request.reference is None else await asyncio.to_thread(_wav, request.reference)
    n_planned = n_sentences = 0
    async with aclosing(_groups(request, clock)) as groups:
        async for group in groups:
            request_id = _numbered(request.request_id, n_planned)
            body = SynthesisBody(
                text=list(group),
                voice=request.voice,
                language=request.language,
                voice_sample_path=sample,
                voice_transcript=request.reference.transcript if request.reference else None,
                speed=request.speed,
                watermark=request.watermark,
                request_id=request_id,
                first_audio_within_s=within_s,
                replaceable=request.replaceable,
            )
            yield PlannedRequest(
                sentences=group,
                first_sentence=n_sentences,
                request_id=request_id,
                speed=request.speed,
                body=body.model_dump_json(exclude_none=True).encode(),
            )
            n_planned += 1
            n_sentences += len(group)


async def _groups(request: SynthesisRequest, clock: Clock) -> AsyncGenerator[tuple[str, ...], None]:
    if not isinstance(request.text, str | tuple):
        async with aclosing(passages(sentences(request.text, clock=clock))) as found:
            async for passage in found:
                yield passage
        return
    group: list[str] = []
    async with aclosing(sentences(request.text)) as whole:
        async for sentence in whole:
            # One character between two sentences, in case the server joins them.
            if group and sum(map(len, group)) + len(group) + len(sentence) > MAX_CHARS:
                yield tuple(group)
                group = []
            group.append(sentence)
    if group:
        yield tuple(group)


def _numbered(request_id: str, n: int) -> str:
    """Return the id of the ``n``-th HTTP request; from the second on with a suffix."""
    if n == 0:
        return request_id
    suffix = f"-{n}"
    if len(request_id) + len(suffix) > MAX_REQUEST_ID_LENGTH:
        request_id = hashlib.sha256(request_id.encode()).hexdigest()
    return request_id + suffix


def _wav(reference: ReferenceAudio) -> str:
    """Return a clip as a base64 WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(BYTES_PER_SAMPLE)
        wav.setframerate(reference.sample_rate_hz)
        wav.writeframes(reference.pcm)
    return base64.b64encode(file.getvalue()).decode()
