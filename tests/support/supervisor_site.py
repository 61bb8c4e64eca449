"""Stand-in of Supervisor: an HTTP server with its rules for the discovery of an app.

As in supervisor/api/middleware/security.py and supervisor/api/discovery.py: no token is 401, one of
no app is 403; a service that the app does not state is 403; another body is 400; the answer names
the message, which is passed on only where it differs from the last one.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

APP_TOKEN = "a" * 64
"""Of the app: SUPERVISOR_TOKEN in its container."""


@dataclass
class Supervisor:
    """What Supervisor knows of one app."""

    services: Sequence[str]
    """Those under ``discovery:`` in the app's config.yaml."""
    url: str = ""
    fails: int = 0
    """So many next requests are answered as where Supervisor itself fails."""
    statuses: list[int] = field(default_factory=list)
    """Of all answers."""
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The last config of each message."""
    passed_on: list[dict[str, Any]] = field(default_factory=list)
    """Configs that Home Assistant was told of."""

    async def discovery(self, request: web.Request) -> web.Response:
        status, answer = await self._answer(request)
        self.statuses.append(status)
        result = {"result": "ok", "data": answer} if status == HTTPStatus.OK else answer
        return web.json_response(result, status=status)

    async def _answer(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        if self.fails:
            self.fails -= 1
            return HTTPStatus.BAD_GATEWAY, {}
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            return HTTPStatus.UNAUTHORIZED, {}
        if token != APP_TOKEN:
            return HTTPStatus.FORBIDDEN, {}
        body = await request.json()
        if set(body) != {"service", "config"} or not isinstance(body["config"], dict):
            return HTTPStatus.BAD_REQUEST, {"result": "error", "message": f"Got {body}"}
        if body["service"] not in self.services:
            return HTTPStatus.FORBIDDEN, {"result": "error", "message": "Apps must list services"}
        return HTTPStatus.OK, {"uuid": self._keep(body)}

    def _keep(self, body: dict[str, Any]) -> str:
        key = next(iter(self.messages), uuid.uuid4().hex)
        if self.messages.get(key) != body["config"]:
            self.messages[key] = body["config"]
            self.passed_on.append(body["config"])
        return key


@asynccontextmanager
async def supervising(services: Sequence[str] = ("vieneu",)) -> AsyncIterator[Supervisor]:
    """Serve a Supervisor on a real socket."""
    supervisor = Supervisor(services)
    app = web.Application()
    app.router.add_post("/discovery", supervisor.discovery)
    async with TestServer(app) as server:
        supervisor.url = str(server.make_url("/")).rstrip("/")
        yield supervisor
