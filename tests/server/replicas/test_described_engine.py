"""Clients see which voices and which engine the replicas have now, not those of the start."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fake_clock import FakeClock, settle
from replicas_here import ReplicasHere

from vieneu_colab_server.replicas.backend import ReplicasBackend
from vieneu_colab_server.replicas.described_engine import ANSWER_S, KEEP_S
from vieneu_colab_server.replicas.engine_replica import Description
from vieneu_core.backends import BackendState, Health
from vieneu_core.errors import BackendBusyError, BackendNotLoadedError, VieneuError
from vieneu_core.voices import Voice

OLD, NEW = Voice("a", "A", "vi"), Voice("b", "B", "vi")


class Changing(ReplicasHere):
    """Replicas whose engine a test replaces; an answer may be held back, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.answers.set()
        self.n_asked = 0
        self.failure: VieneuError | None = None
        self.described = Description(
            health=Health(state=BackendState.READY, engine="one"), voices=(OLD,)
        )

    def change(self) -> None:
        health = replace(self.described.health, engine="two")
        self.described = Description(health=health, voices=(OLD, NEW))

    async def describe(self) -> Description:
        self.n_asked += 1
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure
        return self.described


async def loaded(replicas: Changing, clock: FakeClock) -> ReplicasBackend:
    backend = ReplicasBackend(replicas, clock=clock)
    await backend.load()
    return backend


async def test_a_voice_that_is_added_later_is_listed(clock: FakeClock) -> None:
    replicas = Changing()
    backend = await loaded(replicas, clock)
    replicas.change()
    assert await backend.voices() == (OLD,), "asked a moment ago"
    await clock.advance(KEEP_S)

    assert await backend.voices() == (OLD, NEW)
    assert await backend.voices() == (OLD, NEW)
    assert replicas.n_asked == 2
    await backend.aclose()


async def test_another_engine_is_in_the_health_which_waits_for_no_replica(
    clock: FakeClock,
) -> None:
    replicas = Changing()
    backend = await loaded(replicas, clock)
    replicas.change()
    replicas.answers.clear()
    await clock.advance(KEEP_S)
    for _ in range(2):
        assert (await backend.health()).engine == "one"
    replicas.answers.set()
    await settle()

    assert (await backend.health()).engine == "two"
    assert replicas.n_asked == 2
    await backend.aclose()


async def test_busy_replicas_keep_no_list_waiting_for_long(clock: FakeClock) -> None:
    replicas = Changing()
    backend = await loaded(replicas, clock)
    replicas.change()
    replicas.answers.clear()
    await clock.advance(KEEP_S)
    listing = asyncio.create_task(backend.voices())
    await clock.advance(ANSWER_S / 2)
    assert not listing.done()
    await clock.advance(ANSWER_S / 2)
    assert await listing == (OLD,)

    replicas.answers.set()
    await settle()
    assert await backend.voices() == (OLD, NEW), "the answer came after all"
    assert replicas.n_asked == 2
    await backend.aclose()


async def test_a_failure_leaves_what_is_known_and_is_asked_again_later(clock: FakeClock) -> None:
    replicas = Changing()
    backend = await loaded(replicas, clock)
    replicas.change()
    replicas.failure = BackendBusyError("All replicas are taken.")
    await clock.advance(KEEP_S)
    for _ in range(2):
        assert await backend.voices() == (OLD,)
    assert replicas.n_asked == 2
    replicas.failure = None
    await clock.advance(KEEP_S)

    assert await backend.voices() == (OLD, NEW)
    await backend.aclose()


async def test_a_question_ends_with_the_backend(
    clock: FakeClock,
    no_leaks: None,  # noqa: ARG001 - it looks afterwards
) -> None:
    replicas = Changing()
    backend = await loaded(replicas, clock)
    replicas.answers.clear()
    await clock.advance(KEEP_S)
    listing = asyncio.create_task(backend.voices())
    await settle()
    await backend.unload()
    with pytest.raises(BackendNotLoadedError):
        await listing

    assert (await backend.health()).state is BackendState.UNLOADED
    await backend.aclose()
