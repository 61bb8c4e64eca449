"""Source of the speech of a Wyoming server: a backend, the router, or speech through a queue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice

Speak = Callable[[SynthesisRequest], AsyncGenerator[AudioChunk, None]]
"""Speaks a request, as `Backend.stream` does."""
ListVoices = Callable[[], Awaitable[tuple[Voice, ...]]]
"""Lists the voices, as `Backend.voices` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSource:
    """What speaks, and in which language its failures are described."""

    speak: Speak
    voices: ListVoices
    language: str = "en"
