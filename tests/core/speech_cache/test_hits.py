"""What is replayed: identical speech, whole, as it was heard the first time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from cache_rig import SENTENCES, TEXT, CacheRig, spoken_by
from tones import tone

from vieneu_core.router import Mode
from vieneu_core.speech_cache.identity import MAX_CHARS
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptStep
from vieneu_core.voices.catalogue import VoiceCatalogue


def clip(hz: int) -> ReferenceAudio:
    return ReferenceAudio(pcm=tone(hz, 4, 16_000), sample_rate_hz=16_000, transcript="Xin chào.")


async def test_the_same_request_is_spoken_once_and_sounds_the_same(rig: CacheRig) -> None:
    first = await rig.speak()
    again = await rig.speak()

    assert rig.n_asked == 2, "the first sentence, and the second"
    assert spoken_by(again, "remote", *SENTENCES)
    assert again.pcm == first.pcm
    assert again.sample_rate_hz == first.sample_rate_hz
    assert [s.cached for s in first.speakers] == [False, False]
    assert [s.cached for s in again.speakers] == [True, True]
    assert {s.voice for s in again.speakers} == {"vi-tone"}
    assert {s.backend for s in again.speakers} == {"remote"}
    assert not again.fallback


async def test_each_sentence_of_a_replay_ends_with_one_final_chunk(rig: CacheRig) -> None:
    await rig.speak()
    chunks = (await rig.speak()).chunks

    assert [chunk.sentence for chunk in chunks] == sorted(chunk.sentence for chunk in chunks)
    assert [chunk.sentence for chunk in chunks if chunk.final] == [0, 1]
    assert all(0 < chunk.seconds <= 0.25 for chunk in chunks)
    assert chunks[-1].final


@pytest.mark.parametrize(
    "other",
    [
        "  Đây là câu 11 nhé.\n\nCòn đây là câu 12 nhé. ",
        "Đây là câu 11 nhé. Co\u0300n đây là câu 12 nhé.",
        SENTENCES,
    ],
)
async def test_a_text_counts_in_its_normal_form(
    rig: CacheRig, other: str | tuple[str, ...]
) -> None:
    await rig.speak()
    again = await rig.speak(other, request_id="another")

    assert again.speakers[0].cached
    assert spoken_by(again, "remote", *SENTENCES)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Đây là câu 11 nhé, còn đây là câu 12 nhé."},
        {"speed": 1.5},
        {"voice": "en-tone"},
        {"language": "en"},
        {"watermark": True},
        {"reference": clip(440)},
    ],
    ids=lambda fields: str(next(iter(fields))),
)
async def test_another_request_is_spoken_anew(rig: CacheRig, fields: dict[str, object]) -> None:
    await rig.speak()
    other = await rig.speak(**{"text": TEXT, **fields})  # type: ignore[arg-type]

    assert not any(speaker.cached for speaker in other.speakers)
    assert all(s.cached for s in (await rig.speak(**{"text": TEXT, **fields})).speakers)  # type: ignore[arg-type]
    assert all(s.cached for s in (await rig.speak()).speakers)


async def test_a_voice_that_is_named_is_the_one_that_speaks_by_default(rig: CacheRig) -> None:
    await rig.speak()

    assert (await rig.speak(voice="vi-tone")).speakers[0].cached
    assert (await rig.speak(language="vi-VN")).speakers[0].cached


async def test_clips_count_by_what_is_in_them(rig: CacheRig) -> None:
    await rig.speak(reference=clip(440))

    assert (await rig.speak(reference=clip(440))).speakers[0].cached
    assert not (await rig.speak(reference=clip(550))).speakers[0].cached


async def test_a_voice_that_was_replaced_under_its_name_is_another_voice(
    rig: CacheRig, tmp_path: Path
) -> None:
    catalogue = VoiceCatalogue(tmp_path / "voices")
    own = catalogue.add("Ba", clip(440)).voice
    rig.remote.add_voice(own)
    await rig.speak(voice="ba")
    assert (await rig.speak(voice="ba")).speakers[0].cached

    catalogue.remove("ba")
    catalogue.add("Ba", clip(550))

    assert not (await rig.speak(voice="ba")).speakers[0].cached
    assert (await rig.speak(voice="ba")).speakers[0].cached


@pytest.mark.parametrize("n_chars", [1, 5, 100])
async def test_a_text_in_pieces_is_found_by_its_sentences(rig: CacheRig, n_chars: int) -> None:
    async def pieces() -> AsyncIterator[str]:
        for at in range(0, len(TEXT), n_chars):
            yield TEXT[at : at + n_chars]

    for cached in (False, True):
        speech = await rig.speak(pieces())
        assert [speaker.cached for speaker in speech.speakers] == [cached, cached]
        assert spoken_by(speech, "remote", *SENTENCES)
    assert (await rig.speak()).speakers[0].cached


async def test_a_text_in_pieces_is_stored_as_far_as_it_is_an_announcement(rig: CacheRig) -> None:
    n_sentences = 2 * MAX_CHARS // len(SENTENCES[0])

    async def pieces() -> AsyncIterator[str]:
        for number in range(n_sentences):
            yield f"Đây là câu {number} nhé. "

    chunks = [chunk async for chunk in rig.backend.stream(SynthesisRequest(text=pieces()))]
    await rig.backend.flush()

    assert sum(chunk.final for chunk in chunks) == n_sentences
    stored = (await rig.backend.cache.count()).entries
    assert 0 < stored < n_sentences


@pytest.mark.parametrize(
    "order", [(11, 21), (21, 11), (21, 11, 22), (11, 21, 12), (21, 22, 11, 12, 23)]
)
async def test_each_sentence_is_found_by_itself(rig: CacheRig, order: tuple[int, ...]) -> None:
    await rig.speak()
    known = {11: SENTENCES[0], 12: SENTENCES[1]}
    texts = [known.get(number, f"Và câu {number} thì mới.") for number in order]

    speech = await rig.speak(" ".join(texts))

    assert spoken_by(speech, "remote", *texts)
    assert [speaker.cached for speaker in speech.speakers] == [number in known for number in order]
    assert [chunk.sentence for chunk in speech.chunks if chunk.final] == list(range(len(order)))
    assert len(rig.remote.record.begun) == 2 + len(set(order) - set(known))


async def test_a_replay_at_another_rate_is_resampled(rig: CacheRig) -> None:
    await rig.speak(SENTENCES[:1])
    rig.remote.sample_rate_hz = 16_000
    fresh = "Và đây là câu 21."

    mixed = await rig.speak(f"{fresh} {SENTENCES[0]}")

    assert [speaker.cached for speaker in mixed.speakers] == [False, True]
    assert {chunk.sample_rate_hz for chunk in mixed.chunks} == {16_000}
    assert spoken_by(mixed, "remote", fresh, SENTENCES[0])


async def test_the_first_audio_of_a_miss_comes_before_the_rest_is_made(rig: CacheRig) -> None:
    held = asyncio.Event()
    rig.remote.always = ScriptStep(after_chunks=1, hold=held)
    async with aclosing(rig.backend.stream(SynthesisRequest(text=TEXT))) as chunks:
        assert (await anext(chunks)).pcm
        held.set()
        assert (await collect(chunks)).seconds > 1


async def test_a_switch_of_the_mode_does_not_change_the_voice_of_a_running_request(
    rig: CacheRig,
) -> None:
    rig.router.set_mode(Mode.LOCAL)
    await rig.speak()
    rig.router.set_mode(Mode.REMOTE)
    speakers = []
    async with aclosing(rig.backend.stream(SynthesisRequest(text=TEXT))) as chunks:
        async for chunk in chunks:
            speakers += [(chunk.speaker.backend, chunk.speaker.cached)]
            rig.router.set_mode(Mode.LOCAL)

    assert set(speakers) == {("remote", False)}


async def test_each_mode_has_speech_of_its_own(rig: CacheRig) -> None:
    await rig.speak()
    rig.router.set_mode(Mode.LOCAL)

    assert spoken_by(await rig.speak(), "local", *SENTENCES)
    assert spoken_by(await rig.speak(), "local", *SENTENCES)
    rig.router.set_mode(Mode.REMOTE)
    back = await rig.speak()

    assert back.speakers[0].cached
    assert spoken_by(back, "remote", *SENTENCES)


async def test_it_is_counted(rig: CacheRig) -> None:
    assert rig.backend.cache.stats().hit_rate == 0
    await rig.speak()
    await rig.speak()
    await rig.speak()
    await rig.speak("Đây là câu 14.")

    stats = rig.backend.cache.stats()
    assert (stats.hits, stats.misses, stats.stored) == (4, 3, 3), "of sentences"
    assert stats.hit_rate == 4 / 7
    assert 10_000 < stats.bytes < 1_000_000
    stored = await rig.backend.cache.count()
    assert (stored.entries, stored.bytes) == (3, stats.bytes)
    assert stored.hits == 4


async def test_the_time_of_hits_is_measured_by_the_clock(rig: CacheRig) -> None:
    await rig.speak()
    await rig.speak()

    assert rig.backend.cache.stats().hit_s == 0, "of a clock that stands still"


async def test_it_can_be_emptied(rig: CacheRig) -> None:
    await rig.speak()
    await rig.backend.cache.clear()

    assert not (await rig.speak()).speakers[0].cached
    assert (await rig.speak()).speakers[0].cached


async def test_two_at_the_same_time_are_both_heard(rig: CacheRig) -> None:
    speeches = await asyncio.gather(*(rig.speak() for _ in range(4)))

    assert all(spoken_by(speech, "remote", *SENTENCES) for speech in speeches)
    assert (await rig.backend.cache.count()).entries == 2
