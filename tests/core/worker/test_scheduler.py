"""The next sentence is that of the listener who runs out of audio first."""

from __future__ import annotations

from dataclasses import dataclass

from vieneu_core.audio.listener import Listener
from vieneu_core.worker.scheduler import TurnScheduler


@dataclass(eq=False)
class Sentence:
    name: str
    listener: Listener


class Engine:
    """Speaks one sentence at a time; `speak` ends it after some seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.order: list[str] = []
        self.current: list[Sentence] = []
        self.scheduler: TurnScheduler[Sentence] = TurnScheduler(self.current.append)

    def comes(self, name: str, listener: Listener | None = None) -> Listener:
        listener = listener or Listener(self.now_s)
        self.scheduler.enter(Sentence(name, listener))
        return listener

    def speak(self, *, audio_s: float = 3.0, took_s: float = 1.0, more: bool = False) -> None:
        (sentence,) = self.current
        self.now_s += took_s
        sentence.listener.receive(audio_s, self.now_s)
        self.order.append(sentence.name)
        self.current.clear()
        if more:
            self.scheduler.leave_for_more(sentence)
        else:
            self.scheduler.leave(sentence)


def test_an_announcement_is_spoken_before_readings_that_are_ahead() -> None:
    engine = Engine()
    readings = [engine.comes(f"reading {i}") for i in range(3)]
    for _ in readings:
        engine.speak()
    for i, listener in enumerate(readings):
        engine.comes(f"reading {i}", listener)

    engine.comes("announcement")
    engine.speak()
    engine.speak()

    assert engine.order[3:] == ["reading 0", "announcement"], "after one sentence at most"


def test_two_readings_alternate_and_the_one_that_is_behind_gets_more() -> None:
    engine = Engine()
    one, other = engine.comes("one"), engine.comes("other")
    for _ in range(6):
        name = engine.current[0].name
        engine.speak(audio_s=6.0 if name == "one" else 3.0, more=True)
        engine.comes(name, one if name == "one" else other)

    assert engine.order == ["one", "other", "other", "one", "other", "other"]


def test_requests_without_audio_are_spoken_in_the_order_in_which_they_came() -> None:
    engine = Engine()
    for name in "abc":
        engine.comes(name)
    for _ in range(3):
        engine.speak()

    assert engine.order == ["a", "b", "c"]


def test_a_listener_that_has_run_out_plays_on_from_the_next_audio() -> None:
    listener = Listener(100.0)
    listener.receive(2.0, 101.0)
    assert listener.runs_out_at_s == 103.0
    listener.receive(2.0, 102.0)
    assert listener.runs_out_at_s == 105.0
    listener.receive(2.0, 110.0)
    assert listener.runs_out_at_s == 112.0, "the silence from 105 to 110 is past"


def test_one_that_gives_up_is_skipped_and_one_that_ends_twice_does_no_harm() -> None:
    engine = Engine()
    engine.comes("a")
    gone = Sentence("b", Listener(engine.now_s))
    engine.scheduler.enter(gone)
    engine.comes("c")

    engine.scheduler.leave(gone)
    engine.scheduler.leave(gone)
    engine.speak()
    engine.speak()

    assert engine.order == ["a", "c"]


def test_the_engine_is_kept_for_the_next_sentence_of_the_most_urgent_listener() -> None:
    engine = Engine()
    reading = engine.comes("reading")
    engine.speak(audio_s=60.0)
    engine.comes("announcement")
    engine.comes("reading", reading)

    (first,) = engine.current
    first.listener.receive(2.0, engine.now_s)
    engine.current.clear()
    assert engine.scheduler.leave_for_more(first)
    assert not engine.current, "the reading would begin before the announcement can go on"
    engine.comes("announcement, second sentence", first.listener)

    assert [one.name for one in engine.current] == ["announcement, second sentence"]


def test_the_engine_is_not_kept_longer_than_it_is_told_nor_for_a_listener_that_is_ahead() -> None:
    engine = Engine()
    reading = engine.comes("reading")
    engine.comes("announcement")
    (first,) = engine.current
    reading.receive(60.0, engine.now_s)
    engine.current.clear()

    assert not engine.scheduler.leave_for_more(first)
    assert [one.name for one in engine.current] == ["announcement"]

    engine.comes("reading", reading)
    (announcement,) = engine.current
    announcement.listener.receive(1.0, engine.now_s)
    engine.current.clear()
    assert engine.scheduler.leave_for_more(announcement)
    engine.scheduler.keep_no_longer(reading)
    assert not engine.current
    engine.scheduler.keep_no_longer(announcement.listener)
    assert [one.name for one in engine.current] == ["reading"]


def test_all_that_wait_are_dismissed_at_once() -> None:
    engine = Engine()
    for name in "abc":
        engine.comes(name)
    (current,) = engine.current

    dismissed = engine.scheduler.dismiss()
    engine.scheduler.leave(current)

    assert [one.name for one in dismissed] == ["b", "c"]
    assert [one.name for one in engine.current] == ["a"], "none of them has begun"
