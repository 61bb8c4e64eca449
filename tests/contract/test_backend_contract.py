"""What every backend keeps to, whatever stands behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from backend_cases import BackendCase
from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState, synthesize
from vieneu_core.errors import (
    BackendError,
    BackendNotLoadedError,
    CloningUnsupportedError,
    EmptyTextError,
    InvalidRequestError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest

TWO = ("Đây là câu 1 trong bài.", "Còn đây là câu 2 trong bài.")
MANY = tuple(f"Trong bài này đây là câu {i} nhé." for i in range(3, 33))


async def take(backend: Backend, request: SynthesisRequest) -> list[AudioChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(backend.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


async def say(backend: Backend, text: str | tuple[str, ...]) -> Speech:
    async with asyncio.timeout(GUARD_S):
        return await synthesize(backend, SynthesisRequest(text=text))


def check_heard(case: BackendCase, speech: Speech, sentences: tuple[str, ...]) -> None:
    """All of the sentences are heard, in order, each to its end."""
    if case.tones:
        tones = heard(speech.pcm, speech.sample_rate_hz)
        assert same(tones, [expected(s) for s in sentences]), tones
        return
    for index, sentence in enumerate(sentences):
        own = Speech(tuple(c for c in speech.chunks if c.sentence == index))
        assert own.seconds > len(sentence) / 30
        assert heard(own.pcm, own.sample_rate_hz) != []


def check_form(chunks: list[AudioChunk], n_sentences: int) -> None:
    """Sentences come in order, and each ends with its one final chunk."""
    indices = [chunk.sentence for chunk in chunks]
    assert indices == sorted(indices)
    assert [chunk.sentence for chunk in chunks if chunk.final] == list(range(n_sentences))
    last_of_each = {chunk.sentence: chunk for chunk in chunks}
    assert all(chunk.final for chunk in last_of_each.values())
    assert len({chunk.sample_rate_hz for chunk in chunks}) == 1
    assert all(len(chunk.pcm) % 2 == 0 for chunk in chunks)


async def test_one_sentence_is_heard_whole(backend: Backend, case: BackendCase) -> None:
    speech = await say(backend, TWO[0])

    check_form(list(speech.chunks), 1)
    check_heard(case, speech, TWO[:1])


async def test_sentences_come_in_order_and_each_ends_once(
    backend: Backend, case: BackendCase
) -> None:
    chunks = await take(backend, SynthesisRequest(text=" ".join(TWO)))

    check_form(chunks, 2)
    check_heard(case, Speech(tuple(chunks)), TWO)


async def test_sentences_given_as_such_stay_as_they_are(
    backend: Backend, case: BackendCase
) -> None:
    given = ("Trước. Rồi đến câu 5.", "Sau đó là câu 6, hết.")

    speech = await say(backend, given)

    check_form(list(speech.chunks), 2)
    check_heard(case, speech, given)


async def test_the_first_sentence_is_spoken_before_the_last_piece_is_typed(
    backend: Backend, case: BackendCase
) -> None:
    first_is_spoken = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        yield TWO[0] + " Còn đây "
        await first_is_spoken.wait()
        yield "là câu 2 "
        yield "trong bài."

    chunks = []
    async with asyncio.timeout(GUARD_S):
        async for chunk in backend.stream(SynthesisRequest(text=typed())):
            chunks.append(chunk)
            if chunk.final:
                first_is_spoken.set()

    check_form(chunks, 2)
    check_heard(case, Speech(tuple(chunks)), TWO)


@pytest.mark.parametrize("text", ["", "  \n ", "\x07\x00", "... !?", (), ("", " ")])
async def test_text_without_speech_is_refused(
    backend: Backend, text: str | tuple[str, ...]
) -> None:
    with pytest.raises(EmptyTextError):
        await take(backend, SynthesisRequest(text=text))


async def test_a_typed_text_that_stays_empty_is_refused(backend: Backend) -> None:
    async def typed() -> AsyncIterator[str]:
        yield "  "

    with pytest.raises(EmptyTextError):
        await take(backend, SynthesisRequest(text=typed()))


async def test_an_unknown_voice_is_refused_with_the_list_of_those_that_exist(
    backend: Backend,
) -> None:
    with pytest.raises(VoiceNotFoundError) as caught:
        await take(backend, SynthesisRequest(text=TWO[0], voice="no-such-voice"))

    assert "no-such-voice" in caught.value.detail
    assert all(voice.id in caught.value.detail for voice in await backend.voices())


async def test_each_voice_can_be_asked_for_and_is_named_in_the_result(backend: Backend) -> None:
    for voice in await backend.voices():
        chunks = await take(backend, SynthesisRequest(text="Xin chào bạn.", voice=voice.id))

        assert {chunk.speaker.voice for chunk in chunks} == {voice.id}


async def test_the_default_voice_is_the_first_and_follows_the_language(backend: Backend) -> None:
    voices = await backend.voices()
    first_english = next(voice for voice in voices if voice.language == "en")

    vietnamese = await take(backend, SynthesisRequest(text="Xin chào."))
    english = await take(backend, SynthesisRequest(text="Good morning.", language="en-GB"))

    assert voices[0].language == "vi"
    assert vietnamese[0].speaker.voice == voices[0].id
    assert english[0].speaker.voice == first_english.id


@pytest.mark.parametrize("speed", [0.49, 2.01, 0.0, -1.0, float("nan")])
def test_a_speed_out_of_range_never_reaches_a_backend(speed: float) -> None:
    with pytest.raises(InvalidRequestError):
        SynthesisRequest(text=TWO[0], speed=speed)


@pytest.mark.parametrize("speed", [0.5, 2.0])
async def test_speed_changes_the_length_and_not_the_pitch(
    backend: Backend, case: BackendCase, speed: float
) -> None:
    plain = await say(backend, TWO[0])

    async with asyncio.timeout(GUARD_S):
        changed = await synthesize(backend, SynthesisRequest(text=TWO[0], speed=speed))

    assert changed.seconds == pytest.approx(plain.seconds / speed, rel=0.15)
    if case.tones:
        tones = heard(changed.pcm, changed.sample_rate_hz)
        assert same(tones, [expected(TWO[0], speed=speed)], tolerance_s=0.12), tones


async def test_what_it_cannot_do_is_refused_and_not_left_out(backend: Backend) -> None:
    clip = ReferenceAudio(pcm=bytes(48_000), sample_rate_hz=24_000, transcript="Xin chào.")

    with contextlib.suppress(WatermarkUnavailableError):  # refused, or in all that is heard
        marked = await synthesize(backend, SynthesisRequest(text=TWO[0], watermark=True))
        assert all(speaker.watermarked for speaker in marked.speakers)
    with pytest.raises(CloningUnsupportedError):
        await take(backend, SynthesisRequest(text=TWO[0], reference=clip))


async def test_a_closed_stream_frees_the_backend_for_the_next(
    backend: Backend, case: BackendCase
) -> None:
    async with asyncio.timeout(GUARD_S):
        for _ in range(3):
            async with aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks:
                await anext(chunks)
        unused = backend.stream(SynthesisRequest(text=MANY))
        await unused.aclose()

    check_heard(case, await say(backend, TWO), TWO)


async def test_a_cancelled_listener_frees_the_backend_for_the_next(
    backend: Backend, case: BackendCase
) -> None:
    began = asyncio.Event()

    async def listen() -> None:
        async with aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks:
            async for _ in chunks:
                began.set()

    listener = asyncio.create_task(listen())
    async with asyncio.timeout(GUARD_S):
        await began.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener

    check_heard(case, await say(backend, TWO), TWO)


async def test_requests_at_the_same_time_do_not_mix(backend: Backend, case: BackendCase) -> None:
    texts = [
        tuple(f"Trong bài {n} này là câu {10 * n + i} nhé." for i in range(3)) for n in range(6)
    ]

    speeches = await asyncio.gather(*(say(backend, text) for text in texts))

    for text, speech in zip(texts, speeches, strict=True):
        check_heard(case, speech, text)


async def test_a_backend_that_is_not_loaded_says_so(unloaded: Backend) -> None:
    with pytest.raises(BackendNotLoadedError) as caught:
        await take(unloaded, SynthesisRequest(text=TWO[0]))
    with pytest.raises(BackendNotLoadedError):
        await unloaded.voices()

    assert caught.value.backend
    assert not (await unloaded.health()).ready


async def test_loading_twice_changes_nothing(backend: Backend, case: BackendCase) -> None:
    await backend.load()
    await asyncio.gather(backend.load(), backend.load())

    check_heard(case, await say(backend, TWO), TWO)


async def test_it_can_be_loaded_again_after_unloading(backend: Backend, case: BackendCase) -> None:
    await backend.unload()
    with pytest.raises(BackendNotLoadedError):
        await take(backend, SynthesisRequest(text=TWO[0]))

    await backend.load()

    check_heard(case, await say(backend, TWO), TWO)


async def test_unloading_gives_a_running_stream_a_named_error(backend: Backend) -> None:
    async with (
        asyncio.timeout(GUARD_S),
        aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks,
    ):
        await anext(chunks)

        await backend.unload()

        with pytest.raises(BackendError):
            async for _ in chunks:
                pass


async def test_health_tells_what_stands_behind_it(backend: Backend) -> None:
    chunks = await take(backend, SynthesisRequest(text=TWO[0]))

    health = await backend.health()

    assert health.state is BackendState.READY
    assert health.ready
    assert health.engine == chunks[0].speaker.engine
    assert health.model
    assert health.queue_depth == 0


async def test_results_name_the_backend(backend: Backend) -> None:
    chunks = await take(backend, SynthesisRequest(text=" ".join(TWO)))

    assert len({chunk.speaker for chunk in chunks}) == 1
    assert not chunks[0].speaker.fallback
    assert not chunks[0].speaker.watermarked


async def test_closing_for_good_may_be_repeated(backend: Backend) -> None:
    await say(backend, TWO[0])

    await backend.aclose()
    await backend.aclose()

    with pytest.raises(BackendNotLoadedError):
        await take(backend, SynthesisRequest(text=TWO[0]))
    assert not (await backend.health()).ready
