"""``POST /tts/synthesize`` and ``POST /tts/stream``."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from vieneu_colab_server.content_negotiation import MEDIA_TYPES, negotiate
from vieneu_colab_server.disconnect import ClientGoneError, while_connected
from vieneu_colab_server.openapi import SPEECH_PROBLEMS
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.streaming_response import SpeechResponse, body_form
from vieneu_colab_server.whole_response import WholeSpeechResponse
from vieneu_core.synthesis import collect
from vieneu_core.wire.routes import STREAM, SYNTHESIZE
from vieneu_core.wire.schemas import SynthesisAnswer, SynthesisBody

CLIENT_CLOSED_REQUEST = 499
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_AUDIO = {
    "description": "The speech, as it is made.",
    "content": dict.fromkeys(MEDIA_TYPES, _BINARY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """How long a client may take for what it is sent."""

    send_timeout_s: float
    """A client that takes no part for so long counts as disconnected."""
    send_within_s: float
    """Longest time for a whole answer, which is stored meanwhile."""


def speech_routes(speech_service: SpeechService, limits: SendLimits) -> APIRouter:
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
            speech = await while_connected(request.receive, collect(reader.all_chunks()))
        except ClientGoneError:
            reader.close()
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except BaseException:
            reader.close()
            raise
        return WholeSpeechResponse(
            speech, reader, request_id=body.request_id, send_within_s=limits.send_within_s
        )

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
            reader, form, request_id=body.request_id, send_timeout_s=limits.send_timeout_s
        )

    return router
