"""Tunnels by the real pyngrok and a real process, the provider's program being a stand-in."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web
from fake_clock import FakeClock, settle
from guard import GUARD_S
from pydantic import SecretStr
from tunnel_programs import program
from web_site import web_site

from vieneu_colab_server.tunnels import cloudflared, ngrok
from vieneu_colab_server.tunnels.base import NoTunnel, Tunnel
from vieneu_colab_server.tunnels.cloudflared import CloudflaredTunnel
from vieneu_colab_server.tunnels.errors import (
    AuthtokenRefusedError,
    DomainRefusedError,
    QuickTunnelRefusedError,
    SecondAgentError,
    TunnelAllowanceError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelProgramError,
    TunnelTimeoutError,
)
from vieneu_colab_server.tunnels.keeper import TunnelKeeper
from vieneu_colab_server.tunnels.ngrok import NgrokTunnel


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A web server that says who it is."""
    app = web.Application()
    app.router.add_get("/", greet)
    async with web_site(app) as url:
        yield int(url.rpartition(":")[2])


async def greet(_: web.Request) -> web.Response:
    return web.Response(text="the house")


async def read(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


async def written(path: Path) -> None:
    async with asyncio.timeout(GUARD_S):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process writes it
            await asyncio.sleep(0.05)


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "stand_ins" in " ".join(p.cmdline())]


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    yield
    assert children() == []


# --- none -----------------------------------------------------------------------------------


async def test_without_a_tunnel_the_port_is_the_address(port: int) -> None:
    tunnel: Tunnel = NoTunnel()

    assert await read(await tunnel.open(port)) == "the house"
    waiting = asyncio.ensure_future(tunnel.lost())
    await settle()
    assert not waiting.done()
    waiting.cancel()
    await tunnel.close()


# --- ngrok ----------------------------------------------------------------------------------


def ngrok_tunnel(folder: Path, kind: str = "good", **more: object) -> NgrokTunnel:
    token = SecretStr(f"{kind}-token-2aBcDeF")
    return NgrokTunnel(token, program=program(folder, "ngrok"), **more)  # type: ignore[arg-type]


async def test_ngrok_leads_to_the_port(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path)
    url = await tunnel.open(port)
    try:
        assert await read(url) == "the house"
    finally:
        await tunnel.close()


async def test_a_reserved_domain_is_the_address(tmp_path: Path, port: int) -> None:
    tunnel = ngrok_tunnel(tmp_path, domain="house.ngrok.app")
    assert await tunnel.open(port) == "https://house.ngrok.app"
    await tunnel.close()


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("bad", AuthtokenRefusedError, "ERR_NGROK_107"),
        ("second", SecondAgentError, "ERR_NGROK_108"),
        ("used-up", TunnelAllowanceError, "ERR_NGROK_727"),
        ("offline", TunnelNetworkError, "cannot be reached"),
        ("domain", DomainRefusedError, "ERR_NGROK_334"),
        ("odd", TunnelOpenError, "something else"),
    ],
)
async def test_what_ngrok_refuses_has_a_name(
    tmp_path: Path,
    port: int,
    kind: str,
    error: type[TunnelOpenError],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tunnel = ngrok_tunnel(tmp_path, kind)

    with caplog.at_level(logging.DEBUG), pytest.raises(error) as caught:
        await tunnel.open(port)

    assert type(caught.value) is error
    assert told in caught.value.detail
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
    for path in (tmp_path / "absent", tmp_path):
        tunnel = NgrokTunnel(SecretStr("good-token"), program=path)
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
    monkeypatch.setattr(ngrok, "LISTED_EVERY_S", 0.5)
    tunnel = ngrok_tunnel(tmp_path, "forgetful")
    await tunnel.open(port)

    async with asyncio.timeout(GUARD_S):
        assert "no longer has the endpoint" in await tunnel.lost()
    await tunnel.close()


# --- cloudflared ----------------------------------------------------------------------------


def quick_tunnel(folder: Path, start_timeout_s: float = 20.0) -> CloudflaredTunnel:
    return CloudflaredTunnel(
        program=program(folder, "cloudflared"), start_timeout_s=start_timeout_s
    )


async def test_cloudflared_tells_its_address_and_never_waits_for_a_reader(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_WROTE", str(tmp_path / "wrote"))
    tunnel = quick_tunnel(tmp_path)

    url = await tunnel.open(port)

    assert url.startswith("https://brave-words-")
    assert url.endswith(".trycloudflare.com")
    await written(tmp_path / "wrote")
    await tunnel.close()


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("refused", QuickTunnelRefusedError, "refuses"),
        ("offline", TunnelNetworkError, "cannot be reached"),
        ("odd", TunnelOpenError, "panic: something else"),
    ],
)
async def test_what_cloudflare_refuses_has_a_name(
    tmp_path: Path,
    port: int,
    kind: str,
    error: type[TunnelOpenError],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAND_IN", kind)

    with pytest.raises(error, match=told) as caught:
        await quick_tunnel(tmp_path).open(port)
    assert type(caught.value) is error


async def test_a_blocked_network_is_told_in_time(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "blocked")

    with pytest.raises(TunnelTimeoutError, match="not connected after 1 s"):
        await quick_tunnel(tmp_path, start_timeout_s=1.0).open(port)


async def test_a_cloudflared_that_is_not_there_is_named(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TunnelProgramError, match="absent"):
        await CloudflaredTunnel(program=tmp_path / "absent").open(port)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(TunnelProgramError, match="does not run here"):
        await CloudflaredTunnel(program=tmp_path / "text").open(port)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TunnelProgramError, match="on this machine"):
        await CloudflaredTunnel().open(port)


async def test_one_that_heeds_no_signal_is_killed(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "stubborn")
    monkeypatch.setenv("STAND_IN_WROTE", str(tmp_path / "wrote"))
    monkeypatch.setattr(cloudflared, "_END_S", 0.5)
    tunnel = quick_tunnel(tmp_path)
    await tunnel.open(port)
    await written(tmp_path / "wrote")

    await tunnel.close()

    assert children() == []


async def test_a_cloudflared_that_is_killed_is_noticed(tmp_path: Path, port: int) -> None:
    tunnel = quick_tunnel(tmp_path)
    await tunnel.open(port)
    (process,) = children()
    process.send_signal(signal.SIGKILL)

    async with asyncio.timeout(GUARD_S):
        assert "has ended" in await tunnel.lost()
    await tunnel.close()


async def test_a_connection_that_does_not_come_back_is_a_loss(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    unready = tmp_path / "unready"
    monkeypatch.setenv("STAND_IN_UNREADY", str(unready))
    monkeypatch.setattr(cloudflared, "READY_EVERY_S", 0.1)
    monkeypatch.setattr(cloudflared, "UNREADY_FOR_S", 1.0)
    tunnel = quick_tunnel(tmp_path)
    await tunnel.open(port)
    losing = asyncio.ensure_future(tunnel.lost())

    unready.touch()
    await asyncio.sleep(0.4)
    unready.unlink()
    await asyncio.sleep(1.5)
    assert not losing.done(), "it came back in time"
    unready.touch()
    async with asyncio.timeout(GUARD_S):
        assert "no connection" in await losing
    await tunnel.close()


# --- keeping one open -----------------------------------------------------------------------


class Frail:
    """A tunnel that is lost on demand."""

    name = "frail"

    def __init__(self, *outcomes: str | TunnelOpenError) -> None:
        self.outcomes = list(outcomes)
        self.break_now = asyncio.Event()
        self.closed = 0

    async def open(self, port: int) -> str:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, TunnelOpenError):
            raise outcome
        return f"{outcome}:{port}"

    async def lost(self) -> str:
        await self.break_now.wait()
        self.break_now.clear()
        return "It broke."

    async def close(self) -> None:
        self.closed += 1


class Kept:
    """A keeper, and what it told."""

    def __init__(self, tunnel: Frail) -> None:
        self.clock = FakeClock()
        self.urls: list[str] = []
        self.losses: list[str] = []
        self.keeper = TunnelKeeper(
            tunnel, 80, on_url=self._heard, on_lost=self.losses.append, clock=self.clock
        )
        self.task = asyncio.ensure_future(self.keeper.run())

    async def _heard(self, url: str) -> None:
        self.urls.append(url)

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_a_lost_tunnel_is_opened_again_and_a_new_address_told() -> None:
    tunnel = Frail("a", QuickTunnelRefusedError("Not now."), QuickTunnelRefusedError("No."), "b")
    kept = Kept(tunnel)
    await settle()
    assert (kept.urls, kept.keeper.url) == (["a:80"], "a:80")

    tunnel.break_now.set()
    await kept.clock.advance(0.5)
    assert kept.keeper.url is None
    assert kept.losses == ["It broke.", "Not now."]
    await kept.clock.advance(0.6)
    assert kept.losses[2:] == ["No."]
    await kept.clock.advance(2.1)
    assert kept.urls == ["a:80", "b:80"]

    await kept.stop()
    assert (tunnel.closed, kept.keeper.url) == (1, None)


async def test_the_same_address_is_told_once() -> None:
    tunnel = Frail("a", "a")
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(1)

    assert (kept.urls, kept.keeper.url) == (["a:80"], "a:80")
    await kept.stop()


@pytest.mark.parametrize("n_before", [0, 1])
async def test_what_will_not_pass_ends_it_with_its_reason(n_before: int) -> None:
    tunnel = Frail(*["a"] * n_before, AuthtokenRefusedError("Refused."))
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(1)

    with pytest.raises(AuthtokenRefusedError, match="Refused"):
        await kept.task
    assert tunnel.closed == 1


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
