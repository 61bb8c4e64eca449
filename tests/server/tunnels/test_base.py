"""The tunnel that is only the port itself."""

from __future__ import annotations

import asyncio

from fake_clock import settle
from tunnel_clients import read

from vieneu_colab_server.tunnels.base import NoTunnel, Tunnel


async def test_without_a_tunnel_the_port_is_the_address(port: int) -> None:
    tunnel: Tunnel = NoTunnel()

    assert await read(await tunnel.open(port)) == "hello"
    waiting = asyncio.ensure_future(tunnel.lost())
    await settle()
    assert not waiting.done()
    waiting.cancel()
    await tunnel.close()
