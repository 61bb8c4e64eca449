"""``GET /health`` with all facts; ``GET /livez`` and ``GET /readyz`` without any."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from vieneu_colab_server import __version__
from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.middleware.traffic import Traffic
from vieneu_colab_server.openapi import READ_PROBLEMS
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.backends.base import BackendState
from vieneu_core.wire.routes import HEALTH, LIVEZ, READYZ
from vieneu_core.wire.schemas import HealthAnswer
from vieneu_core.wire.version import WIRE_VERSION

_STATUS_OF_STATE = {
    BackendState.READY: "ok",
    BackendState.DEGRADED: "ok",
    BackendState.SLOW: "ok",
    BackendState.LOADING: "loading",
    BackendState.DRAINING: "draining",
}


class ProbeAnswer(BaseModel):
    """Response of a probe."""

    status: Literal["alive", "ready", "not ready"]


def health_routes(lifecycle: Lifecycle, queue: SpeechQueue, traffic: Traffic) -> APIRouter:
    """Return the routes of the health checks."""
    router = APIRouter(tags=["health"])

    @router.get(HEALTH, responses=READ_PROBLEMS)
    async def health() -> HealthAnswer:
        """Report all facts about the server and its backend, also while it is busy or loading."""
        return await _health(lifecycle, queue, traffic)

    @router.get(LIVEZ)
    @router.head(LIVEZ, include_in_schema=False)
    async def livez() -> ProbeAnswer:
        """Report that the process responds. Needs no token and reveals nothing else."""
        return ProbeAnswer(status="alive")

    @router.head(READYZ, include_in_schema=False)
    @router.get(READYZ, responses={503: {"model": ProbeAnswer, "description": "Not ready."}})
    async def readyz(response: Response) -> ProbeAnswer:
        """Report whether a request would be accepted. Needs no token and reveals nothing else."""
        if await lifecycle.ready():
            return ProbeAnswer(status="ready")
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return ProbeAnswer(status="not ready")

    return router


async def _health(lifecycle: Lifecycle, queue: SpeechQueue, traffic: Traffic) -> HealthAnswer:
    seen = await lifecycle.health()
    state = BackendState.DRAINING if lifecycle.draining else seen.state
    return HealthAnswer(
        status=_STATUS_OF_STATE.get(state, "failed"),
        model_loaded=seen.ready,
        gpu_memory_used_gb=seen.gpu_memory_used_gb,
        uptime_seconds=round(lifecycle.uptime_s, 3),
        version=__version__,
        wire_version=WIRE_VERSION,
        state=state,
        engine=seen.engine,
        model=seen.model,
        downloaded_bytes=None if seen.loading is None else seen.loading.done_bytes,
        download_bytes=None if seen.loading is None else seen.loading.total_bytes,
        queue_depth=queue.depth,
        accelerator=seen.accelerator,
        gpu_memory_total_gb=seen.gpu_memory_total_gb,
        session_started_at=lifecycle.started_at,
        session_limit_seconds=lifecycle.session_limit_s,
        session_remaining_seconds=lifecycle.remaining_s,
        clones=seen.clones,
        draining=lifecycle.draining,
        requests_served=traffic.n_requests,
        bytes_sent=traffic.n_bytes,
    )
