"""Admin API for voices: list, hear, add and remove them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import wave
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus

from fastapi import APIRouter, Response

from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk
from vieneu_core.backends.base import Backend
from vieneu_core.errors import InvalidRequestError, ReferenceAudioError, VoiceNotFoundError
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest, collect
from vieneu_core.translatable import Translatable
from vieneu_core.voices import VoiceCatalogue, read_reference
from vieneu_core.wire.schemas import VoiceBody, VoicesAnswer, VoiceUpload

WAV = "audio/wav"
SAMPLE_TEXTS = {
    "vi": "Xin chào, đây là giọng đọc mẫu.",
    "en": "Hello, this is a sample of the voice.",
}
"""Sentence by which a voice introduces itself; Vietnamese for other languages."""


def voice_routes(
    catalogue: VoiceCatalogue,
    backend: Backend,
    speak: Callable[[SynthesisRequest], AsyncGenerator[AudioChunk, None]],
) -> APIRouter:
    """Return the routes of voices.

    Args:
        catalogue: The custom voices.
        backend: Lists the voices that can be used now.
        speak: Speaks samples.
    """
    api = APIRouter(tags=["voices"], prefix=ADMIN_API)
    _add_custom_voices(api, catalogue)

    @api.get("/voices/usable")
    async def usable_voices() -> VoicesAnswer:
        """List the voices of the active backend, the default one first."""
        return VoicesAnswer(voices=[VoiceBody.of(voice) for voice in await backend.voices()])

    @api.post("/voices/{voice_id}/sample", response_class=Response)
    async def sample(voice_id: str) -> Response:
        """Speak a short sentence with a voice of the active backend."""
        voice = next((each for each in await backend.voices() if each.id == voice_id), None)
        if voice is None:
            raise VoiceNotFoundError(
                Translatable("The active backend has no voice {voice_id!r}.", voice_id=voice_id)
            )
        text = SAMPLE_TEXTS.get(voice.language, SAMPLE_TEXTS["vi"])
        request = SynthesisRequest(text=text, voice=voice_id, language=voice.language)
        speech = await collect(speak(request))
        wav = await asyncio.to_thread(_wav, speech.pcm, speech.sample_rate_hz)
        return Response(wav, media_type=WAV)

    return api


def _add_custom_voices(api: APIRouter, catalogue: VoiceCatalogue) -> None:
    @api.get("/voices")
    async def custom_voices() -> VoicesAnswer:
        """List the custom voices that were added here."""
        found = await asyncio.to_thread(catalogue.voices)
        return VoicesAnswer(voices=[VoiceBody.of(voice) for voice in found])

    @api.post("/voices", status_code=HTTPStatus.CREATED)
    async def add_voice(body: VoiceUpload) -> VoiceBody:
        """Add a custom voice from a clip and its transcript."""
        if not body.name.strip():
            raise InvalidRequestError("The voice has no name.", remedy="Give it a name.")
        reference = await asyncio.to_thread(_reference, body)
        added = await asyncio.to_thread(catalogue.add, body.name, reference, language=body.language)
        return VoiceBody.of(added.voice)

    @api.delete("/voices/{voice_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_voice(voice_id: str) -> None:
        """Remove a custom voice."""
        await asyncio.to_thread(catalogue.remove, voice_id)

    @api.get("/voices/{voice_id}/clip", response_class=Response)
    async def clip(voice_id: str) -> Response:
        """Return the clip from which a custom voice is cloned."""
        found = await asyncio.to_thread(catalogue.get, voice_id)
        if found is None:
            raise VoiceNotFoundError(
                Translatable("No voice {voice_id!r} was added.", voice_id=voice_id)
            )
        reference = found.reference
        wav = await asyncio.to_thread(_wav, reference.pcm, reference.sample_rate_hz)
        return Response(wav, media_type=WAV)


def _reference(upload: VoiceUpload) -> ReferenceAudio:
    """Decode and check the clip of a voice. Blocking."""
    try:
        audio = base64.b64decode(upload.audio_base64, validate=True)
    except (binascii.Error, ValueError):
        raise ReferenceAudioError("audio_base64 is not base64.") from None
    return read_reference(audio, upload.transcript).reference


def _wav(pcm: bytes, sample_rate_hz: int) -> bytes:
    """Return samples as a WAV file. Blocking."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(BYTES_PER_SAMPLE)
        wav.setframerate(sample_rate_hz)
        wav.writeframes(pcm)
    return file.getvalue()
