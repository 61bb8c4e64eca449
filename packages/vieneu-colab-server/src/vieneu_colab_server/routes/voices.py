"""``GET /voices``."""

from __future__ import annotations

from fastapi import APIRouter

from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.openapi import LOOK_PROBLEMS, UNAVAILABLE
from vieneu_core.backends.base import Backend
from vieneu_core.wire.routes import VOICES
from vieneu_core.wire.schemas import VoiceBody, VoicesAnswer


def voice_routes(backend: Backend, lifecycle: Lifecycle) -> APIRouter:
    """Return the route that lists voices."""
    router = APIRouter(tags=["voices"])

    @router.get(VOICES, responses={**LOOK_PROBLEMS, **UNAVAILABLE})
    async def voices() -> VoicesAnswer:
        """List the voices, the default one first."""
        lifecycle.check_accepting()
        return VoicesAnswer(voices=[VoiceBody.of(voice) for voice in await backend.voices()])

    return router
