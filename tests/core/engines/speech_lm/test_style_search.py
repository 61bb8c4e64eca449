"""The work that the search for the style of a model's prompts takes: as little as decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoint.code_prompts import AN, PLAIN
from checkpoint.gguf_model import write_gguf
from checkpoint.network import Training
from checkpoint.ways import XLLAMACPP
from llama_library import NEEDS_C_INTERFACE, open_llama_cpp

from vieneu_core.engines.gguf import GgufOptions
from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel
from vieneu_core.engines.gguf.xllama_scoring import XllamaScoring
from vieneu_core.engines.speech_lm.model import PromptStyle, ReferencePrompt
from vieneu_core.engines.speech_lm.prompt_style import NATURAL, find_style
from vieneu_core.models.catalogue import PromptFormat

STYLES = GgufOptions().styles(None)
LONG_CLIP = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=tuple(range(99)))
ANY_STYLE = replace(
    PLAIN, format=STYLES[0].format, emotion=NATURAL, alternatives=STYLES[1:], sample=AN
)


def test_a_clear_difference_is_found_with_few_codes() -> None:
    asked: list[tuple[PromptStyle, int]] = []

    def score(style: PromptStyle, sample: ReferencePrompt) -> float:
        asked.append((style, len(sample.codes)))
        return -3.0 - STYLES.index(style)

    assert find_style(replace(ANY_STYLE, sample=LONG_CLIP), lambda _: True, score) == STYLES[0]
    assert asked == [(style, 12) for style in STYLES]


def test_only_styles_between_which_few_codes_do_not_decide_get_more() -> None:
    asked: list[tuple[PromptStyle, int]] = []

    def score(style: PromptStyle, sample: ReferencePrompt) -> float:
        asked.append((style, len(sample.codes)))
        at = STYLES.index(style)
        return -3.0 - at * (0.3 if len(sample.codes) == 12 else -0.3)

    assert find_style(replace(ANY_STYLE, sample=LONG_CLIP), lambda _: True, score) == STYLES[1]
    assert asked == [*((style, 12) for style in STYLES), (STYLES[0], 50), (STYLES[1], 50)]


@NEEDS_C_INTERFACE
def test_the_codes_of_a_style_are_evaluated_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each evaluation takes as long as a code of speech, whatever its number of tokens."""
    evaluated: list[int] = []
    decode = LlamaCppModel._decode

    def counted(model: LlamaCppModel, tokens: list[int], *, each: bool = False) -> None:
        evaluated.append(len(tokens))
        decode(model, tokens, each=each)

    monkeypatch.setattr(LlamaCppModel, "_decode", counted)
    write_gguf(tmp_path / "own", n_codes=512, trained=Training(chat=True, emotion=False))

    model = open_llama_cpp(tmp_path / "own", ANY_STYLE)

    assert model.style == PromptStyle(format=PromptFormat.CHAT)
    assert len(evaluated) <= 3 * len(STYLES)
    model.close()


@NEEDS_C_INTERFACE
@pytest.mark.parametrize("n_codes", [0, 1, 2, 16, 17, 18, 40])
def test_codes_are_as_likely_together_as_one_by_one(tmp_path: Path, n_codes: int) -> None:
    write_gguf(tmp_path / "own", n_codes=512)
    model = open_llama_cpp(tmp_path / "own", PLAIN)
    before = model._tokens_of("<|TEXT_PROMPT_START|>hˈom<|SPEECH_GENERATION_START|>")
    codes = [model._vocabulary.token(code * 7 % 512) for code in range(n_codes)]

    single = [model._likelihood([*before, *codes[:at]], [code]) for at, code in enumerate(codes)]

    expected = sum(single) / max(1, n_codes)
    assert model._likelihood(before, codes) == pytest.approx(expected, rel=1e-3)
    model.close()


def test_the_prebuilt_library_is_asked_for_few_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = XllamaScoring._ask

    def counted(scoring: XllamaScoring, prompt: str, **more: object) -> Mapping[str, Any]:
        asked.append(prompt)
        return ask(scoring, prompt, **more)

    monkeypatch.setattr(XllamaScoring, "_ask", counted)
    write_gguf(tmp_path / "own", n_codes=512, trained=Training(chat=True, emotion=False))

    XLLAMACPP.open(tmp_path / "own", ANY_STYLE).close()

    n_scored = sum("<|SPEECH_GENERATION_START|>" in prompt for prompt in asked)
    assert n_scored == 12 * len(STYLES)
