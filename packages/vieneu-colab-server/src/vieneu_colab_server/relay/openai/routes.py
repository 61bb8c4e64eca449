"""``POST /v1/audio/speech``, and the lists of models and voices."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from vieneu_colab_server.app import AddedApi
from vieneu_colab_server.disconnect import ClientGoneError
from vieneu_colab_server.openapi import Responses
from vieneu_colab_server.relay.openai.audio import AUDIO_TYPES, EVENTS, form_of
from vieneu_colab_server.relay.openai.names import MODELS, check_model
from vieneu_colab_server.relay.openai.problems import openai_error
from vieneu_colab_server.relay.openai.schemas import (
    AudioModelList,
    ErrorAnswer,
    ModelBody,
    ModelList,
    SpeechBody,
    VoiceItem,
    VoiceList,
)
from vieneu_colab_server.relay.openai.speed import at_speed
from vieneu_colab_server.routes.speech import CLIENT_CLOSED_REQUEST
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.streaming_response import SpeechResponse

PREFIX = "/v1/"
SPEECH = "/v1/audio/speech"
_AUDIO = {
    "description": "The speech, as it is made.",
    "content": {
        **{name: {"schema": {"type": "string", "format": "binary"}} for name in AUDIO_TYPES},
        EVENTS: {},
    },
}
_ERRORS: Responses = {"default": {"model": ErrorAnswer, "description": "What failed, and why."}}


def openai_api(*, send_timeout_s: float) -> AddedApi:
    """Return OpenAI's API for `create_app`.

    Args:
        send_timeout_s: A client that reads nothing for so long counts as disconnected.
    """
    return AddedApi(
        routes=lambda service: openai_routes(
            service.speech,
            started_at=service.lifecycle.started_at,
            send_timeout_s=send_timeout_s,
        ),
        prefix=PREFIX,
        speech_paths=frozenset({SPEECH}),
        error_form=openai_error,
    )


def openai_routes(
    speech_service: SpeechService, *, started_at: datetime, send_timeout_s: float
) -> APIRouter:
    """Return the routes of OpenAI's API.

    Args:
        speech_service: Speaks, and lists the voices.
        started_at: When the server was started; the models are listed with it.
        send_timeout_s: A client that reads nothing for so long counts as disconnected.
    """
    router = APIRouter(tags=["openai"], responses=_ERRORS)
    listed = [ModelBody(id=name, created=int(started_at.timestamp())) for name in MODELS]

    @router.post(SPEECH, responses={200: _AUDIO}, response_class=Response)
    async def speech(body: SpeechBody, request: Request) -> Response:
        """Synthesize a text and stream the audio, as OpenAI's service does.

        `instructions` are accepted and ignored: the models here take none. OpenAI's own voices do
        not exist here; each of their names stands for the default voice.
        """
        check_model(body.model)
        wanted = body.to_synthesis()
        request.state.request_id = wanted.request_id
        try:
            reader = await speech_service.listen(wanted, request.receive)
        except ClientGoneError:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        form = at_speed(form_of(body.response_format, body.stream_format), body.speed)
        response = SpeechResponse(
            reader, form, request_id=wanted.request_id, send_timeout_s=send_timeout_s
        )
        response.headers["x-request-id"] = wanted.request_id
        return response

    @router.get("/v1/models")
    async def models() -> ModelList:
        """List the models: the active backend, and OpenAI's names for it."""
        return ModelList(data=listed)

    @router.get("/v1/models/{model}")
    async def model(model: str) -> ModelBody:
        """Describe one model."""
        check_model(model)
        return next(known for known in listed if known.id == model)

    @router.get("/v1/audio/models")
    async def audio_models() -> AudioModelList:
        """List the models, in the form that Open WebUI asks for."""
        return AudioModelList(models=listed)

    @router.get("/v1/audio/voices")
    async def voices() -> VoiceList:
        """List the voices, the default one first, uploaded ones last."""
        found = [VoiceItem.of(voice) for voice in await speech_service.voices()]
        return VoiceList(voices=found, data=found)

    return router
