"""A tunnel that is kept open."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from fake_clock import FakeClock, settle

from vieneu_colab_server.tunnels import ngrok, pyngrok  # noqa: F401 - their errors too
from vieneu_colab_server.tunnels.errors import (
    AddressUnreachableError,
    AuthtokenRefusedError,
    QuickTunnelRefusedError,
    TunnelOpenError,
    TunnelStoppedError,
)
from vieneu_colab_server.tunnels.supervisor import CHECK_EVERY_S, Check, TunnelSupervisor


class Frail:
    """A tunnel that is lost on demand."""

    name = "frail"

    def __init__(self, *outcomes: str | Exception) -> None:
        self.outcomes = list(outcomes)
        self.fault: Exception | None = None
        self.break_now = asyncio.Event()
        self.closed = 0

    async def open(self, port: int) -> str:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return f"{outcome}:{port}"

    async def lost(self) -> str:
        await self.break_now.wait()
        self.break_now.clear()
        if self.fault is not None:
            raise self.fault
        return "It broke."

    async def close(self) -> None:
        self.closed += 1


class Kept:
    """A supervisor, and what it published."""

    def __init__(self, tunnel: Frail, check: Check | None = None) -> None:
        self.clock = FakeClock()
        self.urls: list[str] = []
        self.losses: list[str] = []
        self.supervisor = TunnelSupervisor(
            tunnel,
            80,
            check=check,
            on_url=self._on_url,
            on_lost=self.losses.append,
            clock=self.clock,
        )
        self.task = asyncio.ensure_future(self.supervisor.run())

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
    assert (kept.urls, kept.supervisor.url) == (["a:80"], "a:80")

    tunnel.break_now.set()
    await kept.clock.advance(0.5)
    assert kept.supervisor.url is None
    assert kept.losses == ["It broke.", "Not now."]
    await kept.clock.advance(0.6)
    assert kept.losses[2:] == ["No."]
    await kept.clock.advance(2.1)
    assert kept.urls == ["a:80", "b:80"]

    await kept.stop()
    assert (tunnel.closed, kept.supervisor.url) == (1, None)


async def test_the_same_address_is_published_once() -> None:
    tunnel = Frail("a", "a")
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(1)

    assert (kept.urls, kept.supervisor.url) == (["a:80"], "a:80")
    await kept.stop()


async def test_what_will_not_pass_ends_the_first_start_with_its_reason() -> None:
    tunnel = Frail(AuthtokenRefusedError("Refused."))
    kept = Kept(tunnel)

    with pytest.raises(AuthtokenRefusedError, match="Refused"):
        await kept.task
    assert tunnel.closed == 1


def all_refusals() -> list[type[TunnelOpenError]]:
    found, rest = [], [TunnelOpenError]
    while rest:
        kind = rest.pop()
        found.append(kind)
        rest += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", all_refusals(), ids=lambda kind: kind.__name__)
async def test_no_refusal_ends_a_tunnel_that_was_open(kind: type[TunnelOpenError]) -> None:
    tunnel = Frail("a", *[kind("Refused.") for _ in range(20)], "a")
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(60)

    assert not kept.task.done()
    assert kept.supervisor.url is None
    reported = "Refused." if kind.transient else f"Refused. {kind.default_remedy}"
    assert kept.losses == ["It broke.", reported], "a reason that stays is told once"
    assert kept.supervisor.down_reason == reported
    assert len(tunnel.outcomes) > 10, "the pauses grow"
    await kept.clock.advance(2 * 3600)
    reopened = kept.supervisor.down_reason == ""
    assert reopened, "they stay bounded"
    await kept.stop()


async def test_nor_does_a_fault_of_a_library(caplog: pytest.LogCaptureFixture) -> None:
    tunnel = Frail("a", RuntimeError("odd"), "b")
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(0.5)
    assert "unexpectedly (RuntimeError)" in kept.supervisor.down_reason
    await kept.clock.advance(5)
    assert kept.supervisor.url == "b:80"

    tunnel.outcomes.append("c")
    tunnel.fault = OSError("while it was watched")
    tunnel.break_now.set()
    await kept.clock.advance(1)
    assert kept.urls == ["a:80", "b:80", "c:80"]
    assert "while it was watched" in caplog.text
    await kept.stop()


async def test_the_pause_that_a_refusal_asks_for_is_kept() -> None:
    tunnel = Frail("a", TunnelStoppedError("Stopped.", retry_after_s=300.0), "a")
    kept = Kept(tunnel)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(299)
    assert kept.supervisor.url is None
    await kept.clock.advance(2)
    assert kept.supervisor.url == "a:80"
    await kept.stop()


class Answers:
    """A check whose failures are given in advance; afterwards the address answers."""

    def __init__(self, *outcomes: str) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[str, bool]] = []

    async def __call__(self, url: str, *, server_may_be_away: bool = False) -> None:
        self.asked.append((url, server_may_be_away))
        if self.outcomes and self.outcomes.pop(0):
            raise AddressUnreachableError(f"Nobody answers at {url}.")


async def test_a_dead_address_is_opened_once_more_and_never_published() -> None:
    tunnel = Frail("a", "b")
    kept = Kept(tunnel, Answers("dead", "dead"))

    with pytest.raises(AddressUnreachableError, match="b:80"):
        await kept.task
    assert (kept.urls, kept.supervisor.url, tunnel.outcomes) == ([], None, [])


async def test_an_address_that_answers_at_the_second_opening_is_published() -> None:
    kept = Kept(Frail("a", "b"), Answers("dead"))
    await settle()
    assert kept.urls == ["b:80"]
    await kept.stop()


async def test_a_reopened_tunnel_is_published_only_once_it_answers() -> None:
    tunnel = Frail("a", "b", "c")
    check = Answers("", "dead", "")
    kept = Kept(tunnel, check)
    await settle()
    tunnel.break_now.set()
    await kept.clock.advance(0.5)

    assert kept.urls == ["a:80"]
    assert kept.supervisor.down_reason == "Nobody answers at b:80."
    await kept.clock.advance(1)
    assert kept.urls == ["a:80", "c:80"]
    assert check.asked == [("a:80", False), ("b:80", True), ("c:80", True)]
    await kept.stop()


async def test_an_address_that_dies_in_silence_is_noticed_and_opened_again() -> None:
    tunnel = Frail("a", "b")
    check = Answers("", "", "dead")
    kept = Kept(tunnel, check)
    await settle()
    await kept.clock.advance(CHECK_EVERY_S + 1)
    assert len(check.asked) == 2
    assert kept.losses == []
    await kept.clock.advance(CHECK_EVERY_S)

    assert kept.losses == ["Nobody answers at a:80."]
    assert kept.urls == ["a:80", "b:80"]
    await kept.stop()
