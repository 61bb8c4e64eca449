"""Stand-in of Home Assistant's ingress: a panel that frames the pages, and the proxy behind it.

As in homeassistant/components/hassio/ingress.py and supervisor/api/ingress.py: the path loses its
prefix, the headers of the browser stay, and what streams is passed on as it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

PREFIX = "/api/hassio_ingress/Xy_0-z"
ADDRESS = "127.0.0.2"
"""From which the proxy connects, in place of 172.30.32.2."""
_OF_ONE_HOP = {"transfer-encoding", "content-length", "content-encoding", "connection"}


@asynccontextmanager
async def ingress(port: int) -> AsyncIterator[str]:
    """Serve the panel at ``/``; the relay's port of ingress is ``port``. Yields the origin."""
    connector = aiohttp.TCPConnector(local_addr=(ADDRESS, 0))
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def pass_on(request: web.Request) -> web.StreamResponse:
            given = {k: v for k, v in request.headers.items() if k.lower() not in _OF_ONE_HOP}
            async with session.request(
                request.method,
                f"http://127.0.0.1:{port}/{request.match_info['path']}",
                params=request.query,
                headers={**given, "X-Ingress-Path": PREFIX},
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                kept = {k: v for k, v in answer.headers.items() if k.lower() not in _OF_ONE_HOP}
                response = web.StreamResponse(status=answer.status, headers=kept)
                await response.prepare(request)
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                return response

        async def panel(_: web.Request) -> web.Response:
            frame = f'<!doctype html><title>Home</title><iframe src="{PREFIX}/"></iframe>'
            return web.Response(text=frame, content_type="text/html")

        app = web.Application()
        app.router.add_get("/", panel)
        app.router.add_route("*", PREFIX + "/{path:.*}", pass_on)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")
