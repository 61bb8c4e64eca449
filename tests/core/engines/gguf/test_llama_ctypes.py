"""All ways to llama.cpp keep the same promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoint import code_prompts
from checkpoint.code_prompts import AN, CHI, PLAIN, codes_after
from checkpoint.gguf_model import write_gguf
from checkpoint.ways import IK_LLAMA_CPP, LLAMA_CPP, XLLAMACPP
from engine_calls import never
from llama_library import NEEDS_C_INTERFACE, NEEDS_IK_LLAMA_CPP, NEEDS_LLAMA_CPP, open_llama_cpp

from vieneu_core.engines.speech_lm.model import (
    CodeModel,
    CodeModelSettings,
    CodePrompt,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.errors import (
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    TextTooLongError,
)
from vieneu_core.models.catalogue import PromptFormat

Open = Callable[[Path, CodeModelSettings], CodeModel]
SENTENCES = code_prompts.SENTENCES[:3]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path)
    return path


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(IK_LLAMA_CPP.open, marks=NEEDS_IK_LLAMA_CPP),
        pytest.param(LLAMA_CPP.open, marks=NEEDS_LLAMA_CPP),
        XLLAMACPP.open,
    ],
    ids=["ik_llama_cpp", "llama_cpp", "xllamacpp"],
)
def open_model(request: pytest.FixtureRequest) -> Open:
    made: Open = request.param
    return made


@pytest.fixture(scope="module")
def model(open_model: Open, path: Path) -> Iterator[CodeModel]:
    model = open_model(path, PLAIN)
    yield model
    model.close()


def say(model: CodeModel, phonemes: str, voice: ReferencePrompt = AN) -> list[int]:
    return list(model.codes(CodePrompt(phonemes=phonemes, reference=voice), never))


def counted_up(codes: list[int], reference: ReferencePrompt) -> bool:
    """Whether the codes are those that follow the reference in this network."""
    last = reference.codes[-1]
    return codes == list(itertools.islice(codes_after(last), len(codes)))


def test_the_codes_go_on_where_the_voice_ends(model: CodeModel) -> None:
    for voice in (AN, CHI):
        codes = say(model, SENTENCES[0], voice)
        assert len(codes) > 20
        assert counted_up(codes, voice)


def test_a_longer_sentence_has_more_codes(model: CodeModel) -> None:
    assert len(say(model, SENTENCES[0] * 2)) > 1.4 * len(say(model, SENTENCES[0]))


def test_what_was_said_before_changes_nothing(
    model: CodeModel, open_model: Open, path: Path
) -> None:
    fresh = []
    for sentence in SENTENCES:
        alone = open_model(path, PLAIN)
        fresh.append(say(alone, sentence))
        alone.close()

    assert [say(model, s) for s in SENTENCES] == fresh
    assert [say(model, s) for s in reversed(SENTENCES)] == fresh[::-1]


def test_working_ahead_changes_nothing(model: CodeModel) -> None:
    plain = [say(model, s, CHI) for s in SENTENCES]

    ahead = []
    for sentence, following in zip(SENTENCES, (*SENTENCES[1:], SENTENCES[0]), strict=True):
        model.prefetch([CodePrompt(phonemes=following, reference=CHI)])
        ahead.append(say(model, sentence, CHI))
        model.prefetch_next(never)

    assert ahead == plain


def test_what_was_foreseen_and_never_comes_changes_nothing(model: CodeModel) -> None:
    plain = say(model, SENTENCES[0])
    model.prefetch([CodePrompt(phonemes=SENTENCES[1], reference=CHI)])
    model.prefetch_next(never)

    assert say(model, SENTENCES[0]) == plain


@pytest.mark.parametrize("after", [0, 1, 7])
def test_it_stops_within_one_code_and_speaks_again(model: CodeModel, after: int) -> None:
    taken: list[int] = []
    prompt = CodePrompt(phonemes=SENTENCES[0], reference=AN)
    for code in model.codes(prompt, lambda: len(taken) >= after):
        taken.append(code)  # noqa: PERF402 - the length is looked at meanwhile

    assert len(taken) == after
    assert counted_up(say(model, SENTENCES[0]), AN)


def test_a_listener_that_leaves_frees_it(model: CodeModel) -> None:
    codes = model.codes(CodePrompt(phonemes=SENTENCES[0], reference=AN), never)
    assert next(iter(codes)) == 40
    codes.close()  # type: ignore[attr-defined]

    assert counted_up(say(model, SENTENCES[1]), AN)


def test_sampling_gives_the_same_sound(open_model: Open, path: Path) -> None:
    """The network is so sure of itself that chance changes nothing: so only speech is drawn."""
    lively = replace(PLAIN, sampling=Sampling(temperature=1.0, top_k=50))
    model = open_model(path, lively)

    assert counted_up(say(model, SENTENCES[0]), AN)
    model.close()


@pytest.mark.parametrize("control_markers", [False, True])
@pytest.mark.parametrize("format", list(PromptFormat))
def test_each_format_and_kind_of_marker_is_spoken(
    open_model: Open,
    tmp_path: Path,
    format: PromptFormat,  # noqa: A002 - the word of this field
    *,
    control_markers: bool,
) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, n_codes=512, control_markers=control_markers)
    model = open_model(path, replace(PLAIN, format=format))

    codes = say(model, SENTENCES[0])

    assert counted_up(codes, AN)
    assert len(codes) < 200, "it ended by itself"
    model.close()


def test_a_sentence_that_never_ends_is_an_error(open_model: Open, tmp_path: Path) -> None:
    path = tmp_path / "endless.gguf"
    write_gguf(path, n_codes=512, codes_per_token=10_000)
    model = open_model(path, PLAIN)

    with pytest.raises(SynthesisFailedError, match="did not end"):
        say(model, SENTENCES[1])
    model.close()


def test_a_prompt_that_does_not_fit_is_an_error_that_says_so(open_model: Open, path: Path) -> None:
    model = open_model(path, replace(PLAIN, n_context=256))

    with pytest.raises(TextTooLongError, match=r"tokens.*256"):
        say(model, SENTENCES[0] * 10)
    assert counted_up(say(model, SENTENCES[1]), AN)
    model.close()


def test_a_file_that_is_not_there_is_an_error_that_names_it(
    open_model: Open, tmp_path: Path
) -> None:
    with pytest.raises(ModelLoadError, match=r"absent\.gguf"):
        open_model(tmp_path / "absent.gguf", PLAIN)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_an_error_that_names_it(
    open_model: Open, path: Path, tmp_path: Path, part: float
) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(path.read_bytes()[: round(path.stat().st_size * part)])

    with pytest.raises(ModelLoadError, match=r"cut\.gguf"):
        open_model(cut, PLAIN)


@NEEDS_C_INTERFACE
def test_a_model_that_does_not_speak_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, architecture="no-such-thing")

    with pytest.raises(ModelLoadError, match="unknown model architecture"):
        open_llama_cpp(path, PLAIN)


@pytest.mark.parametrize(
    ("module", "open_model", "extra"),
    [
        pytest.param("ik_llama_cpp", IK_LLAMA_CPP.open, "gguf", marks=NEEDS_IK_LLAMA_CPP),
        ("llama_cpp", LLAMA_CPP.open, "gguf-compiled"),
        ("xllamacpp", XLLAMACPP.open, "gguf-prebuilt"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_its_pip_line(
    monkeypatch: pytest.MonkeyPatch, path: Path, module: str, open_model: Open, extra: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)

    with pytest.raises(MissingExtraError, match=rf"vieneu-core\[{extra}\]"):
        open_model(path, PLAIN)
