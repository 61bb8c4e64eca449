"""A sentence in which the engine fails is spoken again, and what nobody heard is not repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import nullcontext
from functools import partial

import pytest
from fake_clock import FakeClock

from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.engine_pace import EnginePace, SentencePace
from vieneu_core.backends.sentence_retry import recovering
from vieneu_core.backoff import MAX_SENTENCE_TRIES
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotLoadedError,
    EndlessSentenceError,
    ModelLoadError,
    SynthesisFailedError,
    UnpronounceableError,
    VieneuError,
    VoiceNotFoundError,
    WorkerDiedError,
)

RATE_HZ = 1_000
SPEAKER = Speaker(backend="local", engine="tone", voice="vi")
DIED = WorkerDiedError("It died.")
STARTING = BackendLoadingError("It is being started.")
Part = float | VieneuError
"""Seconds of audio, or an error."""


class Rig:
    """An engine that does what is written for each try, and the listener of its sentence."""

    def __init__(
        self, clock: FakeClock, *tries: Sequence[Part], ahead_s: float = 0.0, pace_s: float = 0.0
    ) -> None:
        self.clock = clock
        self.listener = Listener(clock.monotonic())
        self.listener.receive(ahead_s, clock.monotonic())
        self.tries = list(tries)
        self.pace_s = pace_s
        self.heard: list[AudioChunk] = []
        self.heard_at_s: list[float] = []
        self.engine = EnginePace()
        self.n_waits = 0
        self.never_ready: VieneuError | None = None

    async def speak(self) -> AsyncGenerator[AudioChunk, None]:
        for part in self.tries.pop(0):
            if isinstance(part, VieneuError):
                raise part
            await self.clock.sleep(self.pace_s)
            self.listener.receive(part, self.clock.monotonic())
            yield AudioChunk(bytes(2 * round(part * RATE_HZ)), RATE_HZ, 3, SPEAKER)
        yield AudioChunk(b"", RATE_HZ, 3, SPEAKER, final=True)

    async def until_ready(self) -> None:
        self.n_waits += 1
        if self.never_ready is not None:
            raise self.never_ready

    async def listen(self) -> list[tuple[float, bool]]:
        """Hear the sentence; return the length of each chunk, and whether it began again there."""
        task = asyncio.create_task(self._take())
        while not task.done():
            await self.clock.advance(0.05)
        await task
        return [(chunk.seconds, chunk.restarted) for chunk in self.heard]

    async def _take(self) -> None:
        pace = nullcontext(partial(SentencePace, self.engine, lambda: asyncio.sleep(0, 1.0)))
        stream = recovering(self.speak, self.until_ready, self.listener, self.clock, pace)
        async for chunk in stream:
            if not (chunk.pcm or chunk.final):
                continue  # it shows that the engine works
            self.heard.append(chunk)
            self.heard_at_s.append(self.clock.monotonic())


@pytest.mark.parametrize(
    "error",
    [DIED, SynthesisFailedError("No tone.")],
    ids=["the process", "the sentence"],
)
async def test_a_sentence_that_was_being_heard_begins_again(
    clock: FakeClock, error: VieneuError
) -> None:
    rig = Rig(clock, [0.5, 0.25, error], [0.5, 0.25, 0.25])

    heard = await rig.listen()

    again = [(0.5, True), (0.25, False), (0.25, False), (0.0, False)]
    assert heard == [(0.5, False), (0.25, False), *again]
    assert rig.heard[-1].final
    assert rig.n_waits == 1


async def test_what_nobody_would_have_heard_yet_is_not_heard_twice(clock: FakeClock) -> None:
    rig = Rig(clock, [0.5, 0.25, DIED], [0.5, 0.5], ahead_s=5.0)
    runs_out_at_s = rig.listener.runs_out_at_s

    heard = await rig.listen()

    assert heard == [(0.5, False), (0.5, False), (0.0, False)]
    assert rig.listener.runs_out_at_s == pytest.approx(runs_out_at_s + 1.0), (
        "the rest is taken back"
    )


async def test_it_is_passed_on_while_it_is_made_where_the_listener_would_wait(
    clock: FakeClock,
) -> None:
    rig = Rig(clock, [0.5, 0.5, 0.5, 0.5], ahead_s=1.75, pace_s=0.4)
    began_s = clock.monotonic()

    await rig.listen()

    # With the second part less than a second is left to be heard, and then again more.
    assert [at - began_s for at in rig.heard_at_s] == pytest.approx([0.8, 0.8, 1.6, 1.6, 1.6])


async def test_a_sentence_that_always_fails_is_given_up(clock: FakeClock) -> None:
    fails: list[Part] = [0.5, DIED]
    rig = Rig(clock, *[fails] * (MAX_SENTENCE_TRIES + 1))

    with pytest.raises(WorkerDiedError):
        await rig.listen()

    assert len(rig.tries) == 1, "it was tried as often as it says"


async def test_waiting_for_a_worker_that_is_started_is_no_failure(clock: FakeClock) -> None:
    rig = Rig(clock, *([STARTING] for _ in range(3 * MAX_SENTENCE_TRIES)), [0.5])

    assert await rig.listen() == [(0.5, False), (0.0, False)]
    assert rig.n_waits == 3 * MAX_SENTENCE_TRIES


@pytest.mark.parametrize(
    "error",
    [
        VoiceNotFoundError("None."),
        BackendNotLoadedError("It was unloaded."),
        EndlessSentenceError("It did not end."),
        UnpronounceableError("It has no sounds for it."),
    ],
)
async def test_what_would_fail_again_is_not_tried_again(
    clock: FakeClock, error: VieneuError
) -> None:
    rig = Rig(clock, [0.5, error], [0.5])

    with pytest.raises(type(error)):
        await rig.listen()

    assert len(rig.tries) == 1


async def test_an_engine_that_cannot_come_back_says_why(clock: FakeClock) -> None:
    rig = Rig(clock, [0.5, DIED], [0.5])
    rig.never_ready = ModelLoadError("Its file is gone.")

    with pytest.raises(ModelLoadError, match="gone"):
        await rig.listen()
