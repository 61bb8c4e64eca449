"""Test sentences: whether a backend can speak, measured on real speech."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendTimeoutError, RequestError, SynthesisFailedError
from vieneu_core.router.backlog import RunningSpeech
from vieneu_core.router.measured_speed import MadeSentence
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.translatable import Translatable

_MOST_REPEATS = 20


class Prober:
    """Lets one backend speak test sentences.

    Args:
        tracked: The backend.
        policy: Returns the text, and how long is waited for it.
        clock: Clock of the backend.
    """

    def __init__(
        self, tracked: TrackedBackend, *, policy: Callable[[], RouterPolicy], clock: Clock
    ) -> None:
        self._tracked = tracked
        self._policy = policy
        self._clock = clock

    async def probe(self, n_chars: int | None = None) -> Speech:
        """Speak a short sentence on the backend; its circuit records the result.

        After a failure it is as long as the longest one that failed, or else has ``n_chars``.

        Raises:
            BackendError: it cannot speak, or its circuit is open.
        """
        tracked = self._tracked
        probe = tracked.admit(None)
        length = tracked.failures.probe_chars if n_chars is None else n_chars
        text = _lengthened(self._policy().probe_text, length)
        seconds = estimated_seconds((text,), 1.0)
        with tracked.attempt(probe, seconds, longest_chars=len(text)) as running:
            return await self._test_sentence(text, running)

    async def _test_sentence(self, text: str, running: RunningSpeech) -> Speech:
        name = self._tracked.name
        try:
            async with asyncio.timeout(self._policy().stall_s):
                return await collect(self._measured(text, running))
        except TimeoutError as err:
            raise BackendTimeoutError(
                Translatable("{name} did not speak the test sentence in time.", name=name)
            ) from err
        except RequestError as err:
            raise SynthesisFailedError(
                Translatable(
                    "{name} refused the test sentence: {detail}", name=name, detail=err.detail
                )
            ) from err

    async def _measured(
        self, text: str, running: RunningSpeech
    ) -> AsyncGenerator[AudioChunk, None]:
        audio_s, first_audio_s = 0.0, None
        backend, began_s = self._tracked.backend, self._clock.monotonic()
        async with aclosing(backend.stream(SynthesisRequest(text=(text,)))) as chunks:
            async for chunk in chunks:
                audio_s += chunk.seconds
                if chunk.pcm and first_audio_s is None:
                    first_audio_s = self._clock.monotonic() - began_s
                yield chunk
        running.measured_anew(
            MadeSentence(
                audio_s=audio_s,
                waited_s=self._clock.monotonic() - began_s,
                first_audio_s=first_audio_s,
                estimated_s=estimated_seconds((text,), 1.0),
            )
        )


def _lengthened(text: str, n_chars: int) -> str:
    """Return a sentence repeated until it has this many characters."""
    phrase = text.rstrip(" .!?")
    n_times = min(_MOST_REPEATS, max(1, math.ceil(n_chars / (len(phrase) + 2))))
    return ", ".join([phrase] * n_times) + "." if n_times > 1 else text
