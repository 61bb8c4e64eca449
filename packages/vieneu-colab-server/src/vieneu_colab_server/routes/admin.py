"""``POST /admin/rotate-token``, ``POST`` and ``DELETE /admin/drain``: only for the admin."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.middleware.auth import bearer_token
from vieneu_colab_server.openapi import READ_PROBLEMS
from vieneu_colab_server.tokens.rotation import OLD_TOKEN_S, TokenRotation
from vieneu_core.wire.routes import DRAIN, ROTATE_TOKEN
from vieneu_core.wire.schemas import DrainAnswer, NewToken


def admin_routes(tokens: TokenRotation, lifecycle: Lifecycle) -> APIRouter:
    """Return the admin routes."""
    router = APIRouter(tags=["admin"])

    def check(request: Request) -> None:
        tokens.check_admin(bearer_token(request.scope["headers"]))

    @router.post(ROTATE_TOKEN, responses=READ_PROBLEMS)
    async def rotate_token(request: Request, response: Response) -> NewToken:
        """Create a new token. The previous one stays valid for ten minutes."""
        check(request)
        response.headers["Cache-Control"] = "no-store"
        token = await asyncio.to_thread(tokens.rotate)
        return NewToken(token=token.get_secret_value(), old_valid_seconds=OLD_TOKEN_S)

    @router.post(DRAIN, responses=READ_PROBLEMS)
    async def drain(request: Request) -> DrainAnswer:
        """Refuse new requests for speech; running ones are finished."""
        check(request)
        lifecycle.drain()
        return DrainAnswer(draining=True)

    @router.delete(DRAIN, responses=READ_PROBLEMS)
    async def resume(request: Request) -> DrainAnswer:
        """Accept requests again. A server that stops, or whose session ends, goes on draining."""
        check(request)
        lifecycle.resume()
        return DrainAnswer(draining=lifecycle.draining)

    return router
