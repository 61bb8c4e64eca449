"""The request for speech, and speech as a whole. Not which backend serves it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass, field, replace

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import InvalidRequestError, StreamInterruptedError

MIN_SPEED, MAX_SPEED = 0.5, 2.0
MAX_REQUEST_ID_LENGTH = 128
LANGUAGES = ("vi", "en")
"""Primary subtags of the languages that a request may be in."""


def new_request_id() -> str:
    """Return an id that no other request has."""
    return uuid.uuid4().hex


def check_language(language: str) -> None:
    """Make sure that a language tag is of a language that is spoken here.

    Raises:
        InvalidRequestError: it is not; the message lists those that are.
    """
    if language.partition("-")[0].lower() not in LANGUAGES:
        raise InvalidRequestError(
            f"The language {language[:35]!r} is not one of: {', '.join(LANGUAGES)}.",
            remedy="Choose one of the languages listed.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceAudio:
    """The clip from which a voice is cloned."""

    pcm: bytes = field(repr=False)
    """Samples, signed 16-bit little-endian, mono."""
    sample_rate_hz: int
    transcript: str
    """What is said in the clip."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / self.sample_rate_hz

    @property
    def content_id(self) -> str:
        """Name of this very clip with this very transcript, the same on every machine."""
        told = f"{self.sample_rate_hz}\n{self.transcript}\n".encode()
        return f"clip-{hashlib.sha256(told + self.pcm).hexdigest()[:40]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRequest:
    """What shall be said, and how. Immutable, the same object from caller to engine.

    Raises:
        InvalidRequestError: ``voice``, ``language``, ``speed`` or ``request_id`` is out of its
            range.
    """

    text: str | tuple[str, ...] | AsyncIterable[str]
    """The text; or sentences that are already split; or pieces as they are being written."""
    voice: str | None = None
    """Id of a voice; None is the backend's default for the language."""
    language: str = "vi"
    """Language tag: ``vi`` or ``en``, a region may follow (``vi-VN``). Only chooses the voice
    where none is named, or where a stand-in speaks."""
    speed: float = 1.0
    """Rate of speech, 0.5 to 2.0, without change of pitch."""
    watermark: bool = False
    """Whether the audio must carry a watermark."""
    reference: ReferenceAudio | None = None
    """Speak with the voice of this clip; goes before ``voice``."""
    request_id: str = field(default_factory=new_request_id)
    """Names the request on both sides, so that a retry is not spoken twice."""

    def __post_init__(self) -> None:
        if self.voice == "":
            raise InvalidRequestError(
                "The id of the voice is empty.", remedy="Name a voice, or leave it out."
            )
        check_language(self.language)
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise InvalidRequestError(
                f"speed is {self.speed}; it must be from {MIN_SPEED} to {MAX_SPEED}."
            )
        usable = self.request_id.isascii() and self.request_id.isprintable()
        if not (usable and 0 < len(self.request_id) <= MAX_REQUEST_ID_LENGTH):
            raise InvalidRequestError(
                f"request_id must be 1 to {MAX_REQUEST_ID_LENGTH} printable ASCII characters."
            )


@dataclass(frozen=True, slots=True)
class Speech:
    """A whole request, spoken: at least one sentence, each of them complete."""

    chunks: tuple[AudioChunk, ...]

    @property
    def pcm(self) -> bytes:
        """All samples, signed 16-bit little-endian, mono."""
        return b"".join(chunk.pcm for chunk in self.chunks)

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second."""
        return self.chunks[0].sample_rate_hz

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return sum(chunk.seconds for chunk in self.chunks)

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """Who spoke each sentence, by index."""
        return tuple(chunk.speaker for chunk in self.chunks if chunk.final)

    @property
    def stand_in(self) -> bool:
        """True where any sentence was not spoken as it was asked for: do not cache it."""
        return any(chunk.speaker.stand_in for chunk in self.chunks)


async def whole_sentences(chunks: AsyncIterator[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Yield each sentence only once all of it is there; what a failure cut off is left out.

    For whoever stores speech. Whoever plays it wants the first sound sooner.

    Raises:
        StreamInterruptedError: the stream ended without an end mark of its last sentence.
    """
    sentence: list[AudioChunk] = []
    async for chunk in chunks:
        if chunk.restarted:
            sentence.clear()
        sentence.append(replace(chunk, restarted=False))
        if chunk.final:
            for whole in sentence:
                yield whole
            sentence.clear()
    if sentence:
        raise StreamInterruptedError("The stream of audio ended in the middle of a sentence.")


async def collect(chunks: AsyncIterator[AudioChunk]) -> Speech:
    """Gather a stream into one `Speech`; what a failure cut off is left out.

    Raises:
        StreamInterruptedError: the stream ended without an end mark of its last sentence.
    """
    gathered = tuple([chunk async for chunk in whole_sentences(chunks)])
    if not gathered:
        raise StreamInterruptedError("The stream ended before any audio came.")
    return Speech(gathered)
