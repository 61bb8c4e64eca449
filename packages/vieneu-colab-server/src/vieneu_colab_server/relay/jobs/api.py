"""API of long jobs over the router."""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from vieneu_colab_server.app import AddedApi
from vieneu_colab_server.middleware.auth import bearer_token
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.routes import JOBS, ReadReference, job_routes
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_core.backends.base import BackendState
from vieneu_core.errors import BackendError, CloningUnsupportedError
from vieneu_core.router import Mode, Router
from vieneu_core.synthesis import ReferenceAudio


def job_api(queue: JobQueue, router: Router) -> AddedApi:
    """Return the API; reference audio is refused where no backend can speak with it."""
    return AddedApi(
        routes=lambda made: job_routes(
            queue,
            _reading(router, made.speech),
            owner_of=lambda request: _owner_of(made.tokens, request),
            stopping=lambda: made.lifecycle.draining,
        ),
        prefix=JOBS,
    )


def _owner_of(tokens: TokenRotation, request: Request) -> str:
    """Return what stands for the token of a request, in answers too: nobody can tell it by that."""
    owner = tokens.owner_of(bearer_token(request.scope["headers"]))
    return hashlib.sha256(owner.encode()).hexdigest()[:16] if owner else ""


def _reading(router: Router, speech: SpeechService) -> ReadReference:
    async def read(sample: str | None, transcript: str | None) -> ReferenceAudio | None:
        if sample is not None and await none_clones(router):
            raise CloningUnsupportedError("The engine of this server cannot clone a voice.")
        return await speech.reference(sample, transcript)

    return read


def backend_away(router: Router) -> bool:
    """Return whether one of the two backends is set up, and cannot speak now."""
    states = {backend.state for backend in filter(None, map(router.status().backend, Mode))}
    return any(not state.ready for state in states - {BackendState.NOT_CONFIGURED})


async def none_clones(router: Router) -> bool:
    """Return whether both backends are known to be unable to clone a voice.

    One that is away, or still loads its model, may be able to: the job waits for it.
    """
    for backend in filter(None, map(router.status().backend, Mode)):
        if backend.state is BackendState.NOT_CONFIGURED:
            continue
        health = backend.health
        if backend.state.ready and (health is None or not health.ready):  # of before it loaded
            try:
                health = await router.check(backend.name)
            except BackendError:
                return False
        if health is None or health.engine is None or health.clones:
            return False
    return True
