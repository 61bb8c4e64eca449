"""ngrok's agent, by the real pyngrok and a simulated agent."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest
from guard import GUARD_S
from pydantic import SecretStr
from tunnel_clients import children, read
from tunnel_programs import program

from vieneu_colab_server.tunnels import pyngrok
from vieneu_colab_server.tunnels.errors import (
    AccountSuspendedError,
    AddressHeldError,
    AgentTooOldError,
    AuthtokenRefusedError,
    DevDomainMissingError,
    DomainRefusedError,
    EmailUnverifiedError,
    MachineRefusedError,
    SecondAgentError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelPlanError,
    TunnelProgramError,
    TunnelQuotaUsedError,
    TunnelRateError,
    TunnelTimeoutError,
)
from vieneu_colab_server.tunnels.pyngrok import PyngrokTunnel


def ngrok_tunnel(folder: Path, kind: str = "good", **more: object) -> PyngrokTunnel:
    token = SecretStr(f"{kind}-token-2aBcDeF")
    return PyngrokTunnel(token, program=program(folder, "ngrok"), **more)  # type: ignore[arg-type]


async def test_ngrok_leads_to_the_port(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path)
    url = await tunnel.open(port)
    try:
        assert await read(url) == "hello"
    finally:
        await tunnel.close()


async def test_a_reserved_domain_is_the_address(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path, domain="home.ngrok.app")
    assert await tunnel.open(port) == "https://home.ngrok.app"
    await tunnel.close()


@pytest.mark.parametrize(
    ("kind", "error", "reported"),
    [
        ("bad", AuthtokenRefusedError, "ERR_NGROK_107"),
        ("second", SecondAgentError, "ERR_NGROK_108"),
        ("used-up", TunnelQuotaUsedError, "ERR_NGROK_727"),
        ("offline", TunnelNetworkError, "cannot be reached"),
        ("domain", DomainRefusedError, "ERR_NGROK_319"),
        ("held", AddressHeldError, "ERR_NGROK_334"),
        ("no-domain", DevDomainMissingError, "ERR_NGROK_15013"),
        ("103", AccountSuspendedError, "ERR_NGROK_103"),
        ("121", AgentTooOldError, "ERR_NGROK_121"),
        ("123", EmailUnverifiedError, "ERR_NGROK_123"),
        ("349", TunnelRateError, "ERR_NGROK_349"),
        ("9009", TunnelPlanError, "ERR_NGROK_9009"),
        ("9040", MachineRefusedError, "ERR_NGROK_9040"),
        ("odd", TunnelOpenError, "something else"),
    ],
)
async def test_what_ngrok_refuses_has_a_name(
    tmp_path: Path,
    port: int,
    kind: str,
    error: type[TunnelOpenError],
    reported: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tunnel = ngrok_tunnel(tmp_path, kind)

    with caplog.at_level(logging.DEBUG), pytest.raises(error) as caught:
        await tunnel.open(port)

    assert type(caught.value) is error
    assert reported in caught.value.detail
    assert caught.value.remedy
    assert "2aBcDeF" not in str(caught.value)
    assert "2aBcDeF" not in caplog.text
    assert caught.value.__suppress_context__


async def test_an_agent_whose_last_words_were_missed_is_asked_again(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = tmp_path / "hurried"
    hurried.touch()
    monkeypatch.setenv("STAND_IN_HURRIED", str(hurried))

    with pytest.raises(SecondAgentError):
        await ngrok_tunnel(tmp_path, "second").open(port)
    assert not hurried.exists()


async def test_an_agent_that_says_nothing_is_ended_in_time(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path, "silent", start_timeout_s=1.0)

    with pytest.raises(TunnelTimeoutError, match="after 1 s"):
        await tunnel.open(port)


async def test_an_agent_that_is_not_there_is_named(tmp_path: Path, port: int) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    for path in (tmp_path / "absent", tmp_path, text):
        tunnel = PyngrokTunnel(SecretStr("good-token"), program=path)
        with pytest.raises(TunnelProgramError):
            await tunnel.open(port)


async def test_the_authtoken_stands_in_no_log_and_no_file_afterwards(
    tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tunnel = ngrok_tunnel(tmp_path)
    with caplog.at_level(logging.DEBUG):
        await tunnel.open(port)
        (config,) = left(tmp_path)
        assert config.stat().st_mode & 0o077 == 0
        await asyncio.sleep(0.2)
        await tunnel.close()

    assert "tunnel session started" in caplog.text
    assert "2aBcDeF" not in caplog.text
    assert "2aBcDeF" not in repr(tunnel)
    assert left(tmp_path) == []


def left(folder: Path) -> list[Path]:
    return list(folder.glob("vieneu-ngrok-*/ngrok.yml"))


async def test_an_agent_that_is_killed_is_noticed(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path)
    await tunnel.open(port)
    (agent,) = children()
    agent.send_signal(signal.SIGKILL)

    async with asyncio.timeout(GUARD_S):
        assert "has ended" in await tunnel.lost()
    await tunnel.close()


async def test_an_endpoint_that_the_agent_lost_is_noticed(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyngrok, "LISTED_EVERY_S", 0.5)
    tunnel = ngrok_tunnel(tmp_path, "forgetful")
    await tunnel.open(port)

    async with asyncio.timeout(GUARD_S):
        assert "no longer has the endpoint" in await tunnel.lost()
    await tunnel.close()


async def test_pyngrok_takes_no_authtoken_from_the_environment(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "NGROK_AUTHTOKEN", "good-token-of-the-environment")
    tunnel = ngrok_tunnel(tmp_path)
    await tunnel.open(port)
    (agent,) = children()
    arguments = " ".join(agent.cmdline())
    await tunnel.close()

    assert "token" not in arguments


async def test_what_holds_the_address_is_to_be_stopped_and_the_domain_is_not_blamed(
    tmp_path: Path, port: int
) -> None:
    with pytest.raises(AddressHeldError) as caught:
        await ngrok_tunnel(tmp_path, "held").open(port)

    assert "Another session of your ngrok account holds this address" in caught.value.detail
    assert "https://dashboard.ngrok.com/agents" in caught.value.remedy
    assert "domain" not in str(caught.value)


async def test_an_agent_that_nobody_waits_for_any_more_is_ended(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path, "silent")
    opening = asyncio.ensure_future(tunnel.open(port))
    async with asyncio.timeout(GUARD_S):
        while not children():  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)

    opening.cancel()
    async with asyncio.timeout(GUARD_S):
        await asyncio.wait({opening})
    assert opening.cancelled()
    assert children() == []
