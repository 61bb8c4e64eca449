"""Forms in which OpenAI's API sends audio: files, bare samples, or events around either."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from pydantic import BaseModel

from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.relay.openai.problems import error_answer
from vieneu_colab_server.relay.openai.schemas import (
    AudioDelta,
    AudioDone,
    ErrorEvent,
    ResponseFormat,
    StreamFormat,
)
from vieneu_colab_server.streaming_response import BodyForm, Encode, plain_audio
from vieneu_core.audio.encode import AudioFormat, pcm_stream
from vieneu_core.errors import VieneuError

PCM_RATE_HZ = 24_000
"""Rate of OpenAI's bare samples: their clients assume it."""
EVENTS = "text/event-stream"
_PCM = "audio/pcm"
_FORMAT_OF: Mapping[ResponseFormat, AudioFormat] = {
    ResponseFormat.MP3: AudioFormat.MP3,
    ResponseFormat.OPUS: AudioFormat.OGG,
    ResponseFormat.AAC: AudioFormat.AAC,
    ResponseFormat.FLAC: AudioFormat.FLAC,
    ResponseFormat.WAV: AudioFormat.WAV,
}
AUDIO_TYPES = (*(fmt.media_type for fmt in _FORMAT_OF.values()), _PCM)


def form_of(response_format: ResponseFormat, stream_format: StreamFormat) -> BodyForm:
    """Return the form of a body that a request asks for."""
    form = _audio(response_format)
    return form if stream_format is StreamFormat.AUDIO else _events(form.encode)


def _audio(response_format: ResponseFormat) -> BodyForm:
    if response_format is ResponseFormat.PCM:
        return BodyForm(_PCM, lambda chunks: pcm_stream(chunks, PCM_RATE_HZ))
    fmt = _FORMAT_OF[response_format]
    return plain_audio(fmt.media_type, fmt)


def _events(encode: Encode) -> BodyForm:
    return BodyForm(EVENTS, lambda chunks: _as_events(encode(chunks)), _error_event)


async def _as_events(audio: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(audio):
        async for part in audio:
            yield _event(AudioDelta(audio=base64.b64encode(part).decode()))
    yield _event(AudioDone())


def _error_event(error: VieneuError) -> bytes:
    return _event(ErrorEvent(error=error_answer(problem_of(error)).error))


def _event(event: BaseModel) -> bytes:
    return f"data: {event.model_dump_json()}\n\n".encode()
