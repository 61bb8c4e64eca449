"""OpenAI's range of speeds: what a backend cannot do of it is done to its audio."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vieneu_colab_server.streaming_response import BodyForm
from vieneu_core.audio import AudioChunk, TempoStretcher
from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED
from vieneu_core.threads import on_thread

SLOWEST = 0.25
FASTEST = 4.0
"""OpenAI's own limits. `TempoStretcher` brings a backend's range to them."""


def backend_speed(speed: float) -> float:
    """Return the speed within a backend's range that is nearest to this one."""
    return min(max(speed, MIN_SPEED), MAX_SPEED)


def at_speed(form: BodyForm, speed: float) -> BodyForm:
    """Return a form of body that also makes up for what `backend_speed` leaves of a speed."""
    rest = speed / backend_speed(speed)
    if rest == 1.0:
        return form
    return replace(form, encode=lambda chunks: form.encode(stretched(chunks, rest)))


async def stretched(
    chunks: AsyncGenerator[AudioChunk, None], speed: float
) -> AsyncGenerator[AudioChunk, None]:
    """Change the speed of a stream as it comes, each sentence by itself.

    Args:
        chunks: Closed at the end.
        speed: 0.5 to 2.0; 2.0 makes the audio half as long.

    Raises: as ``chunks``.
    """
    stretcher: TempoStretcher | None = None
    async with aclosing(chunks):
        async for chunk in chunks:
            if stretcher is None or chunk.restarted:
                stretcher = await on_thread(TempoStretcher, chunk.sample_rate_hz, speed)
            pcm = await on_thread(stretcher.push, chunk.pcm)
            if chunk.final:
                pcm += await on_thread(stretcher.finish)
                stretcher = None
            yield replace(chunk, pcm=pcm)
