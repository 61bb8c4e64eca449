"""The model on PyTorch keeps the promises of a code model, alone and in a batch."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoint import network
from checkpoint.transformers_model import write_transformers
from llama_library import NEEDS_LLAMA_CPP

from vieneu_core.engines.pytorch.batch import TOKENS_AT_ONCE
from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.pytorch.model import FIRST_SOUND, TorchModel
from vieneu_core.engines.speech_lm.model import (
    CodeModelSettings,
    CodePrompt,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.engines.speech_lm.prompt import shared_length
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    TextTooLongError,
)
from vieneu_core.models.catalogue import PromptFormat

PLAIN = CodeModelSettings(
    format=PromptFormat.PLAIN, emotion="<|emotion_0|>", sampling=Sampling(temperature=0), threads=1
)
AN = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=tuple(range(40)))
CHI = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=tuple(range(300, 340)))
SENTENCES = (
    "hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
    "tˈam bˈiɛ6t.",
    "mˈo6t hˈaːj bˈaː bˈoɜn nˈam sˈaɜw.",
    "ŋwˈiɛ5n hwˈe6 ŋˈiɛŋ ŋˈiɛŋ xwˈiə xwˈaɜt, tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
)
CPU = TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT32)


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transformers")
    write_transformers(folder, n_codes=1024, codes_per_token=3)
    return folder


@pytest.fixture(scope="module")
def model(path: Path) -> TorchModel:
    return TorchModel(path, PLAIN, CPU)


@pytest.fixture(scope="module")
def batching(path: Path) -> TorchModel:
    return TorchModel(path, PLAIN, CPU, batch=4)


def prompts(voice: ReferencePrompt = AN) -> list[CodePrompt]:
    return [CodePrompt(phonemes=phonemes, reference=voice) for phonemes in SENTENCES]


def say(model: TorchModel, prompt: CodePrompt) -> list[int]:
    return list(model.codes(prompt, never))


def watched(model: TorchModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return where (sentences, tokens) of each evaluation from now on will be noted."""
    shapes: list[tuple[int, int]] = []
    network = model._batch._model

    def noting(**given: Any) -> Any:
        shapes.append(tuple(given["input_ids"].shape))
        return network(**given)

    monkeypatch.setattr(model._batch, "_model", noting)
    return shapes


def codes_after(code: int) -> Iterator[int]:
    while True:
        code = network.code_after(code)
        yield code


@pytest.mark.parametrize("voice", [AN, CHI], ids=["An", "Chi"])
def test_the_codes_go_on_where_the_voice_ends(model: TorchModel, voice: ReferencePrompt) -> None:
    codes = say(model, prompts(voice)[0])

    assert len(codes) > 20
    assert codes == list(itertools.islice(codes_after(voice.codes[-1]), len(codes)))


@NEEDS_LLAMA_CPP
@pytest.mark.parametrize("format", list(PromptFormat))
def test_it_says_what_llama_cpp_says(path: Path, tmp_path: Path, format: PromptFormat) -> None:  # noqa: A002 - the word of this field
    from checkpoint.gguf_model import write_gguf

    from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel

    settings = replace(PLAIN, format=format)
    write_gguf(tmp_path / "same.gguf", n_codes=1024, codes_per_token=3)
    other = LlamaCppModel(tmp_path / "same.gguf", settings)
    model = TorchModel(path, settings, CPU)

    for prompt in prompts():
        ours, theirs = say(model, prompt), list(other.codes(prompt, never))
        assert len(ours) == pytest.approx(len(theirs), rel=0.05), "rounding ends it a little apart"
        n_both = min(len(ours), len(theirs))
        assert ours[:n_both] == theirs[:n_both]
    other.close()


def test_sentences_of_a_batch_are_what_they_are_alone(
    model: TorchModel, batching: TorchModel
) -> None:
    alone = [say(model, prompt) for prompt in prompts()]

    batching.prefetch(prompts()[1:])
    together = []
    for prompt in prompts():
        together.append(say(batching, prompt))
        batching.prefetch_next(never)

    assert together == alone


def test_the_batch_is_made_once(batching: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made beside the first sentence is handed out without another step."""
    batching.prefetch(prompts(CHI)[1:])
    say(batching, prompts(CHI)[0])
    batching.prefetch_next(never)
    shapes = watched(batching, monkeypatch)

    assert all(len(say(batching, prompt)) > 5 for prompt in prompts(CHI)[1:])
    assert not shapes


def test_a_sentence_begins_alone_and_others_join_once_it_is_heard(
    model: TorchModel, batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [say(model, prompt) for prompt in prompts()]
    monkeypatch.setattr(TorchDevice, "is_accelerator", True)
    shapes = watched(batching, monkeypatch)
    say(batching, prompts(CHI)[1])  # what it leaves behind must not be heard
    del shapes[:]

    batching.prefetch(prompts()[1:])
    together = [say(batching, prompt) for prompt in prompts()]

    assert together == alone
    n_alone = next(i for i, (n_rows, _) in enumerate(shapes) if n_rows > 1)
    assert n_alone == FIRST_SOUND
    assert len(shapes) < sum(map(len, alone)) / 2


def test_a_sentence_that_has_ended_leaves_the_batch(
    batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(batching, prompts()[0])
    shapes = watched(batching, monkeypatch)
    batching.prefetch(prompts(CHI))
    batching.prefetch_next(never)

    n_rows = [n_rows for n_rows, _ in shapes]
    assert set(n_rows) == {1, 2, 3, 4}
    assert n_rows == sorted(n_rows, reverse=True)


def test_work_ahead_is_abandoned_within_one_code(
    batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(batching, prompts()[0])
    shapes = watched(batching, monkeypatch)
    batching.prefetch(prompts(CHI))
    batching.prefetch_next(lambda: len(shapes) == 3)

    assert len(shapes) == 3


@pytest.mark.parametrize(("which", "why"), [(0, "the same"), (1, "another of the same voice")])
def test_what_two_prompts_share_is_evaluated_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, which: int, why: str
) -> None:
    model = TorchModel(path, PLAIN, CPU)
    first, second = prompts()[0], prompts()[which]
    tokens = [model._prompts.tokens(prompt) for prompt in (first, second)]
    n_shared = min(shared_length(*tokens), len(tokens[1]) - 1)
    assert n_shared > 15, why
    say(model, first)
    shapes = watched(model, monkeypatch)
    n_codes = len(say(model, second))

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


def test_after_a_failure_in_a_batch_all_is_made_anew_and_less_at_once(
    path: Path, model: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    alone = [say(model, prompt) for prompt in prompts()]
    batching = TorchModel(path, PLAIN, CPU, batch=4)
    shapes = watched(batching, monkeypatch)
    whole = batching._batch._model

    def short(**given: Any) -> Any:
        out = whole(**given)  # some of the cache has grown when memory ends
        if len(given["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return out

    monkeypatch.setattr(batching._batch, "_model", short)
    batching.prefetch(prompts())
    with pytest.raises(DeviceMemoryError):
        batching.prefetch_next(never)

    together = []
    for index, prompt in enumerate(prompts()):
        batching.prefetch(prompts()[index + 1 :])
        together.append(say(batching, prompt))
        batching.prefetch_next(never)
    assert together == alone
    assert max(n_rows for n_rows, _ in shapes[1:]) == 2


def test_a_batch_of_which_something_else_is_asked_is_left(batching: TorchModel) -> None:
    batching.prefetch(prompts()[1:])
    first = batching.codes(prompts()[0], never)
    next(first)
    first.close()  # type: ignore[attr-defined]

    other = prompts(CHI)[2]
    assert say(batching, other) == list(
        itertools.islice(codes_after(339), len(say(batching, other)))
    )


@pytest.mark.parametrize("after", [0, 1, 7])
def test_it_stops_within_one_code_and_begins_anew(model: TorchModel, after: int) -> None:
    whole = say(model, prompts()[0])
    taken: list[int] = []
    for code in model.codes(prompts()[0], lambda: len(taken) >= after):
        taken.append(code)  # noqa: PERF402 - the length is looked at meanwhile

    assert taken == whole[:after]
    assert say(model, prompts()[0]) == whole


def test_sampling_gives_the_same_sound_and_only_speech(path: Path) -> None:
    model = TorchModel(path, replace(PLAIN, sampling=Sampling(seed=3)), CPU)

    codes = say(model, prompts()[0])
    assert codes == list(itertools.islice(codes_after(39), len(codes)))


@pytest.mark.parametrize("dtype", list(Dtype))
def test_it_speaks_with_every_dtype(path: Path, dtype: Dtype) -> None:
    model = TorchModel(path, PLAIN, TorchDevice.choose(DeviceChoice.CPU, dtype))

    codes = say(model, prompts()[0])
    assert len(codes) > 20
    assert codes == list(itertools.islice(codes_after(39), len(codes)))


def test_a_sentence_that_never_ends_is_an_error(tmp_path: Path) -> None:
    write_transformers(tmp_path, n_codes=512, codes_per_token=10_000)
    model = TorchModel(tmp_path, PLAIN, CPU)

    with pytest.raises(SynthesisFailedError, match="did not end"):
        say(model, CodePrompt(phonemes="a.", reference=AN))


def test_a_prompt_that_does_not_fit_is_an_error(path: Path) -> None:
    model = TorchModel(path, replace(PLAIN, n_context=256), CPU, batch=3)
    long = CodePrompt(phonemes=SENTENCES[0] * 10, reference=AN)

    with pytest.raises(TextTooLongError, match="256"):
        say(model, long)
    model.prefetch([long])  # beside another it is left out until its turn
    assert say(model, prompts()[1])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("config.json", r"config\.json"),
        ("tokenizer.json", r"tokenizer\.json"),
        ("model.safetensors", "safetensors"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_folder_is_an_error(
    path: Path, tmp_path: Path, name: str, told: str, damage: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage == "truncated":
        (folder / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(ModelLoadError, match=told if damage == "missing" else "usable model"):
        TorchModel(folder, PLAIN, CPU)


def rewritten(path: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a model with other tensors."""
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_weights_that_are_missing_are_not_made_up(path: Path, tmp_path: Path) -> None:
    folder = rewritten(path, tmp_path, lambda tensors: tensors.pop("model.norm.weight"))

    with pytest.raises(ModelLoadError, match=r"lack 1 tensors, as model\.norm\.weight"):
        TorchModel(folder, PLAIN, CPU)


def test_weights_of_another_size_are_refused(path: Path, tmp_path: Path) -> None:
    def cut(tensors: dict[str, Any]) -> None:
        tensors["model.norm.weight"] = tensors["model.norm.weight"][:7]

    with pytest.raises(ModelLoadError, match="usable model"):
        TorchModel(rewritten(path, tmp_path, cut), PLAIN, CPU)


def test_a_vocabulary_that_is_larger_than_the_model_is_refused(path: Path, tmp_path: Path) -> None:
    write_transformers(tmp_path / "other", n_codes=2048)
    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    shutil.copy(tmp_path / "other" / "tokenizer.json", folder)

    with pytest.raises(ModelLoadError, match=r"tokenizer\.json knows the token"):
        TorchModel(folder, PLAIN, CPU)


def test_a_model_without_speech_codes_is_refused(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    tokenizer = (folder / "tokenizer.json").read_text("utf-8").replace("<|speech_", "<|noise_")
    (folder / "tokenizer.json").write_text(tokenizer, "utf-8")

    with pytest.raises(ModelLoadError, match=r"no token <\|speech_0\|>"):
        TorchModel(folder, PLAIN, CPU)


def test_a_model_that_cannot_be_compiled_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def compile_lazily(forward: object, **_: object) -> Callable[..., object]:
        def fail(**_: object) -> object:
            raise torch._dynamo.exc.BackendCompilerFailed(forward, OSError("no g++"), None)

        return fail

    monkeypatch.setattr(torch, "compile", compile_lazily)
    with pytest.raises(ModelLoadError, match="option compile"):
        TorchModel(path, PLAIN, CPU, compiled=True)


def test_another_architecture_is_refused(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    config = (folder / "config.json").read_text().replace("Qwen2ForCausalLM", "BertForMaskedLM")
    (folder / "config.json").write_text(config)

    with pytest.raises(ModelLoadError, match="BertForMaskedLM"):
        TorchModel(folder, PLAIN, CPU)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")

    with pytest.raises(ModelLoadError, match="not a folder"):
        TorchModel(tmp_path / "x.gguf", PLAIN, CPU)


def test_memory_that_is_full_is_named(model: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model._batch, "_model", full)
    with pytest.raises(DeviceMemoryError, match="cpu"):
        say(model, prompts()[0])


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "MPS backend out of memory (MPS allocated: 9 GB)",
    ],
)
def test_every_way_to_say_that_memory_is_full_is_known(words: str) -> None:
    with pytest.raises(DeviceMemoryError), CPU.guarded():
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="assert"), CPU.guarded():
        raise RuntimeError("CUDA error: device-side assert triggered")


def test_memory_that_is_really_full_is_named() -> None:
    with pytest.raises(DeviceMemoryError), CPU.guarded():
        CPU.torch.empty(1 << 50)


@pytest.mark.parametrize("wanted", [DeviceChoice.CUDA, DeviceChoice.MPS])
def test_a_device_that_is_not_there_is_an_error(wanted: DeviceChoice) -> None:
    if getattr(CPU.torch, wanted.value).is_available():
        pytest.skip("it is there")
    with pytest.raises(ModelLoadError, match=f"finds no {wanted}"):
        TorchDevice.choose(wanted)


def test_what_is_not_installed_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[torch\]"):
        TorchModel(path, PLAIN, CPU)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[torch\]"):
        TorchDevice.choose(DeviceChoice.AUTO)
