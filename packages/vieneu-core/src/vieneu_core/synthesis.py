"""The request for speech, and complete speech, independent of the backend."""

from __future__ import annotations

import hashlib
import io
import uuid
import wave
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

from vieneu_core.arguments import check_fields, expect, refuse
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, MAX_RATE_HZ, AudioChunk, Speaker
from vieneu_core.audio.whole_sentences import whole_sentences
from vieneu_core.errors import (
    BadAudioError,
    InvalidRequestError,
    ReferenceAudioError,
    StreamInterruptedError,
)
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from vieneu_core.audio.encode import AudioFormat

MIN_SPEED, MAX_SPEED = 0.5, 2.0
MAX_REQUEST_ID_LENGTH = 128
MAX_LANGUAGE_LENGTH = 35
"""Longest language tag, by RFC 5646, 4.4.1."""
LANGUAGES = ("vi", "en")
"""Primary subtags of the supported languages."""


def new_request_id() -> str:
    """Return a unique request id."""
    return uuid.uuid4().hex


def check_language(language: str) -> None:
    """Check that a language is supported.

    Raises:
        InvalidRequestError: it is not; the message lists the supported ones.
    """
    if language.partition("-")[0].lower() not in LANGUAGES:
        raise InvalidRequestError(
            Translatable(
                "The language {language!r} is not one of: {languages}.",
                language=language[:35],
                languages=", ".join(LANGUAGES),
            ),
            remedy="Choose one of the languages listed.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceAudio:
    """The clip from which a voice is cloned.

    Raises:
        ReferenceAudioError: a field has the wrong type, or the clip is empty.
    """

    pcm: bytes = field(repr=False)
    """Samples, signed 16-bit little-endian, mono."""
    sample_rate_hz: int
    transcript: str
    """Transcript of the clip."""

    def __post_init__(self) -> None:
        check_fields(self, error=ReferenceAudioError)
        if not 0 < self.sample_rate_hz <= MAX_RATE_HZ:
            expected = f"from 1 to {MAX_RATE_HZ}"
            raise refuse("sample_rate_hz", self.sample_rate_hz, expected, error=ReferenceAudioError)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / self.sample_rate_hz

    @property
    def content_id(self) -> str:
        """Identifier of this clip with this transcript, equal on every machine."""
        head = f"{self.sample_rate_hz}\n{self.transcript}\n".encode()
        return f"clip-{hashlib.sha256(head + self.pcm).hexdigest()[:40]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRequest:
    """Text to speak, and how. Immutable, the same object from caller to engine.

    Raises:
        InvalidRequestError: a field has the wrong type, or is out of its range.
    """

    text: str | tuple[str, ...] | AsyncIterable[str]
    """The text, or sentences that are already split, or pieces of text as they are written.

    A list of sentences is converted to a tuple.
    """
    voice: str | None = None
    """Id of a voice; None means the backend's default for the language."""
    language: str = "vi"
    """Language tag: ``vi`` or ``en``, optionally with a region (``vi-VN``). It selects the voice
    only if none is named, or if a fallback speaks."""
    speed: float = 1.0
    """Rate of speech, 0.5 to 2.0, at the same pitch."""
    watermark: bool = False
    """Whether the audio must carry a watermark."""
    reference: ReferenceAudio | None = None
    """Clip whose voice is cloned; takes precedence over ``voice``."""
    request_id: str = field(default_factory=new_request_id)
    """Identifies the request on both sides, so that a retry is not spoken twice."""
    first_audio_within_s: float | None = None
    """Seconds within which the first audio is wanted: a server that cannot begin by then says so
    at once, so that another backend speaks. None: the backend's own limit."""
    replaceable: bool = False
    """Whether another backend can go on where this one fails: then it says so at once, and tries
    nothing itself that would take time."""

    limits_pauses: bool = False
    """Whether the client gives up where the audio pauses: then it gets a slow engine's speech as
    that is made, not by the sentence."""

    def __post_init__(self) -> None:
        self._check_text()
        if not isinstance(self.voice, str | None):
            expected = "the id of a voice (a string, such as voice.id), or None"
            raise refuse("voice", self.voice, expected, error=InvalidRequestError)
        if not isinstance(self.reference, ReferenceAudio | None):
            expected = "a ReferenceAudio, or None"
            raise refuse("reference", self.reference, expected, error=InvalidRequestError)
        check_fields(self, error=InvalidRequestError)
        if self.voice == "":
            raise InvalidRequestError(
                "The id of the voice is empty.", remedy="Name a voice, or omit it."
            )
        check_language(self.language)
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise InvalidRequestError(
                Translatable(
                    "speed is {speed}; it must be from {min_speed} to {max_speed}.",
                    speed=self.speed,
                    min_speed=MIN_SPEED,
                    max_speed=MAX_SPEED,
                )
            )
        if len(self.language) > MAX_LANGUAGE_LENGTH:
            raise InvalidRequestError(
                Translatable(
                    "language has {n_language} characters; it must be a tag such as 'vi'.",
                    n_language=len(self.language),
                )
            )
        usable = self.request_id.isascii() and self.request_id.isprintable()
        if not (usable and 0 < len(self.request_id) <= MAX_REQUEST_ID_LENGTH):
            raise InvalidRequestError(
                Translatable(
                    "request_id must be 1 to {max_request_id_length} printable ASCII characters.",
                    max_request_id_length=MAX_REQUEST_ID_LENGTH,
                )
            )

    def _check_text(self) -> None:
        if isinstance(self.text, list):
            object.__setattr__(self, "text", tuple(self.text))
        if isinstance(self.text, tuple):
            for sentence in self.text:
                expect("A sentence of text", sentence, str, "a string", error=InvalidRequestError)
            return
        expected = "a string, a tuple of sentences, or an async iterator of pieces of text"
        expect("text", self.text, (str, AsyncIterable), expected, error=InvalidRequestError)


def check_request(request: object) -> None:
    """Check that the argument of a backend is a request.

    Raises:
        InvalidRequestError: it has another type.
    """
    expected = "a SynthesisRequest, such as SynthesisRequest(text='Xin chào')"
    expect("request", request, SynthesisRequest, expected, error=InvalidRequestError)


@dataclass(frozen=True, slots=True, repr=False)
class Speech:
    """Complete speech of a request: at least one sentence, each complete.

    Raises:
        InvalidRequestError: ``chunks`` is empty, or contains another type.
        BadAudioError: the chunks differ in their sample rate.
    """

    chunks: tuple[AudioChunk, ...]

    def __post_init__(self) -> None:
        if isinstance(self.chunks, list):
            object.__setattr__(self, "chunks", tuple(self.chunks))
        found = self.chunks if isinstance(self.chunks, tuple) else ()
        if not found or not all(isinstance(chunk, AudioChunk) for chunk in found):
            expected = "a tuple of at least one AudioChunk"
            raise refuse("chunks", self.chunks, expected, error=InvalidRequestError)
        if len({chunk.sample_rate_hz for chunk in found}) > 1:
            raise BadAudioError("The chunks of one speech have different sample rates.")

    def __repr__(self) -> str:
        return (
            f"Speech(sentences={len(self.speakers)}, seconds={self.seconds:.2f},"
            f" sample_rate_hz={self.sample_rate_hz})"
        )

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
        """Speaker of each sentence, by index."""
        return tuple(chunk.speaker for chunk in self.chunks if chunk.final)

    @property
    def fallback(self) -> bool:
        """True if a fallback spoke any sentence: do not cache the speech as the requested voice."""
        return any(chunk.speaker.fallback for chunk in self.chunks)

    def wav(self) -> bytes:
        """Return the content of a WAV file. Fast, because nothing is compressed."""
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(BYTES_PER_SAMPLE)
            file.setframerate(self.sample_rate_hz)
            file.writeframes(self.pcm)
        return content.getvalue()

    async def save(self, path: str | PathLike[str], fmt: AudioFormat | str | None = None) -> None:
        """Write the speech to a file atomically, as `write_file` does.

        Args:
            path: The file; one that exists is replaced, and keeps its permissions.
            fmt: An `AudioFormat` or its name; None means the format of the suffix.

        Raises:
            InvalidRequestError: the file cannot be written, or its suffix is unknown.
        """
        from vieneu_core.audio.file import write_file

        await write_file(self._replayed(), path, fmt)

    async def _replayed(self) -> AsyncGenerator[AudioChunk, None]:
        for chunk in self.chunks:
            yield chunk


async def collect(chunks: AsyncIterable[AudioChunk]) -> Speech:
    """Collect a stream into one `Speech`; omit what a failure cut off.

    Raises:
        InvalidRequestError: ``chunks`` is not a stream of audio.
        StreamInterruptedError: the stream ended without an end mark of its last sentence.
    """
    gathered = tuple([chunk async for chunk in whole_sentences(chunks)])
    if not gathered:
        raise StreamInterruptedError("The stream ended before any audio came.")
    return Speech(gathered)
