"""Folders that hold no usable model are refused, and it is said why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoint.code_prompts import PLAIN
from checkpoint.torch_code_model import CPU
from checkpoint.transformers_model import write_transformers

from vieneu_core.engines.pytorch.model import TorchModel
from vieneu_core.errors import ModelLoadError


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("config.json", r"config\.json"),
        ("tokenizer.json", r"tokenizer\.json"),
        ("model.safetensors", "safetensors"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_folder_is_an_error(
    path: Path, tmp_path: Path, name: str, reported: str, damage: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(path, folder)
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage == "truncated":
        (folder / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(ModelLoadError, match=reported if damage == "missing" else "usable model"):
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
