"""Listeners observe; none of them can break or hold up the router."""

from __future__ import annotations

import asyncio
import gc

import pytest
from fake_clock import settle

from vieneu_core.router.events import (
    BUFFERED_EVENTS,
    BackendRecovered,
    BackendSwitched,
    EventBus,
    RouterEvent,
)
from vieneu_core.router.policy import Mode

EVENT = BackendSwitched(mode=Mode.REMOTE)


async def test_every_listener_hears_every_event_in_order() -> None:
    bus = EventBus()
    first: list[RouterEvent] = []
    second: list[RouterEvent] = []
    bus.subscribe(first.append)
    bus.subscribe(second.append)
    events: list[RouterEvent] = [BackendRecovered(backend=str(n)) for n in range(5)]
    for event in events:
        bus.publish(event)
    assert first == []  # never inside the router's own step
    await settle()
    assert first == second == events


async def test_a_listener_that_fails_is_logged_and_the_others_still_hear(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = EventBus()
    heard: list[RouterEvent] = []

    def broken(_: RouterEvent) -> None:
        raise ZeroDivisionError("a listener's own bug")

    bus.subscribe(broken)
    bus.subscribe(heard.append)
    bus.publish(EVENT)
    await settle()
    assert heard == [EVENT]
    assert "A subscriber failed on BackendSwitched" in caplog.text


async def test_who_unsubscribes_hears_nothing_more_not_even_what_is_on_its_way() -> None:
    bus = EventBus()
    heard: list[RouterEvent] = []
    unsubscribe = bus.subscribe(heard.append)
    bus.publish(EVENT)
    unsubscribe()
    unsubscribe()
    await settle()
    assert heard == []


async def test_a_listener_that_dawdles_loses_the_oldest_events_only() -> None:
    bus = EventBus()
    stream = bus.listen()
    waiting = asyncio.ensure_future(anext(stream))
    await settle()
    bus.publish(EVENT)
    assert await waiting == EVENT
    for n in range(BUFFERED_EVENTS + 10):
        bus.publish(BackendRecovered(backend=str(n)))
    await settle()
    kept = [await anext(stream) for _ in range(BUFFERED_EVENTS)]
    assert kept[0] == BackendRecovered(backend="10")
    assert kept[-1] == BackendRecovered(backend=str(BUFFERED_EVENTS + 9))
    await stream.aclose()
    bus.publish(EVENT)


async def test_a_listener_hears_from_the_moment_it_was_asked_for() -> None:
    bus = EventBus()
    stream = bus.listen()
    bus.publish(EVENT)
    await settle()
    assert await anext(stream) == EVENT
    await stream.aclose()


async def test_a_listener_that_was_never_heard_is_forgotten_with_its_stream() -> None:
    bus = EventBus()
    stream = bus.listen()
    assert len(bus._callbacks) == 1
    await stream.aclose()
    del stream
    gc.collect()
    assert bus._callbacks == []
