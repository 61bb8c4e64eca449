"""The ear of the test suite hears what it claims to hear."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from tone_engine import Heard, create, expected, heard, same

from vieneu_core.engines.base import Utterance
from vieneu_core.testing.tone import CHUNK_S, GAP_S, in_chunks, sentence_tone

RATES = [8_000, 22_050, 24_000, 48_000]


def never() -> bool:
    return False


@pytest.mark.parametrize("rate", RATES)
def test_each_sentence_is_heard_at_its_own_pitch_and_length(rate: int) -> None:
    n_pitches = 90 if rate > 10_000 else 70  # above half the rate there is nothing to hear
    sentences = [f"Đây là câu {i} trong bài." for i in range(n_pitches)]

    got = heard(b"".join(sentence_tone(s).pcm(rate) for s in sentences), rate)

    assert same(got, [expected(s) for s in sentences], tolerance_s=0.015)
    assert len({tone.hz for tone in got}) == n_pitches


def test_a_number_in_the_text_decides_the_pitch_and_other_text_is_hashed() -> None:
    assert expected("Bây giờ là câu 17.").hz == expected("Rồi câu 17 dài hơn nhiều.").hz == 1150
    assert expected("Xin chào.").hz == expected("  Xin chào. ").hz
    assert expected("Xin chào.").hz != expected("Tạm biệt.").hz
    assert expected("Xin chào.", speed=2.0).seconds < expected("Xin chào.").seconds


def test_a_repeated_sentence_is_heard_twice() -> None:
    pcm = sentence_tone("câu 4").pcm(24_000)

    assert same(heard(pcm + pcm, 24_000), [expected("câu 4")] * 2)


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_at_any_place_is_noticed(seed: int) -> None:
    texts = ["Đây là câu 1.", "Đây là câu 2.", "Đây là câu 3."]
    pcm = b"".join(sentence_tone(text).pcm(24_000) for text in texts)
    rng = random.Random(seed)
    n_samples = len(pcm) // 2
    start = rng.randrange(0, n_samples - 4_800)
    length = rng.randrange(4_800, n_samples - start)  # 0.2 s at least

    cut = pcm[: 2 * start] + pcm[2 * (start + length) :]

    assert not same(heard(cut, 24_000), [expected(text) for text in texts])


def test_a_missing_and_a_swapped_sentence_are_noticed() -> None:
    texts = ["Đây là câu 1.", "Đây là câu 2.", "Đây là câu 3."]
    want = [expected(text) for text in texts]
    for order in itertools.chain(itertools.permutations(texts, 2), itertools.permutations(texts)):
        pcm = b"".join(sentence_tone(text).pcm(24_000) for text in order)
        assert same(heard(pcm, 24_000), want) is (list(order) == texts)


def test_a_change_of_pitch_without_a_pause_is_heard() -> None:
    n_gap = round(GAP_S * 24_000) * 2
    first, second = (sentence_tone(t).pcm(24_000)[n_gap:-n_gap] for t in ("câu 1", "câu 30"))

    got = heard(first + second, 24_000)

    assert [tone.hz for tone in got] == [350, 1800]


def test_noise_below_hearing_clicks_and_silence_are_nothing() -> None:
    noise = (np.random.default_rng(0).normal(0, 100, 24_000)).astype("<i2").tobytes()
    click = bytes(2_000) + b"\xff\x7f" * 10 + bytes(2_000)

    assert heard(noise + bytes(48_000) + click, 24_000) == []


def test_a_tone_in_a_little_noise_is_heard_all_the_same() -> None:
    clean = np.frombuffer(sentence_tone("câu 9").pcm(24_000), dtype="<i2")
    noise = np.random.default_rng(0).normal(0, 200, len(clean))

    got = heard((clean + noise).astype("<i2").tobytes(), 24_000)

    assert same(got, [expected("câu 9")], tolerance_s=0.02)


def test_the_comparison_wants_the_same_tones_each_to_its_full_length() -> None:
    want = [Heard(300, 1.0), Heard(400, 1.0)]

    assert same([Heard(300, 1.03), Heard(400, 0.97)], want)
    assert not same([Heard(300, 1.0), Heard(400, 0.9)], want)
    assert not same([Heard(300, 1.0)], want)
    assert not same([Heard(400, 1.0), Heard(300, 1.0)], want)


def test_the_engine_speaks_in_several_chunks_and_stops_when_cancelled() -> None:
    engine = create({})
    info = engine.load(lambda _: None)
    utterance = Utterance(text="Đây là câu 7.", voice=info.voices[0])

    whole = list(engine.synthesize(utterance, never))
    health_checks = iter([False, False, True])
    stopped = list(engine.synthesize(utterance, lambda: next(health_checks)))

    assert len(whole) > 3
    assert len(stopped) == 2
    assert same(heard(b"".join(whole), 24_000), [expected(utterance.text)])


def test_chunks_join_to_the_whole() -> None:
    pcm = sentence_tone("Xin chào.").pcm(24_000)

    chunks = list(in_chunks(pcm, 24_000))

    assert b"".join(chunks) == pcm
    assert {len(chunk) for chunk in chunks[:-1]} == {round(CHUNK_S * 24_000) * 2}
