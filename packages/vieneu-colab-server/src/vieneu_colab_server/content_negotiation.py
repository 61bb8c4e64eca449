"""Content negotiation: the audio format for an ``Accept`` header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from vieneu_core.audio.encode import AudioFormat
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM

PLAIN_AUDIO = {fmt.media_type: fmt for fmt in AudioFormat}
"""Plain audio formats for clients without our framing, by media type."""
MEDIA_TYPES = (FRAMES_OPUS, FRAMES_PCM, *PLAIN_AUDIO)
_MEANT = {
    "*/*": "audio/wav",
    "audio/*": "audio/wav",
    "application/*": FRAMES_OPUS,
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/x-flac": "audio/flac",
}
"""Media type for ranges, and for names that programs use beside the registered ones."""


def negotiate(accept: str | None) -> str:
    """Return the media type that the client prefers.

    Raises:
        HTTPException: 406, no accepted media type is supported.
    """
    ranges = [_parse(part) for part in (accept or "*/*").split(",")]
    refused = {name for name, quality in ranges if quality <= 0}
    # Sorting is stable: of equal qualities, the first one wins.
    for name, quality in sorted(ranges, key=lambda item: -item[1]):
        media_type = name if name in MEDIA_TYPES else _MEANT.get(name)
        if quality > 0 and media_type is not None and media_type not in refused:
            return media_type
    raise HTTPException(
        406, "Accept names no form of audio that this server makes: " + ", ".join(MEDIA_TYPES) + "."
    )


def _parse(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _quality(value)
    return name, 1.0


def _quality(value: str) -> float:
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
