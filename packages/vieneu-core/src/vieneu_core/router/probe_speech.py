"""Test sentence of a probe: spoken within a time limit, and measured."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendTimeoutError, RequestError, SynthesisFailedError
from vieneu_core.router.backlog import RunningSpeech
from vieneu_core.router.measured_speed import MadeSentence
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.translatable import Translatable

_MOST_REPEATS = 20


def lengthened(text: str, n_chars: int) -> str:
    """Return a sentence repeated until it has this many characters."""
    phrase = text.rstrip(" .!?")
    n_times = min(_MOST_REPEATS, max(1, math.ceil(n_chars / (len(phrase) + 2))))
    return ", ".join([phrase] * n_times) + "." if n_times > 1 else text


async def probe_speech(
    tracked: TrackedBackend, text: str, running: RunningSpeech, *, clock: Clock, limit_s: float
) -> Speech:
    """Speak a test sentence on a backend, and measure it.

    Raises:
        BackendError: the backend failed, refused the sentence, or did not speak it in time.
    """
    name = tracked.name
    try:
        async with asyncio.timeout(limit_s):
            return await collect(_measured(tracked, text, running, clock))
    except TimeoutError as err:
        raise BackendTimeoutError(
            Translatable("{name} did not speak the test sentence in time.", name=name)
        ) from err
    except RequestError as err:
        raise SynthesisFailedError(
            Translatable("{name} refused the test sentence: {detail}", name=name, detail=err.detail)
        ) from err


async def _measured(
    tracked: TrackedBackend, text: str, running: RunningSpeech, clock: Clock
) -> AsyncGenerator[AudioChunk, None]:
    audio_s, first_audio_s = 0.0, None
    began_s = clock.monotonic()
    async with aclosing(tracked.backend.stream(SynthesisRequest(text=(text,)))) as chunks:
        async for chunk in chunks:
            audio_s += chunk.seconds
            if chunk.pcm and first_audio_s is None:
                first_audio_s = clock.monotonic() - began_s
            yield chunk
    running.measured_anew(
        MadeSentence(
            audio_s=audio_s,
            waited_s=clock.monotonic() - began_s,
            first_audio_s=first_audio_s,
            estimated_s=estimated_seconds((text,), 1.0),
        )
    )
