from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from vieneu_core.engines.speech_lm.model import Sampling
from vieneu_core.engines.speech_lm.prompt import SpeechVocabulary
from vieneu_core.engines.speech_lm.sampling import CodeSampler
from vieneu_core.errors import ModelLoadError, SynthesisFailedError

N_CODES = 65_536
VOCABULARY = SpeechVocabulary(first_code=300, n_codes=N_CODES, end=290)
N_TOKENS = 300 + N_CODES


def logits(seed: int = 0, **at: float) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).normal(0, 1, N_TOKENS).astype(np.float32)
    values[VOCABULARY.end] = -50
    for name, value in at.items():
        values[int(name[1:])] = value
    return values


def sampler(**how: float) -> CodeSampler:
    return CodeSampler(VOCABULARY, Sampling(**{"seed": 1, **how}))  # type: ignore[arg-type]


def test_temperature_0_takes_the_likeliest_code() -> None:
    assert sampler(temperature=0).draw(logits(t400=99)) == 400


def test_a_token_that_is_no_speech_is_never_drawn_however_likely() -> None:
    values = logits(t5=1000, t299=1000, t700=40)

    assert sampler(temperature=0).draw(values) == 700
    assert sampler().draw(values) == 700


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_end_is_drawn_where_it_is_likeliest(temperature: float) -> None:
    assert sampler(temperature=temperature).draw(logits(t290=99)) == VOCABULARY.end


@pytest.mark.parametrize("top_k", [1, 2, 50, 300, 1000])
def test_only_the_top_k_are_drawn(top_k: int) -> None:
    values = logits(3)
    likeliest = set((np.argsort(values[300:])[-top_k:] + 300).tolist())
    draw = sampler(top_k=top_k, temperature=5).draw

    drawn = {draw(values) for _ in range(400)}

    assert drawn <= likeliest
    assert len(drawn) >= min(top_k, 50) * 0.8


def test_codes_are_drawn_as_often_as_the_model_expects_them() -> None:
    values = logits(t400=30.0, t500=30.0 + np.log(3), t600=30.0 - np.log(2))
    draw = sampler().draw

    counts = Counter(draw(values) for _ in range(4000))

    total = 1 + 3 + 0.5
    for token, weight in ((400, 1), (500, 3), (600, 0.5)):
        assert counts[token] / 4000 == pytest.approx(weight / total, abs=0.03)


def test_a_seed_makes_it_the_same_each_time() -> None:
    first, again, other = (
        [draw(logits(i)) for i in range(20)]
        for draw in (sampler(seed=7).draw, sampler(seed=7).draw, sampler(seed=8).draw)
    )

    assert first == again != other


def test_no_numbers_are_an_error() -> None:
    with pytest.raises(SynthesisFailedError, match="not made of numbers"):
        sampler().draw(np.full(N_TOKENS, np.nan, np.float32))


@pytest.mark.parametrize(
    "wrong", [{"temperature": -0.1}, {"temperature": 9}, {"top_k": 0}, {"top_k": 2000}]
)
def test_what_cannot_be_drawn_with_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ModelLoadError, match=next(iter(wrong))):
        sampler(**wrong)


def test_a_small_vocabulary_is_drawn_from_too() -> None:
    small = SpeechVocabulary(first_code=10, n_codes=256, end=3)
    values = np.zeros(266, np.float32)
    values[50] = 20

    assert CodeSampler(small, Sampling(seed=1)).draw(values) == 50
