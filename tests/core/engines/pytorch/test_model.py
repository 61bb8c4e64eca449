"""The model on PyTorch keeps the promises of a code model."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoint.code_prompts import AN, CHI, PLAIN, SENTENCES, codes_after
from checkpoint.torch_code_model import CPU, prompts, say_codes, watched
from checkpoint.transformers_model import write_transformers
from engine_calls import never
from llama_library import NEEDS_C_INTERFACE, open_llama_cpp

from vieneu_core.engines.pytorch.batch import TOKENS_AT_ONCE
from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.pytorch.model import TorchModel
from vieneu_core.engines.speech_lm.model import CodePrompt, ReferencePrompt, Sampling
from vieneu_core.engines.speech_lm.prompt import shared_length
from vieneu_core.errors import DeviceMemoryError, SynthesisFailedError, TextTooLongError
from vieneu_core.models.catalogue import PromptFormat


@pytest.mark.parametrize("voice", [AN, CHI], ids=["An", "Chi"])
def test_the_codes_go_on_where_the_voice_ends(model: TorchModel, voice: ReferencePrompt) -> None:
    codes = say_codes(model, prompts(voice)[0])

    assert len(codes) > 20
    assert codes == list(itertools.islice(codes_after(voice.codes[-1]), len(codes)))


@NEEDS_C_INTERFACE
@pytest.mark.parametrize("format", list(PromptFormat))
def test_it_says_what_llama_cpp_says(path: Path, tmp_path: Path, format: PromptFormat) -> None:  # noqa: A002 - the word of this field
    from checkpoint.gguf_model import write_gguf

    settings = replace(PLAIN, format=format)
    write_gguf(tmp_path / "same.gguf", n_codes=1024, codes_per_token=3)
    other = open_llama_cpp(tmp_path / "same.gguf", settings)
    model = TorchModel(path, settings, CPU)

    for prompt in prompts():
        ours, theirs = say_codes(model, prompt), list(other.codes(prompt, never))
        assert len(ours) == pytest.approx(len(theirs), rel=0.05), "rounding ends it a little apart"
        n_both = min(len(ours), len(theirs))
        assert ours[:n_both] == theirs[:n_both]
    other.close()


@pytest.mark.parametrize(("which", "why"), [(0, "the same"), (1, "another of the same voice")])
def test_what_two_prompts_share_is_evaluated_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, which: int, why: str
) -> None:
    model = TorchModel(path, PLAIN, CPU)
    first, second = prompts()[0], prompts()[which]
    tokens = [model._prompts.tokens(prompt) for prompt in (first, second)]
    n_shared = min(shared_length(*tokens), len(tokens[1]) - 1)
    assert n_shared > 15, why
    say_codes(model, first)
    shapes = watched(model, monkeypatch)
    n_codes = len(say_codes(model, second))

    # The last evaluation gives the end, which is not evaluated itself.
    assert sum(n_tokens for _, n_tokens in shapes) == len(tokens[1]) - n_shared + n_codes


def test_a_cancellation_is_seen_between_the_pieces_of_a_prompt(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TorchModel(path, PLAIN, CPU)
    long = ReferencePrompt(phonemes="a", codes=tuple(range(200)) * 2)
    shapes = watched(model, monkeypatch)

    assert not list(model.codes(CodePrompt(phonemes="a", reference=long), lambda: len(shapes) == 2))
    assert shapes == [(1, TOKENS_AT_ONCE[DeviceChoice.CPU])] * 2


@pytest.mark.parametrize("after", [0, 1, 7])
def test_it_stops_within_one_code_and_begins_anew(model: TorchModel, after: int) -> None:
    whole = say_codes(model, prompts()[0])
    taken: list[int] = []
    for code in model.codes(prompts()[0], lambda: len(taken) >= after):
        taken.append(code)  # noqa: PERF402 - the length is looked at meanwhile

    assert taken == whole[:after]
    assert say_codes(model, prompts()[0]) == whole


def test_sampling_gives_the_same_sound_and_only_speech(path: Path) -> None:
    model = TorchModel(path, replace(PLAIN, sampling=Sampling(seed=3)), CPU)

    codes = say_codes(model, prompts()[0])
    assert codes == list(itertools.islice(codes_after(39), len(codes)))


@pytest.mark.parametrize("dtype", list(Dtype))
def test_it_speaks_with_every_dtype(path: Path, dtype: Dtype) -> None:
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, dtype))

    codes = say_codes(model, prompts()[0])
    assert len(codes) > 20
    assert codes == list(itertools.islice(codes_after(39), len(codes)))


def test_a_sentence_that_never_ends_is_an_error(tmp_path: Path) -> None:
    write_transformers(tmp_path, n_codes=512, codes_per_token=10_000)
    model = TorchModel(tmp_path, PLAIN, CPU)

    with pytest.raises(SynthesisFailedError, match="did not end"):
        say_codes(model, CodePrompt(phonemes="a.", reference=AN))


def test_a_prompt_that_does_not_fit_is_an_error(path: Path) -> None:
    model = TorchModel(path, replace(PLAIN, n_context=256), CPU, batch=3)
    long = CodePrompt(phonemes=SENTENCES[0] * 10, reference=AN)

    with pytest.raises(TextTooLongError, match="256"):
        say_codes(model, long)
    model.prefetch([long])  # beside another it is left out until its turn
    assert say_codes(model, prompts()[1])


LARGE = 60_000.0


def overflow_from(model: TorchModel, n_calls: int) -> None:
    """Let a layer compute with numbers that float16 does not have, from a call on."""
    calls = itertools.count()

    def hook(_: Any, __: Any, out: Any) -> Any:
        return out if next(calls) < n_calls else out * LARGE * LARGE / LARGE / LARGE

    model._model.model.layers[0].mlp.register_forward_hook(hook)


@pytest.mark.parametrize("n_calls", [0, 1, 9])
def test_a_sentence_that_float16_cannot_hold_is_whole_in_float32(
    path: Path, caplog: pytest.LogCaptureFixture, n_calls: int
) -> None:
    expected = say_codes(TorchModel(path, PLAIN, CPU), prompts()[0])
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT16))
    overflow_from(model, n_calls)

    assert say_codes(model, prompts()[0]) == expected
    assert say_codes(model, prompts()[0]) == expected
    assert [record.message for record in caplog.records] == [
        f"The model {path.name} is too much for float16; it goes on in float32."
    ]


def test_a_model_that_float16_cannot_hold_is_scored_in_float32(path: Path) -> None:
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT16))
    overflow_from(model, 0)

    assert math.isfinite(model._likelihood([1, 2, 3], [4, 5]))


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16])
def test_what_is_no_number_in_float32_either_is_an_error(path: Path, dtype: Dtype) -> None:
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, dtype))
    model._model.model.layers[0].mlp.register_forward_hook(lambda *given: given[-1] * math.nan)

    with pytest.raises(SynthesisFailedError, match="not made of numbers"):
        say_codes(model, prompts()[0])


def test_a_model_without_room_for_float32_stays_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT16))
    overflow_from(model, 5)

    def partly() -> None:
        model._model.model.embed_tokens.float()
        raise MemoryError

    monkeypatch.setattr(model._model, "float", partly)
    for _ in range(2):
        with pytest.raises(DeviceMemoryError):
            say_codes(model, prompts()[0])
        assert {each.dtype for each in model._model.parameters()} == {CPU.torch.float16}
