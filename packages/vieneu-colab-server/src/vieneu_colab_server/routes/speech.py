"""``POST /tts/synthesize`` and ``POST /tts/stream``."""

from __future__ import annotations

import asyncio
import base64
import io
import wave

from fastapi import APIRouter, Request
from starlette.responses import Response

from vieneu_colab_server.content_negotiation import MEDIA_TYPES, negotiate
from vieneu_colab_server.disconnect import ClientGoneError, while_connected
from vieneu_colab_server.openapi import SPEECH_PROBLEMS
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.streaming_response import SpeechResponse, body_form
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.synthesis import Speech, collect
from vieneu_core.wire.routes import REQUEST_ID_HEADER, STREAM, SYNTHESIZE
from vieneu_core.wire.schemas import SynthesisAnswer, SynthesisBody

CLIENT_CLOSED_REQUEST = 499
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_AUDIO = {
    "description": "The speech, as it is made.",
    "content": dict.fromkeys(MEDIA_TYPES, _BINARY),
}


def speech_routes(speech_service: SpeechService, *, send_timeout_s: float) -> APIRouter:
    """Return the routes of speech."""
    router = APIRouter(tags=["speech"])

    @router.post(SYNTHESIZE, responses=SPEECH_PROBLEMS, response_model=SynthesisAnswer)
    async def synthesize(body: SynthesisBody, request: Request) -> Response:
        """Synthesize a text and return the complete audio."""
        request.state.request_id = body.request_id.strip()
        try:
            reader = await speech_service.listen(body, request.receive)
        except ClientGoneError:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        try:
            speech = await while_connected(request.receive, collect(reader.chunks()))
        except ClientGoneError:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        finally:
            reader.close()
        answer = await asyncio.to_thread(_answer, speech, body.request_id)
        headers = {REQUEST_ID_HEADER: request.state.request_id, "Cache-Control": "no-store"}
        return Response(answer, media_type="application/json", headers=headers)

    @router.post(
        STREAM,
        responses={
            200: _AUDIO,
            406: SPEECH_PROBLEMS[422] | {"description": "Accept"},
            **SPEECH_PROBLEMS,
        },
        response_class=Response,
    )
    async def stream(body: SynthesisBody, request: Request) -> Response:
        """Synthesize a text and stream the audio.

        The `Accept` header selects our framing around Opus or PCM, in which truncation is always
        detected, or plain audio for any player (`audio/wav` by default).
        """
        request.state.request_id = body.request_id.strip()
        media_type = negotiate(request.headers.get("accept"))
        try:
            reader = await speech_service.listen(body, request.receive)
        except ClientGoneError:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        form = body_form(media_type, body.request_id)
        return SpeechResponse(
            reader, form, request_id=body.request_id, send_timeout_s=send_timeout_s
        )

    return router


def _answer(speech: Speech, request_id: str) -> bytes:
    """Return complete speech as JSON. Blocking: it may be many megabytes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(BYTES_PER_SAMPLE)
        wav.setframerate(speech.sample_rate_hz)
        wav.writeframes(speech.pcm)
    speaker = speech.speakers[0]
    answer = SynthesisAnswer(
        audio_base64=base64.b64encode(file.getvalue()).decode(),
        sample_rate=speech.sample_rate_hz,
        duration_ms=round(speech.seconds * 1000),
        engine=speaker.engine,
        voice=speaker.voice,
        stand_in=speech.fallback,
        request_id=request_id,
    )
    return answer.model_dump_json().encode()
