"""How a model is prompted: by the catalogue, and for other models as their weights tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoint.code_prompts import AN
from checkpoint.codec_graph import write_codec
from checkpoint.folder import ModelFolder
from checkpoint.gguf_model import write_gguf
from checkpoint.network import EMOTIONS, Training
from checkpoint.presets import VOICES, write_presets
from checkpoint.ways import IK_LLAMA_CPP, LLAMA_CPP, XLLAMACPP, Way
from engine_calls import never, quiet
from llama_library import LIBRARIES, NEEDS_IK_LLAMA_CPP, NEEDS_LLAMA_CPP

from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.gguf import GgufOptions, create
from vieneu_core.engines.speech_lm.model import (
    CodeModel,
    CodeModelSettings,
    CodePrompt,
    PromptStyle,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.engines.speech_lm.prompt import framed_text
from vieneu_core.engines.speech_lm.prompt_style import NATURAL, find_style
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import MODELS, PromptFormat, known_model
from vieneu_core.text.emotions import EMOTIONS as TEXT_EMOTIONS

STYLES = GgufOptions().styles(None)
VOICE = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=(1, 2))
SENTENCE = CodePrompt(phonemes="hˈom nˈaj.", reference=VOICE)


def settings_of(*styles: PromptStyle, sample: ReferencePrompt | None = AN) -> CodeModelSettings:
    return CodeModelSettings(
        format=styles[0].format,
        emotion=styles[0].emotion,
        alternatives=styles[1:],
        sample=sample,
        sampling=Sampling(temperature=0),
        threads=1,
    )


# Source: vieneu 3.8.3, standard.py: VieNeuTTS._apply_chat_template (transformers; the chat branch
# ignores emotion_tag) and _infer_ggml with emotion_tag=default_emotion; vieneu 2.5.0, standard.py:
# _infer_ggml and _apply_chat_template, which have no emotion_tag.
UPSTREAM = {
    "vieneu-0.5b": "user: Convert the text to speech:<|TEXT_PROMPT_START|>sˈin tʃˈaːw."
    " hˈom nˈaj.<|TEXT_PROMPT_END|>\nassistant:<|SPEECH_GENERATION_START|>",
    "vieneu-0.5b-q4": "user: Convert the text to speech:<|TEXT_PROMPT_START|>sˈin"
    " tʃˈaːw. hˈom nˈaj.<|TEXT_PROMPT_END|>\nassistant:<|SPEECH_GENERATION_START|>",
    "vieneu-0.5b-q8": "user: Convert the text to speech:<|TEXT_PROMPT_START|>sˈin"
    " tʃˈaːw. hˈom nˈaj.<|TEXT_PROMPT_END|>\nassistant:<|SPEECH_GENERATION_START|>",
    "vieneu-0.3b": "<|TEXT_PROMPT_START|>sˈin tʃˈaːw. hˈom nˈaj."
    "<|TEXT_PROMPT_END|><|SPEECH_GENERATION_START|>",
    "vieneu-0.3b-q4": "<|TEXT_PROMPT_START|>sˈin tʃˈaːw. hˈom nˈaj."
    "<|TEXT_PROMPT_END|><|SPEECH_GENERATION_START|>",
    "vieneu-0.3b-q8": "<|TEXT_PROMPT_START|>sˈin tʃˈaːw. hˈom nˈaj."
    "<|TEXT_PROMPT_END|><|SPEECH_GENERATION_START|>",
    "vieneu-v2": "<|TEXT_PROMPT_START|><|emotion_0|>sˈin tʃˈaːw. hˈom nˈaj."
    "<|TEXT_PROMPT_END|><|SPEECH_GENERATION_START|>",
    "vieneu-v2-q4": "<|TEXT_PROMPT_START|><|emotion_0|>sˈin tʃˈaːw. hˈom nˈaj."
    "<|TEXT_PROMPT_END|><|SPEECH_GENERATION_START|>",
}


@pytest.mark.parametrize("name", [model.name for model in MODELS if model.prompt is not None])
def test_each_known_model_is_prompted_as_upstream_prompts_it(name: str) -> None:
    (style,) = GgufOptions(model=name).styles(known_model(name))

    assert framed_text(SENTENCE, style) == UPSTREAM[name]


def test_an_option_changes_the_prompt_of_a_known_model() -> None:
    known = known_model("vieneu-0.5b-q4")

    assert GgufOptions(emotion="natural").styles(known) == (
        PromptStyle(format=PromptFormat.CHAT, emotion=NATURAL),
    )
    assert GgufOptions(format="plain").styles(known) == (PromptStyle(format=PromptFormat.PLAIN),)


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("emotion", [True, False])
def test_the_style_of_an_unknown_model_is_found(
    way: Way, tmp_path: Path, *, chat: bool, emotion: bool
) -> None:
    open_model, write = way.open, way.write
    write(tmp_path / "own", n_codes=512, trained=Training(chat=chat, emotion=emotion))

    model = open_model(tmp_path / "own", settings_of(*STYLES))

    assert model.style == PromptStyle(
        format=PromptFormat.CHAT if chat else PromptFormat.PLAIN, emotion=NATURAL if emotion else ""
    )
    codes = list(model.codes(CodePrompt(phonemes="hˈom nˈaj.", reference=AN), never))
    assert codes[:3] == [40, 41, 42]
    model.close()


def test_only_the_styles_that_the_options_allow_are_tried(way: Way, tmp_path: Path) -> None:
    open_model, write = way.open, way.write
    write(tmp_path / "own", n_codes=512, trained=Training(chat=False, emotion=False))
    allowed = GgufOptions(emotion="natural").styles(None)

    model = open_model(tmp_path / "own", settings_of(*allowed))

    assert model.style in allowed
    model.close()


def test_an_emotion_that_is_no_token_is_dropped(way: Way, tmp_path: Path) -> None:
    open_model, write = way.open, way.write
    write(tmp_path / "own", n_codes=512, emotions=())
    plain = PromptStyle(format=PromptFormat.PLAIN, emotion=NATURAL)

    model = open_model(tmp_path / "own", settings_of(plain))

    assert model.style == PromptStyle(format=PromptFormat.PLAIN)
    assert model.emotions == frozenset()
    model.close()


@pytest.mark.parametrize("emotions", [EMOTIONS, EMOTIONS[:1], ()])
@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.parametrize(
    "open_model",
    [
        pytest.param(IK_LLAMA_CPP.open, marks=NEEDS_IK_LLAMA_CPP),
        pytest.param(LLAMA_CPP.open, marks=NEEDS_LLAMA_CPP),
        XLLAMACPP.open,
    ],
)
def test_a_token_before_each_text_is_no_part_of_an_emotion(
    tmp_path: Path,
    open_model: Callable[[Path, CodeModelSettings], CodeModel],
    *,
    begins: bool,
    emotions: tuple[str, ...],
) -> None:
    write_gguf(tmp_path / "own", n_codes=512, emotions=emotions, begins=begins)
    natural = PromptStyle(format=PromptFormat.PLAIN, emotion=NATURAL)

    model = open_model(tmp_path / "own", settings_of(natural))

    assert model.style.emotion == (NATURAL if emotions else "")
    assert model.emotions == set(emotions) & set(TEXT_EMOTIONS.values())
    model.close()


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_engine_says_what_was_found(tmp_path: Path, library: str) -> None:
    folder = ModelFolder(tmp_path)
    write_gguf(folder.model, trained=Training(chat=True, emotion=False), emotions=())
    write_codec(folder.codec, context=1)
    write_presets(tmp_path)
    said: list[LoadProgress] = []

    info = create(folder.options(library=library)).load(said.append)

    assert LoadProgress("tiny gets chat prompts, no emotion token") in said
    assert not info.emotions, "an engine without them gets no [cười]"


@pytest.mark.parametrize(
    ("library", "why"),
    [
        pytest.param("ik-llama-cpp-python", "code 356", marks=NEEDS_IK_LLAMA_CPP),
        pytest.param("llama-cpp-python", "code 356", marks=NEEDS_LLAMA_CPP),
        ("xllamacpp", "a model and a codec that belong together"),  # it has no list of tokens
    ],
)
def test_voices_of_another_codec_are_a_failure_of_the_load(
    tmp_path: Path, library: str, why: str
) -> None:
    folder = ModelFolder(tmp_path)
    write_gguf(folder.model, n_codes=256)
    write_codec(folder.codec, context=1)
    voices = {"default_voice": "Chi", "presets": {"Chi": VOICES["Chi"]}}
    (tmp_path / "voices.json").write_text(json.dumps(voices), "utf-8")

    with pytest.raises(ModelLoadError, match=why):
        create(folder.options(library=library)).load(quiet)


def test_an_emotion_within_the_text_that_is_no_token_is_left_out() -> None:
    prompt = CodePrompt(phonemes="ha <|emotion_1|>. ha", reference=VOICE)
    plain = PromptStyle(format=PromptFormat.PLAIN)

    assert "<|emotion_1|>" in framed_text(prompt, plain)
    assert "emotion" not in framed_text(prompt, plain, frozenset())


def test_styles_that_are_equally_likely_leave_upstreams_for_unknown_models() -> None:
    found = find_style(settings_of(*STYLES), lambda _: True, lambda *_: -3.0)

    assert found == PromptStyle(format=PromptFormat.PLAIN, emotion=NATURAL)


def test_without_voices_the_first_style_is_kept() -> None:
    def unasked(style: PromptStyle, sample: ReferencePrompt) -> float:
        raise AssertionError(style, sample)

    assert find_style(settings_of(*STYLES, sample=None), lambda _: True, unasked) == STYLES[0]


@pytest.mark.parametrize("broken", range(4))
def test_a_style_after_which_the_model_fails_is_not_chosen(broken: int) -> None:
    scores = {style: -3.0 - at for at, style in enumerate(STYLES)} | {STYLES[broken]: float("nan")}

    found = find_style(settings_of(*STYLES), lambda _: True, lambda style, _: scores[style])

    assert found == STYLES[0 if broken else 1]


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_a_model_that_fails_in_every_style_is_a_failure_of_the_load(score: float) -> None:
    with pytest.raises(ModelLoadError, match="not made of numbers"):
        find_style(settings_of(*STYLES), lambda _: True, lambda *_: score)


@pytest.mark.parametrize("damaged", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_a_failure_of_the_load(
    way: Way, tmp_path: Path, damaged: float
) -> None:
    way.write(tmp_path / "own", n_codes=512, norm=damaged)

    with pytest.raises(ModelLoadError):
        way.open(tmp_path / "own", settings_of(*STYLES))
