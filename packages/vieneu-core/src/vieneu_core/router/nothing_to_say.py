"""Answer to a text that has content but nothing to say: a short silence, and no error."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.silence import silent_sentence
from vieneu_core.errors import NothingToSayError
from vieneu_core.router.failover_delivery import Delivery


async def spoken_or_silent(delivery: Delivery, backend: str) -> AsyncGenerator[AudioChunk, None]:
    """Yield the audio of a delivery, or a silent sentence if its text is only signs.

    Args:
        delivery: Speaks the text.
        backend: Name of the backend that would have spoken.

    Raises:
        NothingToSayError: a backend found nothing in words; that is no silence.
    """
    try:
        async with aclosing(delivery.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
    except NothingToSayError:
        if delivery.n_attempts:
            raise
        yield silent_sentence(backend)
