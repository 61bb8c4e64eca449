"""Speech service: from a request body to a reader of its speech."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.types import Receive

from vieneu_colab_server.disconnect import while_connected
from vieneu_colab_server.idempotency import Recorder
from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.recording import Reader
from vieneu_colab_server.reference_clips import Samples, check_transcript
from vieneu_colab_server.speech_demand import demand_of
from vieneu_colab_server.uploaded_voices import UploadedVoices
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState
from vieneu_core.errors import (
    AuthenticationError,
    BackendLoadingError,
    BackendUnavailableError,
    FirstByteTimeoutError,
    InvalidRequestError,
    TextTooLongError,
    WireVersionError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.wire.schemas import SynthesisBody

_NOT_SPOKEN = frozenset({"request_id", "first_audio_within_s", "replaceable"})
"""Fields that do not affect the audio."""


def fingerprint(body: SynthesisBody) -> bytes:
    """Return a fingerprint that is equal for bodies that request the same audio."""
    spoken = body.model_dump_json(exclude=set(_NOT_SPOKEN))
    return hashlib.sha256(spoken.encode()).digest()


def check_characters(body: SynthesisBody) -> None:
    """Check that all text can be encoded as UTF-8; JSON can contain lone surrogates.

    Raises:
        InvalidRequestError: a field cannot be encoded.
    """
    for field, value in body:
        for text in value if isinstance(value, list) else [value]:
            try:
                str(text).encode()
            except UnicodeEncodeError:
                raise InvalidRequestError(
                    Translatable("{field} holds half of a surrogate pair.", field=field)
                ) from None


def answer_by_s(within_s: float) -> float:
    """Return how long to wait, so that the response arrives shortly before the client's timeout."""
    return within_s - min(0.5, within_s / 5)


class SpeechService:
    """Accepts requests for speech, and returns a reader for each."""

    def __init__(  # noqa: PLR0913 - its parts, each once
        self,
        backend: Backend,
        lifecycle: Lifecycle,
        recorder: Recorder,
        samples: Samples,
        uploads: UploadedVoices,
        *,
        max_text_chars: int,
    ) -> None:
        self._backend = backend
        self._lifecycle = lifecycle
        self._recorder = recorder
        self._samples = samples
        self._uploads = uploads
        self._max_text_chars = max_text_chars

    async def listen(self, body: SynthesisBody, receive: Receive) -> Reader:
        """Return a reader whose first audio is available; the caller closes it.

        Raises:
            VieneuError: the request cannot be served, now or at all.
            ClientGoneError: the client has disconnected.
        """
        self._lifecycle.check_accepting()
        self._check_length(body)
        check_characters(body)
        request = await self._request(body)
        within_s = body.first_audio_within_s
        demand = demand_of(
            body.text,
            speed=body.speed,
            within_s=None if within_s is None else answer_by_s(within_s),
        )
        reader = self._recorder.attach(
            body.request_id, fingerprint(body), lambda: self._speak(request), demand
        )
        try:
            await while_connected(receive, self._first_audio(reader, body.first_audio_within_s))
        except BaseException:
            reader.close()
            raise
        return reader

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices that `listen` takes, the default one first, uploaded ones last.

        Raises:
            VieneuError: they cannot be listed now.
        """
        self._lifecycle.check_accepting()
        return (*await self._backend.voices(), *self._uploads.voices())

    async def _first_audio(self, reader: Reader, within_s: float | None) -> None:
        try:
            await reader.first_audio(None if within_s is None else answer_by_s(within_s))
        except FirstByteTimeoutError as error:
            if (await self._lifecycle.health()).state is BackendState.LOADING:
                raise BackendLoadingError("The model is being loaded.") from error
            raise

    async def reference(self, sample: str | None, transcript: str | None) -> ReferenceAudio | None:
        """Return reference audio, decoded; None where none is given.

        Raises:
            InvalidRequestError: a sample is given without its transcript, or the reverse.
            TextTooLongError: the transcript is longer than a text may be.
            ReferenceAudioError: the sample is unusable.
        """
        check_transcript(sample, transcript)
        if sample is None or transcript is None:
            return None
        self._check_n_chars(len(transcript))
        clip = await asyncio.to_thread(self._samples.clip, sample)
        return ReferenceAudio(
            pcm=clip.pcm, sample_rate_hz=clip.sample_rate_hz, transcript=transcript
        )

    def _check_length(self, body: SynthesisBody) -> None:
        parts = [body.text] if isinstance(body.text, str) else body.text
        n_chars = max(sum(map(len, parts)), len(parts), len(body.voice_transcript or ""))
        self._check_n_chars(n_chars)

    def _check_n_chars(self, n_chars: int) -> None:
        if n_chars > self._max_text_chars:
            raise TextTooLongError(
                Translatable(
                    "The text has {n_chars} characters; this server takes {max_text_chars}.",
                    n_chars=n_chars,
                    max_text_chars=self._max_text_chars,
                )
            )

    async def _request(self, body: SynthesisBody) -> SynthesisRequest:
        reference = await self.reference(body.voice_sample_path, body.voice_transcript)
        sent = self._uploads.find(body.voice) if reference is None else None
        return SynthesisRequest(
            text=body.text if isinstance(body.text, str) else tuple(body.text),
            voice=body.voice if sent is None else None,
            language=body.language,
            speed=body.speed,
            watermark=body.watermark,
            reference=reference or sent,
            request_id=body.request_id,
            replaceable=body.replaceable,
            limits_pauses=body.first_audio_within_s is not None,
        )

    async def _speak(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        try:
            async with aclosing(self._backend.stream(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (AuthenticationError, WireVersionError) as error:
            # To the client these would refer to its own token and version.
            raise BackendUnavailableError(
                "The backend behind this server refuses to speak with it."
            ) from error
