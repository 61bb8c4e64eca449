"""Short silence, the answer to a text that has content but nothing to say."""

from __future__ import annotations

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker

SILENCE_S = 0.3
"""Length in seconds: long enough for every player and encoder, too short to be noticed."""
SILENT_ENGINE = "silence"
"""`Speaker.engine` of it: no engine was asked."""
_RATE_HZ = 24_000


def silent_sentence(backend: str) -> AudioChunk:
    """Return the only chunk of such an answer.

    Args:
        backend: Name of the backend that would have spoken.
    """
    pcm = bytes(round(SILENCE_S * _RATE_HZ) * BYTES_PER_SAMPLE)
    speaker = Speaker(backend=backend, engine=SILENT_ENGINE, voice="")
    return AudioChunk(pcm, _RATE_HZ, 0, speaker, final=True)
