"""Fixtures for the tests of tunnels."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tunnel_clients import children
from web_site import web_site


async def greet(_: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A web server that says who it is."""
    app = web.Application()
    app.router.add_get("/", greet)
    async with web_site(app) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    yield
    assert children() == []
