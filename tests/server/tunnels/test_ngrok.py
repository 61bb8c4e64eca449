"""ngrok by its own package: the real one, against a service that speaks its protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fake_clock import FakeClock, settle
from guard import GUARD_S
from ngrok_service import NgrokService, ngrok_service
from pydantic import SecretStr
from tunnel_clients import read

from vieneu_colab_server.tunnels import ngrok
from vieneu_colab_server.tunnels.errors import (
    AddressHeldError,
    AgentTooOldError,
    AuthtokenRefusedError,
    DevDomainMissingError,
    EmailUnverifiedError,
    MachineRefusedError,
    SecondAgentError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelStoppedError,
    TunnelTimeoutError,
)
from vieneu_colab_server.tunnels.ngrok import NgrokTunnel
from vieneu_core.clock import Clock

TOKEN = SecretStr("2aBcDeF-the-authtoken")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[NgrokService]:
    async with ngrok_service(tmp_path) as service:
        yield service
        assert service.errors == []


def tunnel_to(
    service: NgrokService, *, domain: str | None = None, clock: Clock | None = None
) -> NgrokTunnel:
    return NgrokTunnel(TOKEN, domain=domain, server=service.server, clock=clock)


async def test_it_leads_to_the_port_without_a_program(service: NgrokService, port: int) -> None:
    tunnel = tunnel_to(service)
    url = await tunnel.open(port)
    try:
        assert await read(url) == "hello"
        assert service.sessions[0].token == TOKEN.get_secret_value()
        assert service.urls == {url}
    finally:
        await tunnel.close()
    assert service.urls == set(), "the address is free for the next session"


async def test_a_domain_is_the_address(service: NgrokService, port: int) -> None:
    tunnel = tunnel_to(service, domain="home.ngrok.app")
    assert await tunnel.open(port) == "https://home.ngrok.app"
    await tunnel.close()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (107, AuthtokenRefusedError),
        (108, SecondAgentError),
        (121, AgentTooOldError),
        (123, EmailUnverifiedError),
        (334, AddressHeldError),
        (9040, MachineRefusedError),
        (15013, DevDomainMissingError),
    ],
)
async def test_a_refusal_has_a_name_and_hides_the_authtoken(
    service: NgrokService,
    port: int,
    code: int,
    error: type[TunnelOpenError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    service.refuses = code
    tunnel = tunnel_to(service)

    with caplog.at_level(logging.DEBUG), pytest.raises(error, match=f"ERR_NGROK_{code}") as caught:
        await tunnel.open(port)

    assert type(caught.value) is error
    assert not caught.value.transient
    assert caught.value.__suppress_context__
    for shown in (str(caught.value), repr(tunnel), caplog.text):
        assert "2aBcDeF" not in shown


async def test_a_service_that_is_not_there_is_a_matter_of_the_network(
    service: NgrokService, port: int, unused_tcp_port: int
) -> None:
    service.address = f"localhost:{unused_tcp_port}"
    with pytest.raises(TunnelNetworkError):
        await tunnel_to(service).open(port)


async def test_a_service_that_does_not_answer_is_a_timeout(
    service: NgrokService, port: int
) -> None:
    service.silent = True
    tunnel = NgrokTunnel(TOKEN, server=service.server, start_timeout_s=1.0)
    with pytest.raises(TunnelTimeoutError, match="after 1 s"):
        await tunnel.open(port)


async def test_a_short_cut_is_mended_and_a_long_one_is_a_loss(
    service: NgrokService, port: int
) -> None:
    clock = FakeClock()
    tunnel = tunnel_to(service, clock=clock)
    await tunnel.open(port)
    losing = asyncio.ensure_future(tunnel.lost())
    await settle()

    service.cut()
    async with asyncio.timeout(GUARD_S):
        while not service.n_bound > 1:  # noqa: ASYNC110 - another thread's work
            await asyncio.sleep(0.02)
    await clock.advance(ngrok.AWAY_FOR_S - 5)
    assert not losing.done(), "it was not yet away for long"
    tunnel._on_heartbeat(12)
    await clock.advance(2 * ngrok.AWAY_FOR_S)
    assert not losing.done(), "a heartbeat shows that it is back"

    tunnel._on_away("connect.ngrok-agent.com:443", f"no route, said {TOKEN.get_secret_value()}")
    await clock.advance(ngrok.AWAY_FOR_S + 2)
    reason = await losing
    assert "no connection for 60 s: no route" in reason
    assert "2aBcDeF" not in reason
    await tunnel.close()


async def test_one_that_is_stopped_on_the_dashboard_stands_back_for_the_other_session(
    service: NgrokService, port: int
) -> None:
    clock = FakeClock()
    tunnel = tunnel_to(service, clock=clock)
    await tunnel.open(port)
    losing = asyncio.ensure_future(tunnel.lost())
    await settle()

    await service.stop_from_dashboard()
    async with asyncio.timeout(GUARD_S):
        while not losing.done():
            await asyncio.sleep(0.02)
            await clock.advance(ngrok.CHECK_EVERY_S)
    assert "stopped on ngrok's dashboard" in losing.result()

    with pytest.raises(TunnelStoppedError, match="opened again in 5 min") as caught:
        await tunnel.open(port)
    assert caught.value.retry_after_s is not None
    assert service.urls == set()
    await clock.advance(caught.value.retry_after_s)
    assert await read(await tunnel.open(port)) == "hello"
    await tunnel.close()
