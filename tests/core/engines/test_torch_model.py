"""The model on PyTorch keeps the promises of a code model, alone and in a batch."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoint import network
from checkpoint.transformers_model import write_transformers

from vieneu_core.engines.code_model import (
    CodeModelSettings,
    CodePrompt,
    Sampling,
    SpokenReference,
)
from vieneu_core.engines.torch_device import DeviceChoice, TorchDevice
from vieneu_core.engines.torch_model import TorchModel
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
AN = SpokenReference(phonemes="sˈin tʃˈaːw.", codes=tuple(range(40)))
CHI = SpokenReference(phonemes="sˈin tʃˈaːw.", codes=tuple(range(300, 340)))
SENTENCES = (
    "hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
    "tˈam bˈiɛ6t.",
    "mˈo6t hˈaːj bˈaː bˈoɜn nˈam sˈaɜw.",
    "ŋwˈiɛ5n hwˈe6 ŋˈiɛŋ ŋˈiɛŋ xwˈiə xwˈaɜt, tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
)
CPU = TorchDevice.choose(DeviceChoice.CPU)


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


def prompts(voice: SpokenReference = AN) -> list[CodePrompt]:
    return [CodePrompt(phonemes=phonemes, reference=voice) for phonemes in SENTENCES]


def say(model: TorchModel, prompt: CodePrompt) -> list[int]:
    return list(model.codes(prompt, never))


def codes_after(code: int) -> Iterator[int]:
    while True:
        code = network.code_after(code)
        yield code


@pytest.mark.parametrize("voice", [AN, CHI], ids=["An", "Chi"])
def test_the_codes_go_on_where_the_voice_ends(model: TorchModel, voice: SpokenReference) -> None:
    codes = say(model, prompts(voice)[0])

    assert len(codes) > 20
    assert codes == list(itertools.islice(codes_after(voice.codes[-1]), len(codes)))


@pytest.mark.parametrize("format", list(PromptFormat))
def test_it_says_what_llama_cpp_says(path: Path, tmp_path: Path, format: PromptFormat) -> None:  # noqa: A002 - the word of this field
    from checkpoint.gguf_model import write_gguf

    from vieneu_core.engines.llama import LlamaCppModel

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

    batching.foresee(prompts()[1:])
    together = []
    for prompt in prompts():
        together.append(say(batching, prompt))
        batching.get_ahead(never)

    assert together == alone


def test_the_batch_is_made_once(batching: TorchModel) -> None:
    """What was made beside the first sentence is handed out without another step."""
    batching.foresee(prompts(CHI)[1:])
    say(batching, prompts(CHI)[0])
    batching.get_ahead(never)
    whole = batching._running
    assert whole is not None
    assert not whole.is_active
    whole.step = lambda: pytest.fail("made twice")  # type: ignore[method-assign]

    assert all(len(say(batching, prompt)) > 5 for prompt in prompts(CHI)[1:])


def test_a_batch_of_which_something_else_is_asked_is_left(batching: TorchModel) -> None:
    batching.foresee(prompts()[1:])
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
    model.foresee([long])  # beside another it is left out until its turn
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

    monkeypatch.setattr(model._model, "forward", full)
    with pytest.raises(DeviceMemoryError, match="cpu"):
        say(model, prompts()[0])


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
