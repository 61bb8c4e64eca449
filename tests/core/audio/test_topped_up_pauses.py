"""Silence between sentences is topped up: what is there counts, and doing it twice adds nothing."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.audio.pauses import LEAST_S, QUIET, with_pauses
from vieneu_core.audio.pcm import AudioChunk, Speaker

RATE_HZ = 8_000
SPEAKER = Speaker(backend="local", engine="test", voice="test")


def samples(seconds: float, level: int, rate_hz: int = RATE_HZ) -> bytes:
    return level.to_bytes(2, "little", signed=True) * round(seconds * rate_hz)


def speech(lead_s: float, sound_s: float, trail_s: float, *, noise: int = 0) -> bytes:
    return samples(lead_s, noise) + samples(sound_s, 9_000) + samples(trail_s, -noise)


def in_chunks(
    sentences: Iterable[bytes], chunk_s: float = 0.1, *, rate_hz: int = RATE_HZ
) -> list[AudioChunk]:
    step = 2 * round(chunk_s * rate_hz)
    chunks: list[AudioChunk] = []
    for index, pcm in enumerate(sentences):
        parts = [pcm[at : at + step] for at in range(0, len(pcm), step)]
        chunks += [AudioChunk(part, rate_hz, index, SPEAKER) for part in parts]
        chunks.append(AudioChunk(b"", rate_hz, index, SPEAKER, final=True))
    return chunks


async def stream(chunks: Iterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    for chunk in chunks:
        yield chunk


async def paced(
    chunks: Iterable[AudioChunk], pause_before_s: Callable[[int], float]
) -> list[AudioChunk]:
    async with aclosing(with_pauses(stream(chunks), pause_before_s)) as found:
        return [chunk async for chunk in found]


def gaps(chunks: list[AudioChunk]) -> list[float]:
    """The silence between sounds, in seconds, by ear: runs of quiet samples."""
    rate_hz = chunks[0].sample_rate_hz
    pcm = b"".join(chunk.pcm for chunk in chunks)
    found, quiet = [], 0
    for sample in memoryview(pcm).cast("h"):
        if abs(sample) <= QUIET:
            quiet += 1
        else:
            found.append(quiet / rate_hz)
            quiet = 0
    return [gap for gap in found[1:] if gap]


@pytest.mark.parametrize("chunk_s", [0.013, 0.1, 5.0])
@pytest.mark.parametrize(
    ("trail_s", "lead_s", "expected"),
    [(0.0, 0.0, 0.5), (0.1, 0.05, 0.5), (0.3, 0.25, 0.55), (0.0, 0.6, 0.6), (0.6, 0.0, 0.6)],
)
async def test_only_the_missing_silence_is_added(
    trail_s: float, lead_s: float, expected: float, chunk_s: float
) -> None:
    sentences = [speech(0.2, 0.4, trail_s), speech(lead_s, 0.4, 0.2)]
    once = await paced(in_chunks(sentences, chunk_s), lambda _: 0.5)
    assert gaps(once) == pytest.approx([expected], abs=0.001)

    whole = b"".join(chunk.pcm for chunk in once)
    assert whole.startswith(sentences[0]), "nothing before the first sentence, nothing cut"
    assert whole.endswith(sentences[1]), "nothing after the last one"
    twice = await paced(once, lambda _: 0.5)
    assert twice == once


async def test_noise_below_the_threshold_is_silence_and_a_sound_above_it_is_none() -> None:
    quiet = [speech(0, 0.4, 0.2, noise=QUIET), speech(0.2, 0.4, 0, noise=QUIET)]
    assert gaps(await paced(in_chunks(quiet), lambda _: 0.5)) == pytest.approx([0.5], abs=0.001)
    loud = [speech(0, 0.4, 0.2, noise=QUIET + 1), speech(0.2, 0.4, 0, noise=QUIET + 1)]
    assert gaps(await paced(in_chunks(loud), lambda _: 0.5)) == pytest.approx([0.5], abs=0.001)
    n_bytes = [
        sum(len(c.pcm) for c in await paced(in_chunks(s), lambda _: 0.5)) for s in (quiet, loud)
    ]
    assert n_bytes[1] - n_bytes[0] == len(samples(0.4, 0))


async def test_each_sentence_is_asked_for_its_pause_once_and_gets_it() -> None:
    asked: list[int] = []

    def pause_before_s(index: int) -> float:
        asked.append(index)
        return (9.0, 0.3, 0.0, 0.7)[index]

    chunks = in_chunks([speech(0.1, 0.2, 0.1)] * 4)
    assert gaps(await paced(chunks, pause_before_s)) == pytest.approx([0.3, 0.2, 0.7], abs=0.001)
    assert asked == [0, 1, 2, 3]


async def test_a_sentence_without_sound_has_no_pause_of_its_own_but_the_longest_one_counts() -> (
    None
):
    said = speech(0.0, 0.2, 0.0)
    cases = {
        (said, b"", said): [0.7],
        (b"", said, said): [0.3],
        (said, said, b""): [0.7],
        (b"", b"", said): [],
        (said, samples(0.1, 0), said): [0.7],
    }
    for sentences, expected in cases.items():
        found = await paced(in_chunks(sentences), lambda index: (0.0, 0.7, 0.3)[index])
        assert gaps(found) == pytest.approx(expected, abs=0.001), sentences
        assert [c.sentence for c in found if c.final] == [0, 1, 2]


async def test_a_sentence_that_begins_again_has_its_pause_again() -> None:
    first, again = (
        in_chunks([speech(0, 0.2, 0.1), speech(0.1, 0.3, 0)]),
        in_chunks([b"", speech(0.05, 0.3, 0)])[1:],
    )
    cut = first[:-2]  # a failure cut off its end
    restarted = [AudioChunk(again[0].pcm, RATE_HZ, 1, SPEAKER, restarted=True), *again[1:]]
    found = await paced([*cut, *restarted], lambda _: 0.5)

    begin = next(at for at, chunk in enumerate(found) if chunk.restarted)
    kept = [chunk for chunk in found[:begin] if chunk.sentence == 0] + found[begin:]
    assert gaps(kept) == pytest.approx([0.5], abs=0.001), "for who drops what was cut off"
    assert gaps(found)[0] == pytest.approx(0.5, abs=0.001), "for who has heard it"


async def test_nothing_is_held_back() -> None:
    """Each chunk goes on before the next one is asked for, the first sound of a sentence too."""
    taken = 0

    async def counted() -> AsyncGenerator[AudioChunk, None]:
        nonlocal taken
        for chunk in in_chunks([speech(0.2, 0.3, 0.2)] * 3, 0.05):
            taken += 1
            yield chunk

    given = 0
    async with aclosing(with_pauses(counted(), lambda _: 1.0)) as found:
        async for _ in found:
            given += 1
            assert given == taken


async def test_the_stream_behind_is_closed_with_it() -> None:
    closed = False

    async def watched() -> AsyncGenerator[AudioChunk, None]:
        nonlocal closed
        try:
            for chunk in in_chunks([speech(0, 1, 0)]):
                yield chunk
        finally:
            closed = True

    async with aclosing(with_pauses(watched(), lambda _: 0.5)) as found:
        await anext(found)
    assert closed


EDGE = st.floats(0, 0.4)


@given(
    st.lists(st.tuples(EDGE, st.floats(0.01, 0.2), EDGE), min_size=2, max_size=4),
    st.floats(0.002, 0.5),
    st.floats(0.002, 0.5),
    st.floats(0, 0.6),
)
async def test_doing_it_twice_adds_nothing_however_the_audio_is_cut(
    edges: list[tuple[float, float, float]], first_s: float, second_s: float, wanted_s: float
) -> None:
    once = await paced(in_chunks([speech(*edge) for edge in edges], first_s), lambda _: wanted_s)
    sentences = [
        b"".join(c.pcm for c in once if c.sentence == index) for index in range(len(edges))
    ]
    again = await paced(in_chunks(sentences, second_s), lambda _: wanted_s)
    assert b"".join(chunk.pcm for chunk in again) == b"".join(sentences)
    least = min(gaps(once), default=math.inf)
    assert least >= wanted_s - LEAST_S - 2 / RATE_HZ or least < wanted_s < LEAST_S
