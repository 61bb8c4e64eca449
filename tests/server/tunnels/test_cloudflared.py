"""cloudflared, by a simulated program in a real process."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

import pytest
from guard import GUARD_S
from tunnel_clients import children, written
from tunnel_programs import program

from vieneu_colab_server.tunnels import cloudflared
from vieneu_colab_server.tunnels.cloudflared import CloudflaredTunnel
from vieneu_colab_server.tunnels.errors import (
    QuickTunnelRefusedError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelProgramError,
    TunnelTimeoutError,
)


def quick_tunnel(folder: Path, start_timeout_s: float = 20.0) -> CloudflaredTunnel:
    return CloudflaredTunnel(
        program=program(folder, "cloudflared"), start_timeout_s=start_timeout_s
    )


async def test_cloudflared_has_an_address_and_never_waits_for_a_reader(
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
    ("kind", "error", "reported"),
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
    reported: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAND_IN", kind)

    with pytest.raises(error, match=reported) as caught:
        await quick_tunnel(tmp_path).open(port)
    assert type(caught.value) is error


async def test_a_blocked_network_is_a_timeout(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "blocked-all")

    with pytest.raises(TunnelTimeoutError, match="not connected after 1 s"):
        await quick_tunnel(tmp_path, start_timeout_s=1.0).open(port)


@pytest.mark.parametrize(
    ("kind", "protocol"), [("", "quic"), ("blocked-once", "quic"), ("blocked", "http2")]
)
async def test_where_quic_is_blocked_it_is_opened_once_more_over_http2(
    tmp_path: Path,
    port: int,
    kind: str,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("STAND_IN", kind)
    tunnel = quick_tunnel(tmp_path)

    for _ in range(2):
        with caplog.at_level(logging.DEBUG):
            assert await tunnel.open(port)
        (agent,) = children()
        assert ("http2" in agent.cmdline()) == (protocol == "http2")

    assert caplog.text.count("QUIC is blocked") == (protocol == "http2"), "it is remembered"
    assert f"protocol={protocol}" in caplog.text
    await tunnel.close()


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
