"""``GET``, ``POST`` and ``DELETE /voices``."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request

from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.middleware.auth import bearer_token
from vieneu_colab_server.openapi import READ_PROBLEMS, SPEECH_PROBLEMS, UNAVAILABLE
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_colab_server.uploaded_voices import UploadedVoices
from vieneu_core.errors import CloningUnsupportedError
from vieneu_core.wire.routes import VOICES
from vieneu_core.wire.schemas import VoiceBody, VoicesAnswer, VoiceUpload


def voice_routes(
    speech_service: SpeechService,
    lifecycle: Lifecycle,
    uploads: UploadedVoices,
    *,
    tokens: TokenRotation,
) -> APIRouter:
    """Return the routes that list, upload and remove voices."""
    router = APIRouter(tags=["voices"])

    def owner_of(request: Request) -> str | None:
        return tokens.owner_of(bearer_token(request.scope["headers"]))

    @router.get(VOICES, responses={**READ_PROBLEMS, **UNAVAILABLE})
    async def voices() -> VoicesAnswer:
        """List the voices, the default one first, uploaded ones last."""
        return VoicesAnswer(voices=[VoiceBody.of(voice) for voice in await speech_service.voices()])

    @router.post(VOICES, responses=SPEECH_PROBLEMS)
    async def upload(body: VoiceUpload, request: Request) -> VoiceBody:
        """Upload a voice: a clip and its transcript, from which its id is derived."""
        lifecycle.check_accepting()
        if not (await lifecycle.health()).clones:
            raise CloningUnsupportedError("The engine of this server cannot clone a voice.")
        owner = owner_of(request)
        return VoiceBody.of(await asyncio.to_thread(uploads.add, body, owner=owner))

    @router.delete(
        f"{VOICES}/{{voice_id}}", status_code=HTTPStatus.NO_CONTENT, responses=SPEECH_PROBLEMS
    )
    async def forget(voice_id: str, request: Request) -> None:
        """Remove an uploaded voice: one's own, or as the admin any."""
        uploads.remove(voice_id, owner=owner_of(request))

    return router
