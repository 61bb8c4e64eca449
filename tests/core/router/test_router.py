"""The router over scripted backends: what is heard, from whom, and what is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Self

import pytest
from fake_clock import FakeClock, settle
from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core import __version__
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, Health, synthesize
from vieneu_core.errors import (
    AllBackendsFailedError,
    AuthenticationError,
    BackendBusyError,
    BackendConnectionError,
    BackendError,
    BackendLoadingError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    EmptyTextError,
    ModelLoadError,
    StreamInterruptedError,
    StreamStalledError,
    TunnelOfflineError,
    UnpronounceableError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.router import (
    BackendRecovered,
    BackendStateChanged,
    BackendSwitched,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    FailedBack,
    FailedOver,
    Mode,
    RemoteLost,
    Router,
    RouterEvent,
    RouterPolicy,
    ServerOutdated,
    SpokenByFallback,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.voices import Voice
from vieneu_core.wire.version import is_older

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(6))
TEXT = " ".join(SENTENCES)
LAST_VOICES = (Voice(id="vi-north", name="Bắc", language="vi"), Voice("en-us", "US", "en"))


class House:
    """A router with three scripted backends, all of them in the test's hands."""

    def __init__(self, mode: Mode = Mode.REMOTE, policy: RouterPolicy | None = None) -> None:
        self.clock = FakeClock()
        self.local = ScriptedBackend(name="local", clock=self.clock)
        self.remote = ScriptedBackend(name="remote", clock=self.clock)
        self.last = ScriptedBackend(
            name="last_resort", voices=LAST_VOICES, sample_rate_hz=22_050, clock=self.clock
        )
        self.router = Router(
            local=self.local,
            remote=self.remote,
            last_resort=self.last,
            mode=mode,
            policy=policy or RouterPolicy(),
            clock=self.clock,
            rng=random.Random(7),
        )
        self.events: list[RouterEvent] = []
        self.router.subscribe(self.events.append)

    async def __aenter__(self) -> Self:
        await self.router.load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.router.aclose()

    def told(self, kind: type[RouterEvent]) -> list[RouterEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def speak(self, text: str = TEXT, **fields: object) -> list[AudioChunk]:
        return await self.listen(SynthesisRequest(text=text, **fields))  # type: ignore[arg-type]

    async def listen(self, request: SynthesisRequest) -> list[AudioChunk]:
        """Take the whole stream; where everybody waits for the clock, move it."""
        task = asyncio.ensure_future(gather(self.router, request))
        while not task.done():
            await self.clock.advance(0.05)
            await asyncio.sleep(0.001)  # threads that resample
        return await task


async def gather(router: Router, request: SynthesisRequest) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    await take(router, request, chunks)
    return chunks


async def take(router: Router, request: SynthesisRequest, into: list[AudioChunk]) -> None:
    """Take a stream so that what came before an error is kept."""
    async with aclosing(router.stream(request)) as stream:
        async for chunk in stream:
            into.append(chunk)  # noqa: PERF401 - what came before an error counts


def pcm(chunks: list[AudioChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def speakers(chunks: list[AudioChunk]) -> list[str]:
    return [chunk.speaker.backend for chunk in chunks if chunk.final]


def lost(detail: str = "gone") -> BackendError:
    return BackendConnectionError(detail)


def assert_heard(chunks: list[AudioChunk], sentences: tuple[str, ...] = SENTENCES) -> None:
    assert same(heard(pcm(chunks), chunks[0].sample_rate_hz), [expected(s) for s in sentences])
    assert [c.sentence for c in chunks if c.final] == list(range(len(sentences)))


@pytest.mark.parametrize(("mode", "name"), [(Mode.LOCAL, "local"), (Mode.REMOTE, "remote")])
async def test_the_chosen_backend_speaks_all_of_it(mode: Mode, name: str) -> None:
    async with House(mode) as house:
        chunks = await house.speak()
        assert_heard(chunks)
        assert speakers(chunks) == [name] * 6
        assert not any(chunk.speaker.fallback for chunk in chunks)
        assert house.router.active == name
        assert not house.router.status().fallback_active


async def test_one_long_text_is_few_requests_and_the_first_holds_one_sentence() -> None:
    async with House() as house:
        await house.speak()
        asked = [request.text for request in house.remote.record.requests]
        assert asked[0] == (SENTENCES[0],)
        assert asked[1] == SENTENCES[1:]
        assert len(asked) == 2
        ids = [request.request_id for request in house.remote.record.requests]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("sentence", range(5))
@pytest.mark.parametrize("after_chunks", [0, 1, 3])
async def test_a_failure_anywhere_costs_no_sentence_and_repeats_at_most_the_first(
    sentence: int, after_chunks: int
) -> None:
    async with House() as house:
        broken = ScriptStep(at_sentence=sentence, after_chunks=after_chunks, error=lost())
        house.remote.script = [ScriptStep(), broken] if sentence else [broken]
        failed_at = sentence + 1 if sentence else 0
        chunks = await house.speak()
        whole = [chunk for chunk in chunks if chunk.sentence != 0]
        assert_heard_parts(whole, SENTENCES[1:])
        by = speakers(chunks)
        assert by == ["remote"] * failed_at + ["local"] * (6 - failed_at)
        repeated = [chunk for chunk in chunks if chunk.restarted]
        assert len(repeated) == (1 if sentence == 0 and after_chunks else 0)
        assert [s.speaker.fallback for s in chunks if s.final] == [name != "remote" for name in by]
        stood_in = house.told(SpokenByFallback)
        assert len(stood_in) == 6 - failed_at


def assert_heard_parts(chunks: list[AudioChunk], sentences: tuple[str, ...]) -> None:
    assert same(heard(pcm(chunks), chunks[0].sample_rate_hz), [expected(s) for s in sentences])


async def test_collected_speech_holds_each_sentence_once_even_the_one_that_broke() -> None:
    async with House() as house:
        house.remote.script = [ScriptStep(after_chunks=3, error=lost())]
        speech = await collect(house.router.stream(SynthesisRequest(text=TEXT)))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in SENTENCES])
        assert speech.fallback


async def test_the_last_resort_speaks_where_both_fail_at_the_rate_of_the_stream() -> None:
    async with House() as house:
        house.remote.script = [ScriptStep(), ScriptStep(at_sentence=1, error=lost())]
        house.local.always = ScriptStep(error=WorkerDiedError("crashed"))
        chunks = await house.speak(voice="vi-tone")
        assert_heard(chunks)
        assert speakers(chunks) == ["remote"] * 2 + ["last_resort"] * 4
        assert {chunk.sample_rate_hz for chunk in chunks} == {24_000}
        assert chunks[-1].speaker.voice == "vi-north"


async def test_a_stand_in_speaks_the_language_that_was_asked_for() -> None:
    async with House() as house:
        house.remote.always = house.local.always = ScriptStep(error=lost())
        chunks = await house.speak("The door is open.", voice="en-tone", language="en")
        assert chunks[-1].speaker.voice == "en-us"


async def test_a_stand_in_that_cannot_clone_or_watermark_still_speaks_as_last_resort() -> None:
    async with House() as house:
        house.remote.clones = house.remote.watermarks = True
        house.remote.always = ScriptStep(error=lost())
        clip = ReferenceAudio(pcm=b"\0\1" * 100, sample_rate_hz=16_000, transcript="a")
        chunks = await house.speak("Xin chào.", reference=clip, watermark=True)
        assert speakers(chunks) == ["last_resort"]
        assert not chunks[-1].speaker.watermarked
        assert chunks[-1].speaker.fallback


async def test_a_local_stand_in_never_drops_the_watermark_that_was_asked_for() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=lost())
        house.remote.watermarks = house.local.watermarks = True
        chunks = await house.speak("Xin chào.", watermark=True)
        assert speakers(chunks) == ["local"]
        assert chunks[-1].speaker.watermarked


async def test_the_callers_mistake_is_the_callers_and_nobody_stands_in() -> None:
    async with House() as house:
        with pytest.raises(VoiceNotFoundError, match="vi-tone, en-tone"):
            await house.speak(voice="nobody")
        for empty in ("", "  \n", "\x00\x07"):
            with pytest.raises(EmptyTextError):
                await house.speak(empty)
        assert house.local.record.begun == house.last.record.begun == []
        assert house.router.status().backend("remote").circuit == "closed"  # type: ignore[union-attr]


GRANDMOTHER = Voice(id="ba-ngoai", name="Bà Ngoại", language="vi")


async def test_a_voice_that_only_another_place_has_is_heard_from_there() -> None:
    async with House() as house:
        house.local._voices += (GRANDMOTHER,)
        long = " ".join(f"Đây là câu {n} của bản tin hôm nay, đọc rất chậm." for n in range(40))
        chunks = await house.speak(long, voice="ba-ngoai")

        assert set(speakers(chunks)) == {"local"}
        assert len(speakers(chunks)) == 40
        assert {chunk.speaker.voice for chunk in chunks} == {"ba-ngoai"}
        assert len(house.local.record.requests) > 1, "it came in passages"
        assert len(house.remote.record.requests) == 1, "and was asked for there once"
        causes = {e.cause.code for e in house.told(SpokenByFallback) if e.cause}  # type: ignore[attr-defined]
        assert causes == {"voice_not_found"}
        assert house.router.status().backend("remote").circuit == "closed"  # type: ignore[union-attr]
        assert speakers(await house.speak("Xin chào.")) == ["remote"]


async def test_a_voice_whose_place_has_failed_is_stood_in_for_by_any_other() -> None:
    async with House() as house:
        house.local._voices += (GRANDMOTHER,)
        house.local.always = ScriptStep(error=WorkerDiedError("local crashed"), at_sentence=2)
        chunks = await house.speak(voice="ba-ngoai")

        assert_heard(chunks)
        assert speakers(chunks) == [*["local"] * 3, *["last_resort"] * 3]


async def test_reference_audio_is_spoken_with_where_it_can_be() -> None:
    async with House() as house:
        house.local.clones = True
        reference = ReferenceAudio(pcm=b"\0\0" * 48_000, sample_rate_hz=16_000, transcript="A.")
        chunks = await house.speak("Xin chào.", reference=reference)

        assert speakers(chunks) == ["local"]
        assert chunks[-1].speaker.voice == "reference"


async def test_when_nobody_can_speak_every_cause_is_told_and_nothing_is_silent() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=lost("remote is gone"))
        house.local.always = ScriptStep(error=WorkerDiedError("local crashed"))
        house.last.always = ScriptStep(error=WorkerDiedError("last crashed"))
        with pytest.raises(AllBackendsFailedError) as caught:
            await house.speak()
        assert [type(cause) for cause in caught.value.causes] == [
            BackendConnectionError,
            WorkerDiedError,
            WorkerDiedError,
        ]
        assert "remote is gone" in str(caught.value)
        assert house.clock.monotonic() > 5_006  # it did not give up at once


async def test_a_moment_without_anyone_is_waited_out_not_lost() -> None:
    async with House() as house:
        died = ScriptStep(error=WorkerDiedError("crashed"))
        house.remote.always = ScriptStep(error=lost())
        house.local.script, house.last.script = [died] * 4, [died] * 3
        chunks = await house.speak()
        assert_heard(chunks)


async def test_without_fallback_the_failure_is_the_backends_own() -> None:
    async with House(policy=RouterPolicy(fallback_enabled=False, patience_s=0)) as house:
        house.remote.always = ScriptStep(error=lost("the remote is gone"))
        with pytest.raises(BackendConnectionError, match="the remote is gone") as caught:
            await house.speak()
        assert caught.value.backend == "remote"
        assert house.local.record.requests == []


async def test_sentences_before_the_final_failure_are_still_delivered() -> None:
    async with House(policy=RouterPolicy(fallback_enabled=False, patience_s=0)) as house:
        house.remote.script = [ScriptStep(), ScriptStep(at_sentence=2, error=lost())]
        got: list[AudioChunk] = []
        with pytest.raises(BackendConnectionError):
            await take(house.router, SynthesisRequest(text=TEXT), got)
        assert_heard(got, SENTENCES[:3])


async def test_a_backend_that_ends_early_or_out_of_order_is_a_failure() -> None:
    async with House() as house:
        house.remote.script = [ScriptStep(), ScriptStep(at_sentence=2, truncate=True)]
        chunks = await house.speak()
        assert_heard(chunks)
        assert speakers(chunks)[-1] == "local"
        error = house.router.status().backend("remote").last_error  # type: ignore[union-attr]
        assert error is not None
        assert error.code == StreamInterruptedError.code


async def test_a_backend_that_hangs_does_not_take_the_announcement_with_it() -> None:
    async with House(policy=RouterPolicy(stall_s=0.05)) as house:
        house.remote.script = [ScriptStep(), ScriptStep(hold=asyncio.Event())]
        chunks = await house.speak()
        assert_heard(chunks)
        error = house.router.status().backend("remote").last_error  # type: ignore[union-attr]
        assert error is not None
        assert error.code == StreamStalledError.code


async def test_after_a_failure_the_rest_of_the_request_does_not_ask_the_broken_one_first() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=lost())
        await house.speak()
        assert len(house.remote.record.requests) == 1


@pytest.mark.parametrize("at", [0, 2, 4])
async def test_a_sentence_that_one_cannot_pronounce_is_all_that_the_next_one_speaks(
    at: int,
) -> None:
    class Latin(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            async with aclosing(super().stream(request)) as chunks:
                async for chunk in chunks:
                    assert isinstance(request.text, tuple)
                    if request.text[chunk.sentence] == SENTENCES[at]:
                        raise UnpronounceableError("No sounds.")
                    yield chunk

    async with House() as house:
        await house.router.set_remote(Latin(name="remote", clock=house.clock))
        chunks = await house.speak()

        assert_heard(chunks)
        expected_names = ["remote"] * len(SENTENCES)
        expected_names[at] = "local"
        assert speakers(chunks) == expected_names
        status = house.router.status().backend("remote")
        assert status is not None
        assert status.state.ready


async def test_the_first_sound_comes_before_the_first_sentence_is_whole() -> None:
    async with House() as house:
        held = asyncio.Event()
        house.remote.script = [ScriptStep(after_chunks=2, hold=held)]
        async with aclosing(house.router.stream(SynthesisRequest(text=TEXT))) as stream:
            assert (await anext(stream)).sentence == 0
            assert not held.is_set()


async def test_later_sentences_are_released_only_whole() -> None:
    async with House() as house:
        held = asyncio.Event()
        house.remote.script = [ScriptStep(), ScriptStep(after_chunks=4, hold=held)]
        async with aclosing(house.router.stream(SynthesisRequest(text=TEXT))) as stream:
            while not (await anext(stream)).final:
                pass
            following = asyncio.ensure_future(anext(stream))
            await settle(50)
            assert not following.done()  # four chunks of sentence 1 are there, and wait
            held.set()
            assert (await following).sentence == 1


async def test_two_sentences_are_made_ready_while_one_plays_and_no_more() -> None:
    request = SynthesisRequest(text=TEXT)
    async with House() as house, aclosing(house.router.stream(request)) as stream:
        await anext(stream)
        await settle(300)
        assert house.remote.record.finished == list(SENTENCES[:3])
        while not (await anext(stream)).final:
            pass
        await anext(stream)  # the second sentence plays
        await settle(300)
        assert house.remote.record.finished == list(SENTENCES[:4])


async def test_the_first_sentence_is_spoken_while_the_text_is_still_written() -> None:
    spoken = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        yield SENTENCES[0] + " "
        yield "Đây là "
        await spoken.wait()
        yield "câu 1 của bản tin."

    async with House() as house:
        chunks = []
        async for chunk in house.router.stream(SynthesisRequest(text=typed())):
            chunks.append(chunk)
            if chunk.final:
                spoken.set()
        assert_heard(chunks, SENTENCES[:2])


async def test_a_text_that_breaks_while_it_is_written_is_spoken_as_far_as_it_came() -> None:
    async def typed() -> AsyncIterator[str]:
        yield f"{SENTENCES[0]} {SENTENCES[1]} Đây"
        raise ValueError("the writer failed")

    async with House() as house:
        chunks: list[AudioChunk] = []
        with pytest.raises(ValueError, match="the writer failed"):
            await take(house.router, SynthesisRequest(text=typed()), chunks)
        assert_heard(chunks, (*SENTENCES[:2], "Đây"))


async def test_a_closed_stream_stops_the_synthesis_and_blames_nobody() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(after_chunks=3, hold=asyncio.Event())
        for _ in range(10):
            async with aclosing(house.router.stream(SynthesisRequest(text=TEXT))) as stream:
                await anext(stream)
        assert house.remote.in_flight == 0
        status = house.router.status().backend("remote")
        assert status is not None
        assert status.circuit == "closed"
        assert status.last_error is None


async def test_a_switch_moves_new_requests_and_leaves_running_ones_where_they_are() -> None:
    async with House(Mode.LOCAL) as house:
        held = asyncio.Event()
        house.local.script = [ScriptStep(), ScriptStep(at_sentence=1, hold=held)]
        running = asyncio.ensure_future(gather(house.router, SynthesisRequest(text=TEXT)))
        await settle(100)
        house.router.set_mode(Mode.REMOTE)
        assert house.router.active == "remote"
        after = await house.speak()
        assert set(speakers(after)) == {"remote"}
        held.set()
        before = await running
        assert_heard(before)
        assert set(speakers(before)) == {"local"}
        assert not any(chunk.speaker.fallback for chunk in before)
        assert house.told(BackendSwitched) == [BackendSwitched(mode=Mode.REMOTE)]


async def test_a_switch_to_what_is_not_ready_is_refused_and_changes_nothing() -> None:
    house = House(Mode.LOCAL)
    house.remote.load_error = TunnelOfflineError("the tunnel is gone")
    async with house:
        with pytest.raises(TunnelOfflineError, match="the tunnel is gone"):
            house.router.set_mode(Mode.REMOTE)
        assert house.router.mode is Mode.LOCAL
        assert house.router.active == "local"
        await house.router.set_remote(None)
        with pytest.raises(BackendNotConfiguredError):
            house.router.set_mode(Mode.REMOTE)
        house.router.set_mode(Mode.LOCAL)
        assert house.told(BackendSwitched) == []


async def test_fifty_streams_and_a_thousand_switches_lose_nothing() -> None:
    async with House(Mode.LOCAL) as house:
        house.local.always = house.remote.always = ScriptStep(chunk_delay_s=0.01)
        requests = [SynthesisRequest(text=" ".join(SENTENCES[n % 3 :])) for n in range(50)]
        streams = [asyncio.ensure_future(gather(house.router, request)) for request in requests]
        for n in range(1000):
            house.router.set_mode(Mode.REMOTE if n % 2 == 0 else Mode.LOCAL)
            await house.clock.advance(0.005)
        while not all(stream.done() for stream in streams):
            await house.clock.advance(0.1)
        for n, stream in enumerate(streams):
            assert_heard(stream.result(), SENTENCES[n % 3 :])
            assert len(set(speakers(stream.result()))) == 1


async def test_the_admin_is_told_of_loss_failover_recovery_and_failback_each_once() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=TunnelOfflineError("the tunnel is gone"))
        house.remote.reported = TunnelOfflineError("the tunnel is gone")
        for _ in range(3):
            assert_heard(await house.speak())
        assert house.router.active == "local"
        assert house.router.mode is Mode.REMOTE
        assert house.router.status().fallback_active
        await house.clock.advance(200)
        assert len(house.told(RemoteLost)) == len(house.told(FailedOver)) == 1
        assert house.told(FailedBack) == []
        assert len(house.told(CircuitOpened)) == 1

        house.remote.always, house.remote.reported = ScriptStep(), None
        await house.clock.advance(120)
        assert house.router.active == "remote"
        assert len(house.told(FailedBack)) == len(house.told(CircuitClosed)) == 1
        assert house.told(BackendRecovered) == [BackendRecovered(backend="remote")]
        assert set(speakers(await house.speak())) == {"remote"}


async def test_a_healthy_look_is_not_enough_to_return_it_must_speak() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=TunnelOfflineError("cannot speak"))
        await house.speak()
        await house.clock.advance(100)  # /health says ready all the time
        assert house.router.active == "local"
        house.remote.always = ScriptStep()
        await house.clock.advance(100)
        assert house.router.active == "remote"


async def test_a_rejected_token_is_told_and_never_tried_again_until_the_admin_acts() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=AuthenticationError("wrong token"))
        house.remote.reported = AuthenticationError("wrong token")
        await house.speak()
        asked = len(house.remote.record.requests), house.remote.record.health_checks
        await house.clock.advance(86_400)
        await house.speak()
        assert (len(house.remote.record.requests), house.remote.record.health_checks) == asked
        status = house.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.UNAUTHORIZED
        with pytest.raises(AuthenticationError):
            await house.router.check("remote")
        house.remote.always, house.remote.reported = ScriptStep(), None
        assert (await house.router.check("remote")).ready
        assert house.router.active == "remote"


async def test_an_older_server_is_named_once_and_used_all_the_same() -> None:
    house = House()
    house.remote.reported = Health(state=BackendState.READY, version="0.0.9")
    async with house:
        chunks = await house.speak()
        await house.clock.advance(120)

        (told,) = house.told(ServerOutdated)
        assert isinstance(told, ServerOutdated)
        assert (told.version, told.own) == ("0.0.9", __version__)
        assert set(speakers(chunks)) == {"remote"}

        house.remote.reported = Health(state=BackendState.READY, version=__version__)
        await house.clock.advance(120)
        assert len(house.told(ServerOutdated)) == 1


async def test_a_missing_default_voice_is_told_once_and_anew_after_it_was_there() -> None:
    house = House(Mode.LOCAL)
    house.local.reported = Health(state=BackendState.READY, missing_voice="ba-ngoai")
    async with house:
        await house.speak()
        await house.clock.advance(120)
        missing = DefaultVoiceMissing(backend="local", voice="ba-ngoai")
        assert house.told(DefaultVoiceMissing) == [missing]

        house.local.reported = Health(state=BackendState.READY)
        await house.clock.advance(120)
        house.local.reported = Health(state=BackendState.READY, missing_voice="ba-ngoai")
        await house.clock.advance(120)
        assert house.told(DefaultVoiceMissing) == [missing, missing]


@pytest.mark.parametrize(
    ("wish", "asked", "heard_voice"),
    [
        ("en-tone", None, "en-tone"),
        ("ba-ngoai", None, "vi-tone"),
        ("en-tone", "vi-tone", "vi-tone"),
    ],
)
async def test_a_stand_in_keeps_the_voice_of_the_admin_where_it_has_it(
    wish: str, asked: str | None, heard_voice: str
) -> None:
    policy = RouterPolicy(fallback=("remote",), fallback_voice=wish)
    async with House(Mode.LOCAL, policy) as house:
        first = await house.speak(voice=asked)
        assert {chunk.speaker.voice for chunk in first} == {"vi-tone"}, "not of the admin's choice"
        house.local.always = ScriptStep(error=lost())
        chunks = await house.speak(voice=asked)

    assert set(speakers(chunks)) == {"remote"}
    assert {chunk.speaker.voice for chunk in chunks} == {heard_voice}


@pytest.mark.parametrize(
    ("theirs", "own", "older"),
    [
        ("0.1.0", "0.1.0", False),
        ("0.1.0", "0.1.1", True),
        ("0.9.9", "0.10.0", True),
        ("1.0.0.dev3", "0.10.0", False),
        ("0.1", "0.1.0", True),
        ("unknown", "0.1.0", False),
        (None, "0.1.0", False),
    ],
)
def test_releases_are_compared_by_number(theirs: str | None, own: str, older: bool) -> None:
    assert is_older(theirs, own=own) is older


async def test_a_busy_backend_is_spared_for_a_moment_but_not_given_up() -> None:
    async with House() as house:
        house.remote.script = [ScriptStep(error=BackendBusyError("queue full", retry_after_s=1))]
        assert set(speakers(await house.speak())) == {"local"}
        assert house.router.active == "remote"
        assert house.told(FailedOver) == []
        await house.clock.advance(1.1)
        assert set(speakers(await house.speak())) == {"remote"}


async def test_the_local_model_comes_back_by_a_probe_after_it_crashed_often() -> None:
    async with House(Mode.LOCAL) as house:
        house.local.always = ScriptStep(error=WorkerDiedError("crashed"))
        for _ in range(3):
            assert_heard(await house.speak())
        assert house.router.active == "last_resort"
        house.local.always = ScriptStep()
        await house.clock.advance(60)
        assert house.router.active == "local"


async def test_a_new_remote_takes_over_and_the_old_one_ends_its_requests_first() -> None:
    async with House() as house:
        held = asyncio.Event()
        house.remote.script = [ScriptStep(), ScriptStep(at_sentence=1, hold=held)]
        running = asyncio.ensure_future(gather(house.router, SynthesisRequest(text=TEXT)))
        await settle(100)
        fresh = ScriptedBackend(name="remote", clock=house.clock)
        await house.router.set_remote(fresh)
        assert len(await house.speak("Xin chào.")) > 0
        assert len(fresh.record.requests) == 1
        assert house.remote.record.unloads == 0
        held.set()
        assert_heard(await running)
        await settle(50)
        assert house.remote.record.unloads == 1


async def test_without_a_remote_the_mode_remote_is_spoken_by_stand_ins_and_says_so() -> None:
    async with House() as house:
        await house.router.set_remote(None)
        chunks = await house.speak()
        assert_heard(chunks)
        assert all(chunk.speaker.fallback for chunk in chunks)
        status = house.router.status()
        assert status.backend("remote").state is BackendState.NOT_CONFIGURED  # type: ignore[union-attr]
        assert status.fallback_active


async def test_near_the_end_of_the_session_only_what_fits_starts_there() -> None:
    async with House() as house:
        house.remote.reported = Health(state=BackendState.READY, remaining_s=20.0)
        await house.router.check("remote")
        short = await house.speak("Xin chào.")
        assert speakers(short) == ["remote"]
        long = await house.speak(" ".join(SENTENCES * 8))
        assert speakers(long)[0] == "remote"
        assert "local" in speakers(long)
        await house.clock.advance(21)
        assert speakers(await house.speak("Xin chào.")) == ["local"]
        status = house.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.EXPIRED


async def test_loading_fails_only_where_nobody_at_all_can_speak() -> None:
    house = House()
    house.remote.load_error = lost("no remote")
    house.local.load_error = ModelLoadError("no model")
    async with house:
        assert set(speakers(await house.speak())) == {"last_resort"}
    house = House()
    house.remote.load_error = lost("no remote")
    house.local.load_error = ModelLoadError("no model")
    house.last.load_error = ModelLoadError("no voice")
    with pytest.raises(AllBackendsFailedError) as caught:
        await house.router.load()
    assert len(caught.value.causes) == 3
    with pytest.raises(BackendNotLoadedError):
        await house.speak()


async def test_loading_does_not_wait_for_ever_for_a_slow_remote() -> None:
    house = House(policy=RouterPolicy(load_wait_s=0.05))
    house.remote.load_hold = asyncio.Event()
    async with house:
        assert house.router.active == "local"
        assert house.router.status().backend("remote").state is BackendState.LOADING  # type: ignore[union-attr]
        house.remote.load_hold.set()
        await settle()
        assert house.router.active == "remote"


async def test_a_server_that_loads_its_model_is_waited_for_and_then_used() -> None:
    house = House()
    house.remote.load_error = BackendLoadingError("loading", retry_after_s=5)
    async with house:
        assert house.router.active == "local"
        assert house.router.status().backend("remote").state is BackendState.LOADING  # type: ignore[union-attr]
        assert house.told(RemoteLost) == []
        house.remote.load_error = None
        await house.speak()
        await house.clock.advance(60)
        assert house.router.active == "remote"


async def test_the_local_model_can_be_unloaded_and_loaded_by_the_admin() -> None:
    async with House(Mode.LOCAL) as house:
        await house.router.unload_backend("local")
        assert house.router.active == "last_resort"
        assert house.router.status().backend("local").state is BackendState.UNLOADED  # type: ignore[union-attr]
        await house.clock.advance(3600)
        assert house.local.record.loads == 1  # nobody loads it behind the admin's back
        assert set(speakers(await house.speak())) == {"last_resort"}
        assert (await house.router.load_backend("local")).ready
        assert house.router.active == "local"
        assert set(speakers(await house.speak())) == {"local"}
        house.local.load_error = ModelLoadError("the file is gone")
        await house.router.unload_backend("local")
        with pytest.raises(ModelLoadError, match="the file is gone"):
            await house.router.load_backend("local")
        with pytest.raises(BackendNotConfiguredError):
            await house.router.load_backend("cellar")


async def test_every_change_of_a_state_is_told_at_once_and_once() -> None:
    house = House(Mode.REMOTE)
    house.local.load_hold = asyncio.Event()

    def states(name: str) -> list[BackendState]:
        changes = [e for e in house.events if isinstance(e, BackendStateChanged)]
        return [change.state for change in changes if change.backend == name]

    async with house:
        assert states("remote") == [BackendState.READY]
        assert house.router.status().backend("local").state is BackendState.LOADING  # type: ignore[union-attr]
        house.local.load_hold.set()
        await settle()
        assert states("local")[-1] is BackendState.READY
        house.events.clear()
        await house.clock.advance(600)
        await house.router.unload_backend("local")
        await settle()
        assert states("local") == [BackendState.UNLOADED]
        house.remote.reported = TunnelOfflineError("the tunnel is gone")
        house.remote.load_error = house.remote.reported
        await house.clock.advance(3600)  # it is looked for again and again: no state flaps
        assert states("remote") == [BackendState.UNREACHABLE]


async def test_what_could_not_be_loaded_is_loaded_again_by_and_by() -> None:
    house = House(Mode.LOCAL)
    house.local.load_error = house.last.load_error = WorkerDiedError("killed while it loaded")
    async with house:
        assert house.router.active == "local"  # nothing else is left
        house.local.load_error = house.last.load_error = None
        await house.clock.advance(120)
        assert house.last.record.loads == house.local.record.loads == 1
        assert house.router.active == "local"
        assert_heard(await house.speak())


async def test_a_probe_speaks_for_real_and_tells_the_circuit() -> None:
    async with House(Mode.LOCAL) as house:
        speech = await house.router.probe("remote")
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected("Xin chào.")])
        house.remote.always = ScriptStep(error=lost("no more"))
        with pytest.raises(BackendConnectionError, match="no more"):
            await house.router.probe("remote")
        house.remote.always = ScriptStep(error=VoiceNotFoundError("no voice at all"))
        with pytest.raises(BackendError, match="refused the test sentence"):
            await house.router.probe("remote")


@pytest.mark.parametrize("ask", ["check", "probe"])
async def test_to_ask_a_dead_backend_again_tells_nobody_that_it_is_back(ask: str) -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=lost("the cable is out"))
        house.remote.reported = lost("the cable is out")
        for _ in range(3):
            await house.speak()
        assert house.router.active == "local"
        await settle()
        house.events.clear()
        for _ in range(3):
            with pytest.raises(BackendConnectionError, match="the cable is out"):
                await getattr(house.router, ask)("remote")
            assert house.router.active == "local"
        await house.clock.advance(10)
        assert house.events == []

        house.remote.always, house.remote.reported = ScriptStep(), None
        await getattr(house.router, ask)("remote")
        assert house.router.active == "remote"
        await settle()
        assert len(house.told(FailedBack)) == 1


async def test_a_probe_that_hangs_ends_by_its_name() -> None:
    async with House(policy=RouterPolicy(stall_s=0.05)) as house:
        house.remote.always = ScriptStep(hold=asyncio.Event())
        with pytest.raises(BackendError, match="test sentence in time"):
            await house.router.probe("remote")


async def test_the_snapshot_is_plain_json_and_complete() -> None:
    async with House() as house:
        await house.speak()
        shot = house.router.status().to_json()
        assert shot["mode"] == "remote"
        assert shot["active"] == "remote"
        assert [b["name"] for b in shot["backends"]] == ["local", "remote", "last_resort"]
        assert shot["backends"][1]["state"] == "ready"
        assert shot["backends"][1]["health"]["engine"] == "scripted"
        assert house.router.status().backend("cellar") is None


async def test_unload_and_load_again_leave_no_task_behind() -> None:
    before = asyncio.all_tasks()
    house = House()
    for _ in range(3):
        await house.router.load()
        await house.router.load()
        assert_heard(await house.speak())
        assert (await house.router.health()).ready
        assert (await house.router.voices())[0].id == "vi-tone"
        await house.router.unload()
        assert not (await house.router.health()).ready
        with pytest.raises(BackendNotLoadedError):
            await house.router.voices()
    await house.router.aclose()
    await settle()
    assert asyncio.all_tasks() == before


async def test_synthesize_takes_the_router_like_any_backend() -> None:
    async with House() as house:
        speech = await synthesize(house.router, SynthesisRequest(text=SENTENCES[3]))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(SENTENCES[3])])


async def test_patience_begins_when_a_sentence_fails_not_when_its_passage_began() -> None:
    policy = RouterPolicy(fallback_enabled=False, patience_s=10.0)
    async with House(Mode.LOCAL, policy) as house:
        hold = asyncio.Event()
        house.local.script = [
            ScriptStep(),
            ScriptStep(at_sentence=2, hold=hold, error=WorkerDiedError("killed")),
        ]
        task = asyncio.ensure_future(gather(house.router, SynthesisRequest(text=TEXT)))
        for _ in range(15):  # slow, but never silent for long
            await house.clock.advance(1.0)
        hold.set()
        while not task.done():
            await house.clock.advance(0.05)
            await asyncio.sleep(0.001)
        assert_heard(await task)


async def test_two_new_remotes_at_once_leave_one_in_use_and_close_the_others() -> None:
    async with House() as house:
        first = ScriptedBackend(name="remote", clock=house.clock)
        second = ScriptedBackend(name="remote", clock=house.clock)
        await asyncio.gather(house.router.set_remote(first), house.router.set_remote(second))
        await settle()
        assert house.remote.record.unloads == 1
        assert set(speakers(await house.speak())) == {"remote"}
        assert (len(first.record.requests) > 0) != (len(second.record.requests) > 0)
        unused = second if first.record.requests else first
        assert unused.record.loads == unused.record.unloads


async def test_a_remote_that_comes_while_the_router_loads_is_loaded_too() -> None:
    house = House()
    house.remote.load_hold = house.last.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(house.router.load())
    await settle()
    fresh = ScriptedBackend(name="remote", clock=house.clock)
    await house.router.set_remote(fresh)
    house.last.load_hold.set()
    await loading
    async with house:
        assert house.router.active == "remote"
        assert set(speakers(await house.speak())) == {"remote"}
        assert len(fresh.record.requests) > 0


async def test_closing_while_the_remote_is_replaced_leaves_no_task_behind() -> None:
    class SlowToLetGo(ScriptedBackend):
        """Its look at the server takes some steps to end."""

        async def health(self) -> Health:
            if self.record.requests:
                try:
                    await asyncio.Event().wait()
                finally:
                    for _ in range(20):
                        await asyncio.sleep(0)
            return await super().health()

    before = asyncio.all_tasks()
    house = House()
    house.remote = SlowToLetGo(name="remote", clock=house.clock)
    await house.router.set_remote(house.remote)
    await house.router.load()
    house.remote.script = [ScriptStep(hold=asyncio.Event())]
    listening = asyncio.ensure_future(gather(house.router, SynthesisRequest(text=TEXT)))
    await house.clock.advance(60)  # a look has begun
    other = ScriptedBackend(name="remote", clock=house.clock)
    changing = asyncio.ensure_future(house.router.set_remote(other))
    await asyncio.sleep(0)
    await house.router.aclose()
    await changing
    retiring = {task for task in asyncio.all_tasks() if task.get_name() == "vieneu-retire"}
    assert retiring == set()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await settle()
    assert asyncio.all_tasks() == before


async def test_unloading_ends_a_wait_for_a_new_remote() -> None:
    async with House() as house:
        slow = ScriptedBackend(name="remote", clock=house.clock)
        slow.load_hold = asyncio.Event()
        changing = asyncio.ensure_future(house.router.set_remote(slow))
        await settle()
        await house.router.unload()
        await changing
        slow.load_hold.set()
        await house.router.load()
        assert house.router.active == "remote"


async def test_unloading_a_router_that_still_loads_is_told_to_who_loads_it() -> None:
    house = House()
    for backend in (house.local, house.remote, house.last):
        backend.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(house.router.load())
    await settle()
    await house.router.unload()
    with pytest.raises(BackendNotLoadedError):
        await loading
    with pytest.raises(BackendNotLoadedError):
        await house.speak()
    for backend in (house.local, house.remote, house.last):
        backend.load_hold = None
    async with house:
        assert_heard(await house.speak())


async def test_a_load_that_is_cancelled_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    house = House()
    house.remote.load_hold = house.last.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(house.router.load())
    await settle()
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert asyncio.all_tasks() == before
    house.remote.load_hold = house.last.load_hold = None
    async with house:
        assert_heard(await house.speak())


async def test_closing_does_not_wait_for_who_still_listens_to_a_former_remote() -> None:
    async with House() as house:
        stream = house.router.stream(SynthesisRequest(text=TEXT))
        await anext(stream)
        former = house.remote
        await house.router.set_remote(None)
        async with asyncio.timeout(GUARD_S):
            await house.router.aclose()
        assert former.record.unloads == 1
        await stream.aclose()


async def test_choosing_the_stand_in_is_a_switch_not_a_return() -> None:
    async with House() as house:
        house.remote.always = ScriptStep(error=TunnelOfflineError("gone"))
        house.remote.reported = TunnelOfflineError("gone")
        await house.speak()
        await settle()
        assert house.router.active == "local"
        house.router.set_mode(Mode.LOCAL)
        await settle()
        assert house.told(BackendSwitched) == [BackendSwitched(mode=Mode.LOCAL)]
        assert house.told(FailedBack) == []


async def test_a_remote_that_the_admin_unloaded_stays_so_too() -> None:
    async with House() as house:
        await house.router.unload_backend("remote")
        assert house.router.active == "local"
        await house.clock.advance(3600)
        assert house.remote.record.loads == 1
        assert (await house.router.load_backend("remote")).ready
        assert house.router.active == "remote"
        await house.router.unload_backend("remote")
        await house.router.unload()
        await house.router.load()
        assert house.router.active == "remote"
