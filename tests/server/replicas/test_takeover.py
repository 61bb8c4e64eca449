"""Replicas that are lost in the middle of speech: another one goes on, and nothing is lost."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock
from replicas_here import ReplicasHere
from router_rig import pcm
from system_rig import nothing_lost, sentences
from tone_engine import heard

from vieneu_colab_server.replicas.backend import MOST_BUSY_TRIES, ReplicasBackend
from vieneu_colab_server.replicas.engine_replica import Description
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends import BackendState
from vieneu_core.backoff import MAX_SENTENCE_TRIES
from vieneu_core.clock import SystemClock
from vieneu_core.errors import (
    BackendBusyError,
    BackendError,
    ModelLoadError,
    SynthesisFailedError,
    UnpronounceableError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice

TEXT = sentences(4)
LOST = WorkerDiedError("The replica that spoke was lost.")
BUSY = BackendBusyError("All replicas are taken.", retry_after_s=2.0)


class AtOnce(SystemClock):
    """A clock whose sleepers wake at once, and are counted."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


async def spoken(replicas: ReplicasHere, request: SynthesisRequest) -> list[AudioChunk]:
    async with replicas, ReplicasBackend(replicas, clock=AtOnce()) as backend:
        return [chunk async for chunk in backend.stream(request)]


@pytest.mark.parametrize("n_chunks", range(0, 60, 3))
async def test_another_replica_goes_on_at_the_first_sentence_that_was_not_whole(
    n_chunks: int,
) -> None:
    replicas = ReplicasHere(fails=lambda call, n: LOST if call == 0 and n == n_chunks else None)
    chunks = await spoken(replicas, SynthesisRequest(text=TEXT))

    nothing_lost(chunks, TEXT)
    assert [chunk.sentence for chunk in chunks if chunk.final] == [0, 1, 2, 3]
    for asked in replicas.asked[1:]:
        assert isinstance(asked.text, tuple)
        assert asked.text == TEXT[len(TEXT) - len(asked.text) :]


@pytest.mark.parametrize("whole", [True, False])
async def test_what_was_heard_of_a_sentence_begins_again(whole: bool) -> None:
    """How many chunks there are depends on the machine; so what was heard tells when one fails."""
    chunks: list[AudioChunk] = []

    def fails(call: int, _: int) -> BackendError | None:
        due = bool(chunks) and (chunks[-1].final if whole else bool(chunks[-1].pcm))
        return LOST if call == 0 and due else None

    replicas = ReplicasHere(fails=fails)
    async with replicas, ReplicasBackend(replicas, clock=AtOnce()) as backend:
        async for chunk in backend.stream(SynthesisRequest(text=TEXT)):
            chunks += [chunk]

    nothing_lost(chunks, TEXT)
    assert len(replicas.asked) == 2
    assert [chunk.sentence for chunk in chunks if chunk.restarted] == ([] if whole else [0])


async def test_a_sentence_that_costs_replicas_is_not_given_to_all_of_them() -> None:
    replicas = ReplicasHere(fails=lambda _, n: LOST if n == 0 else None)
    with pytest.raises(WorkerDiedError) as caught:
        await spoken(replicas, SynthesisRequest(text=TEXT))
    assert (len(replicas.asked), caught.value.backend) == (MAX_SENTENCE_TRIES, "local")


async def test_where_another_backend_can_speak_one_more_replica_is_tried() -> None:
    replicas = ReplicasHere(fails=lambda _, n: LOST if n == 0 else None)
    with pytest.raises(WorkerDiedError):
        await spoken(replicas, SynthesisRequest(text=TEXT, replaceable=True))
    assert len(replicas.asked) == 2


async def test_a_new_request_is_refused_where_all_replicas_are_taken() -> None:
    replicas = ReplicasHere(fails=lambda _, __: BUSY)
    with pytest.raises(BackendBusyError) as caught:
        await spoken(replicas, SynthesisRequest(text=TEXT))
    assert (len(replicas.asked), caught.value.retry_after_s) == (1, 2.0)


@pytest.mark.parametrize("n_busy", [3, MOST_BUSY_TRIES])
async def test_speech_that_is_heard_waits_for_a_place(n_busy: int) -> None:
    def fails(call: int, n: int) -> BackendError | None:
        if call == 0:
            return LOST if n == 5 else None
        return BUSY if call <= n_busy else None

    replicas = ReplicasHere(fails=fails)
    if n_busy < MOST_BUSY_TRIES:
        nothing_lost(await spoken(replicas, SynthesisRequest(text=TEXT)), TEXT)
    else:
        with pytest.raises(BackendBusyError):
            await spoken(replicas, SynthesisRequest(text=TEXT))


async def test_a_failure_of_the_engine_itself_is_passed_on() -> None:
    """The replica has spoken the sentence three times already."""
    replicas = ReplicasHere()
    with pytest.raises(SynthesisFailedError, match="No tone"):
        await spoken(replicas, SynthesisRequest(text=("Một.", "refuse")))
    assert len(replicas.asked) == 1


async def test_a_refusal_of_the_replica_keeps_its_class_and_words() -> None:
    with pytest.raises(VoiceNotFoundError, match="no voice 'ba'"):
        await spoken(ReplicasHere(), SynthesisRequest(text="Một.", voice="ba"))


async def written(*pieces: str) -> object:
    for piece in pieces:
        yield piece


async def test_sentences_without_sounds_are_left_out_while_the_text_is_written() -> None:
    text = written("Câu này unsayable. ", "Đây là câu thứ hai. ", "Câu ba unsayable. ")
    request = SynthesisRequest(text=text)  # type: ignore[arg-type]
    chunks = await spoken(ReplicasHere(), request)

    assert [chunk.sentence for chunk in chunks if chunk.final] == [0, 1, 2]
    assert {chunk.sentence for chunk in chunks if chunk.pcm} == {1}
    assert len(heard(pcm(chunks), chunks[0].sample_rate_hz)) == 1


async def test_a_text_without_any_sound_says_so() -> None:
    request = SynthesisRequest(text=written("unsayable. ", "unsayable. "))  # type: ignore[arg-type]
    with pytest.raises(UnpronounceableError):
        await spoken(ReplicasHere(), request)


async def test_the_end_without_sounds_is_still_an_end_after_a_takeover() -> None:
    text = ("Một hai.", "unsayable")
    replicas = ReplicasHere()
    ends: list[int] = []

    def fails(call: int, _: int) -> BackendError | None:
        return LOST if call == 0 and ends else None

    replicas.fails = fails
    async with replicas, ReplicasBackend(replicas, clock=AtOnce()) as backend:
        async for chunk in backend.stream(SynthesisRequest(text=text)):
            ends += [chunk.sentence] if chunk.final else []

    assert ends == [0, 1]


class NotYet(ReplicasHere):
    """Replicas that can load their engine after two failures."""

    n_asked = 0

    async def describe(self) -> Description:
        self.n_asked += 1
        if self.n_asked < 3:
            raise ModelLoadError("No replica could load its engine.")
        return await super().describe()


async def test_loading_goes_on_until_the_cluster_has_a_replica() -> None:
    clock = AtOnce()
    async with NotYet() as replicas, ReplicasBackend(replicas, clock=clock) as backend:
        health = await backend.health()
        assert (health.state, health.engine) == (BackendState.READY, "tone")
        assert await backend.voices() == (
            Voice("vi-low", "Thấp", "vi"),
            Voice("vi-high", "Cao", "vi"),
            Voice("en-low", "Low", "en"),
        )
        replicas.running = 0
        assert (await backend.health()).state is BackendState.LOADING
    assert len(clock.slept_s) == 2


async def test_the_health_of_what_is_not_loaded() -> None:
    backend = ReplicasBackend(ReplicasHere(), clock=FakeClock())
    assert (await backend.health()).state is BackendState.UNLOADED
