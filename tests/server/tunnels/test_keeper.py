"""A tunnel that is kept open."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from fake_clock import FakeClock, settle

from vieneu_colab_server.tunnels.errors import (
    AuthtokenRefusedError,
    QuickTunnelRefusedError,
    TunnelOpenError,
)
from vieneu_colab_server.tunnels.keeper import TunnelKeeper


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
    """A keeper, and what it published."""

    def __init__(self, tunnel: Frail) -> None:
        self.clock = FakeClock()
        self.urls: list[str] = []
        self.losses: list[str] = []
        self.keeper = TunnelKeeper(
            tunnel, 80, on_url=self._on_url, on_lost=self.losses.append, clock=self.clock
        )
        self.task = asyncio.ensure_future(self.keeper.run())

    async def _on_url(self, url: str) -> None:
        self.urls.append(url)

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_a_lost_tunnel_is_opened_again_and_a_new_address_published() -> None:
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


async def test_the_same_address_is_published_once() -> None:
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
