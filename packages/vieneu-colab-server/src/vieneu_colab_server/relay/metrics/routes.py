"""``GET /metrics``: what Prometheus scrapes. Needs the token, as every path but the probes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from vieneu_colab_server.openapi import READ_PROBLEMS, Responses

METRICS = "/metrics"
_TEXT: Responses = {
    200: {
        "description": "All metrics, in the format that `Accept` asks for.",
        "content": {
            media_type: {"schema": {"type": "string"}}
            for media_type in ("text/plain", "application/openmetrics-text")
        },
    }
}


def metrics_routes(registry: CollectorRegistry) -> APIRouter:
    """Return the route that exposes a registry."""
    router = APIRouter(tags=["metrics"])

    @router.get(METRICS, responses=_TEXT | READ_PROBLEMS, response_class=Response)
    async def metrics(request: Request) -> Response:
        """Expose all metrics for Prometheus, as text or as OpenMetrics."""
        # On the event loop, where a router may be read; it takes a millisecond or two.
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        return Response(encode(registry), headers=headers)

    return router
