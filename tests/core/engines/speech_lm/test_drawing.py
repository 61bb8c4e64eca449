"""The codes that may be drawn, and how often: as upstream's libraries draw them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint.code_prompts import AN, PLAIN, SENTENCES, codes_after
from checkpoint.gguf_model import write_gguf
from checkpoint.ways import PYTORCH, Way
from engine_calls import never
from llama_library import NEEDS_LLAMA_CPP
from numpy.typing import NDArray

from vieneu_core.engines.gguf import GgufOptions
from vieneu_core.engines.gguf.xllama import XllamaModel
from vieneu_core.engines.pytorch import PytorchOptions
from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.pytorch.drawer import Drawer, with_own
from vieneu_core.engines.speech_lm.model import CodeModel, CodePrompt, Sampling
from vieneu_core.engines.speech_lm.prompt import SpeechVocabulary
from vieneu_core.engines.speech_lm.sampling import CodeSampler
from vieneu_core.errors import ModelLoadError

N_CODES = 1024
VOCABULARY = SpeechVocabulary(first_code=1, n_codes=N_CODES, end=0)
CPU = TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT32)
SAMPLINGS = [
    Sampling(top_p=0.95, min_p=0.05),
    Sampling(top_p=0.5),
    Sampling(min_p=0.2),
    Sampling(top_k=5, top_p=0.7, min_p=0.1, temperature=0.6),
    Sampling(top_k=1000, top_p=0.99, min_p=0.0, temperature=2.0),
    Sampling(),
]


def logits(seed: int) -> NDArray[np.float32]:
    """The end first, then the codes: flat and steep distributions."""
    random = np.random.default_rng(seed)
    return (random.normal(0, 1 + seed % 3, N_CODES + 1)).astype(np.float32)


def drawn_by_llama_cpp(values: NDArray[np.float32], how: Sampling) -> dict[int, float]:
    """The chain of llama-cpp-python's `Llama._init_sampler`, up to the draw itself."""
    import llama_cpp as c

    chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_top_k(how.top_k))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_typical(1.0, 1))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_top_p(how.top_p or 1.0, 1))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_min_p(how.min_p or 0.0, 1))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_temp(how.temperature))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_dist(1))
    kinds = (c.llama_token_data * len(values))(
        *(c.llama_token_data(id=token, logit=value, p=0) for token, value in enumerate(values))
    )
    array = c.llama_token_data_array(data=kinds, size=len(values), selected=-1, sorted=False)
    c.llama_sampler_apply(chain, array)
    found = {int(array.data[at].id): float(array.data[at].p) for at in range(array.size)}
    c.llama_sampler_free(chain)
    return found


def drawn_by_transformers(values: NDArray[np.float32], how: Sampling) -> dict[int, float]:
    """The processors in the order of `GenerationMixin._get_logits_processor`."""
    from transformers import (
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    torch: Any = CPU.torch
    before: Any = None  # none of these looks at the tokens before
    scores = TemperatureLogitsWarper(how.temperature)(before, torch.tensor(values)[None])
    scores = TopKLogitsWarper(how.top_k)(before, scores)
    scores = TopPLogitsWarper(how.top_p)(before, scores) if how.top_p is not None else scores
    scores = MinPLogitsWarper(how.min_p)(before, scores) if how.min_p else scores
    odds = torch.softmax(scores, dim=1)[0]
    return {token: float(odds[token]) for token in torch.nonzero(odds)[:, 0].tolist()}


@NEEDS_LLAMA_CPP
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", SAMPLINGS)
def test_the_odds_are_those_of_llama_cpp(how: Sampling, seed: int) -> None:
    values = logits(seed)

    tokens, odds = CodeSampler(VOCABULARY, how).odds(values)

    expected = drawn_by_llama_cpp(values, how)
    assert dict(zip(tokens.tolist(), odds.tolist(), strict=True)) == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", SAMPLINGS)
def test_on_a_gpu_the_odds_are_those_of_transformers(how: Sampling, seed: int) -> None:
    values = logits(seed)

    tokens, odds = Drawer(CPU, VOCABULARY, how).odds(CPU.torch.tensor(values)[None], [True])

    ours = zip(tokens[0].tolist(), odds[0].tolist(), strict=True)
    assert {token: p for token, p in ours if p > 0} == pytest.approx(
        drawn_by_transformers(values, how), abs=1e-5
    )


# Sources: vieneu 3.8.3, standard.py: _infer_ggml gives temperature, top_k and nothing else, so that
# llama-cpp-python 0.3.36's Llama.__call__ draws with top_p=0.95, min_p=0.05, repeat_penalty=1.0;
# _infer_torch gives temperature, top_k and min_new_tokens=50.
def test_the_defaults_are_upstreams() -> None:
    gguf = GgufOptions().settings(None, lambda: None).sampling
    pytorch = PytorchOptions().settings(None, lambda: None).sampling

    assert gguf == Sampling(temperature=1.0, top_k=50, top_p=0.95, min_p=0.05, min_codes=0)
    assert pytorch == Sampling(temperature=1.0, top_k=50, top_p=None, min_p=None, min_codes=50)


@NEEDS_LLAMA_CPP
def test_llama_cpp_python_still_has_these_defaults() -> None:
    from inspect import signature

    from llama_cpp import Llama

    given = signature(Llama.__call__).parameters
    assert [given[name].default for name in ("top_p", "min_p", "typical_p", "repeat_penalty")] == [
        0.95,
        0.05,
        1.0,
        1.0,
    ]


def test_a_folder_of_transformers_may_state_its_own() -> None:
    class Model:
        class generation_config:  # noqa: N801 - the name of transformers
            top_p, min_p = 0.8, None

    assert with_own(Sampling(), Model(), Path()) == Sampling(top_p=0.8)
    assert with_own(Sampling(top_p=1.0), Model(), Path()) == Sampling(top_p=1.0)


def opened_with(folder: Path, options: Sampling, **stated: object) -> CodeModel:
    PYTORCH.write(folder, n_codes=512)
    (folder / "generation_config.json").write_text(json.dumps(stated), "utf-8")
    return PYTORCH.open(folder, replace(PLAIN, sampling=options))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("top_p", 0.0),
        ("top_p", "0.8"),
        ("top_p", [0.8]),
        ("top_p", True),
        ("top_p", float("nan")),
        ("min_p", 1.5),
        ("min_p", -0.1),
        ("min_p", {}),
    ],
)
def test_what_a_folder_of_transformers_states_is_checked_at_load(
    tmp_path: Path, name: str, wrong: object
) -> None:
    with pytest.raises(ModelLoadError, match=rf"own.generation_config\.json.*{name}"):
        opened_with(tmp_path / "own", Sampling(), **{name: wrong})

    set_here = Sampling(top_p=0.9, min_p=0.1)
    opened_with(tmp_path / "own", set_here, **{name: wrong}).close()


@pytest.mark.parametrize("stated", [{"top_p": 1}, {"min_p": 0}, {"top_p": 0.01, "min_p": 1.0}, {}])
def test_a_model_speaks_with_all_that_its_folder_may_state(
    tmp_path: Path, stated: dict[str, float]
) -> None:
    model = opened_with(tmp_path / "own", Sampling(), **stated)

    codes = model.codes(CodePrompt(phonemes=SENTENCES[0], reference=AN), never)

    assert list(islice(codes, 2)) == [40, 41]
    model.close()


def test_unlikely_ends_are_not_drawn() -> None:
    """A fifth of the draws of top_k alone are codes that upstream never draws."""
    values = np.full(N_CODES + 1, -30, np.float32)
    values[1:11], values[VOCABULARY.end] = 5.0, 1.9  # the end has 0.045 of the likeliest

    tokens, _ = CodeSampler(VOCABULARY, Sampling(top_p=0.95, min_p=0.05)).odds(values)
    alone, _ = CodeSampler(VOCABULARY, Sampling()).odds(values)

    assert VOCABULARY.end in alone
    assert VOCABULARY.end not in tokens


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_end_is_not_drawn_before_its_time(temperature: float) -> None:
    values = logits(0)
    values[VOCABULARY.end] = 99
    how = Sampling(temperature=temperature)
    drawer = Drawer(CPU, VOCABULARY, how)
    rows = CPU.torch.tensor(np.stack([values, values]))

    assert CodeSampler(VOCABULARY, how).draw(values, may_end=True) == VOCABULARY.end
    assert CodeSampler(VOCABULARY, how).draw(values, may_end=False) != VOCABULARY.end
    first, second = drawer(rows, [False, True])
    assert first != VOCABULARY.end == second


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("top_p", 0.0), ("top_p", 1.1), ("min_p", -0.1), ("min_p", 2.0), ("min_codes", 5000)],
)
def test_each_option_is_bounded(name: str, wrong: float) -> None:
    from vieneu_core.engines.gguf import create

    with pytest.raises(ModelLoadError, match=f"option {name}"):
        create({name: wrong})
    with pytest.raises(ModelLoadError, match=f"option {name}"):
        CodeSampler(VOCABULARY, Sampling(**{name: wrong}))  # type: ignore[arg-type]  # each in turn


def test_each_way_keeps_the_end_away(way: Way, tmp_path: Path) -> None:
    """This network ends at once, and counts on where it must not."""
    way.write(tmp_path / "own", n_codes=512, codes_per_token=0.05)
    prompt = CodePrompt(phonemes=SENTENCES[0], reference=AN)
    counts = []
    for min_codes in (0, 30):
        sampling = Sampling(temperature=0, min_codes=min_codes)
        model = way.open(tmp_path / "own", replace(PLAIN, sampling=sampling))
        codes = list(model.codes(prompt, never))
        assert codes == list(islice(codes_after(AN.codes[-1]), len(codes)))
        counts.append(len(codes))
        model.close()

    assert counts == [0, 30]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_way_can_end_a_sentence_within_its_context(
    way: Way, tmp_path: Path, sentence: str
) -> None:
    way.write(tmp_path / "own", n_codes=512, codes_per_token=0.05)
    settings = replace(PLAIN, sampling=Sampling(temperature=0, min_codes=1000), n_context=256)
    model = way.open(tmp_path / "own", settings)

    codes = list(model.codes(CodePrompt(phonemes=sentence, reference=AN), never))

    assert 0 < len(codes) < 100
    assert codes == list(islice(codes_after(AN.codes[-1]), len(codes)))
    model.close()


def test_the_prebuilt_library_is_told_how_to_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_gguf(tmp_path / "own", n_codes=512)
    sampling = GgufOptions().settings(None, lambda: None).sampling
    model = XllamaModel(tmp_path / "own", replace(PLAIN, sampling=sampling))
    asked: list[dict[str, object]] = []
    server = model._server

    class Listening:
        def handle_completions(self, body: str, take: Callable[[str], bool]) -> None:
            asked.append(json.loads(body))
            server.handle_completions(body, take)

    monkeypatch.setattr(model, "_server", Listening())
    codes = list(model.codes(CodePrompt(phonemes=SENTENCES[0], reference=AN), never))

    assert codes[:2] == [40, 41]
    assert asked[0]["samplers"] == ["top_k", "top_p", "min_p", "temperature"]
    assert {"top_k": 50, "top_p": 0.95, "min_p": 0.05, "temperature": 1.0}.items() <= asked[
        0
    ].items()
    model.close()
