"""Speech as Wyoming's audio events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from wyoming.audio import AudioChunk as AudioChunkEvent
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk
from vieneu_core.errors import BadAudioError, StreamInterruptedError

Send = Callable[[Event], Awaitable[None]]
MAX_CHUNK_BYTES = 8 * 1024
"""Largest payload of one event: small devices hold a whole one in memory."""
_FORMAT = {"width": BYTES_PER_SAMPLE, "channels": 1}


async def send_speech(chunks: AsyncGenerator[AudioChunk, None], send: Send) -> None:
    """Send speech as it is made, between ``audio-start`` and ``audio-stop``; close it at the end.

    ``audio-stop`` is sent only after the end mark of the last sentence.

    Raises:
        StreamInterruptedError: the speech ended without that mark.
        BadAudioError: it holds no samples.
        VieneuError: what ``chunks`` raises.
    """
    rate_hz, last = 0, None
    async with aclosing(chunks):
        async for last in chunks:
            if last.pcm and not rate_hz:
                rate_hz = last.sample_rate_hz
                await send(AudioStart(rate=rate_hz, **_FORMAT).event())
            for at in range(0, len(last.pcm), MAX_CHUNK_BYTES):
                part = last.pcm[at : at + MAX_CHUNK_BYTES]
                await send(AudioChunkEvent(rate=rate_hz, audio=part, **_FORMAT).event())
    if last is None or not last.final:
        raise StreamInterruptedError("The speech ended in the middle of a sentence.")
    if not rate_hz:
        raise BadAudioError("The speech holds no samples.")
    await send(AudioStop().event())
