"""A server that speaks tones, a proxy before it that can go wrong, and clients of both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from fault_proxy import FaultProxy
from remote_site import Site
from stand_in_server import StandInServer

from vieneu_core.backends.scripted import ScriptedBackend


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    voice = ScriptedBackend()
    await voice.load()
    server = StandInServer(voice)
    running = TestServer(server.app, host="127.0.0.1")
    await running.start_server()
    assert running.port is not None
    address = ("127.0.0.1", running.port)
    proxy = FaultProxy(address)
    await proxy.start()
    site = Site(voice, server, proxy, address)
    yield site
    for remote in site.remotes:
        await remote.aclose()
    await proxy.aclose()
    await running.close()
