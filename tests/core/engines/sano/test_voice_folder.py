"""Voices that are damaged, or made to do harm: each is an error that names what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vieneu_core.engines.sano.voice import load_voice
from vieneu_core.engines.sano.voice_folder import (
    MANIFEST,
    PHONEMES,
    WEIGHTS,
    read_voice_folder,
)
from vieneu_core.errors import ModelLoadError

Change = Callable[[dict[str, Any]], object]


def tensor(manifest: dict[str, Any], component: str, at: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = manifest["components"][component]["tensors"][at]
    return found


def config(manifest: dict[str, Any], component: str) -> dict[str, Any]:
    found: dict[str, Any] = manifest["components"][component]["config"]
    return found


CHANGES: dict[str, tuple[Change, str]] = {
    "another format": (lambda m: m.update(format="x"), "format"),
    "no components": (lambda m: m.pop("components"), "components"),
    "a rate of none": (lambda m: m.update(sample_rate=0), "sample_rate"),
    "a rate as text": (lambda m: m.update(sample_rate="22050"), "sample_rate"),
    "weights elsewhere": (lambda m: m.update(weights_file="../w"), "no file of the folder"),
    "weights anywhere": (lambda m: m.update(weights_file="/etc/passwd"), "no file of the folder"),
    "phonemes elsewhere": (
        lambda m: m.update(frontend={"included_config": "a/b"}),
        "no file of the folder",
    ),
    "no such weights": (lambda m: m.update(weights_file="w.bin"), "w.bin"),
    "another size": (lambda m: m.update(weights_size_bytes=7), "instead of 7"),
    "a size without end": (lambda m: m.update(weights_size_bytes=1 << 62), "weights_size_bytes"),
    "another checksum": (lambda m: m.update(weights_sha256="0" * 64), "SHA-256"),
    "no checksum at all": (lambda m: m.update(weights_sha256="x"), "weights_sha256"),
    "an offset behind": (
        lambda m: tensor(m, "duration").update(offset_bytes=1 << 20),
        "outside of the weights",
    ),
    "an offset before": (lambda m: tensor(m, "duration").update(offset_bytes=-2), "offset_bytes"),
    "too many bytes": (lambda m: tensor(m, "acoustic").update(nbytes=8), "outside of the weights"),
    "another type": (lambda m: tensor(m, "decoder").update(dtype="float64"), "dtype"),
    "a type of other size": (
        lambda m: tensor(m, "decoder").update(dtype="int64"),
        "outside of the weights",
    ),
    "a shape without end": (lambda m: tensor(m, "decoder").update(shape=[1 << 40]), "shape"),
    "a shape of none": (lambda m: tensor(m, "decoder").update(shape=[]), "shape"),
    "a tensor of another name": (
        lambda m: tensor(m, "acoustic").update(name="x"),
        "acoustic.embedding.weight",
    ),
    "more words than the table": (
        lambda m: config(m, "duration").update(vocab_size=999),
        "duration.embedding.weight",
    ),
    "deeper than the weights": (lambda m: config(m, "acoustic").update(depth=2), "frame_blocks.1"),
    "depth without end": (lambda m: config(m, "duration").update(depth=10**9), "depth"),
    "sounds without end": (lambda m: config(m, "duration").update(max_duration=10**9), "max_dur"),
    "no branches": (lambda m: config(m, "decoder").update(stage0_branches=[]), "stage0_branches"),
    "another network": (lambda m: config(m, "decoder").update(variant="x"), "variant"),
    "an unknown activation": (
        lambda m: config(m, "decoder").update(activation="x"),
        "does not speak",
    ),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_a_wrong_manifest_is_named(folder: Path, change: Change, words: str) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")

    with pytest.raises(ModelLoadError) as caught:
        load_voice(folder)

    assert words in str(caught.value)
    assert str(folder) in str(caught.value) or folder.name in str(caught.value)
    assert caught.value.remedy


def test_overlapping_tensors_cannot_grow_beyond_the_weights(folder: Path) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    tensors = manifest["components"]["duration"]["tensors"]
    tensors += [{**tensors[0], "name": f"copy {n}"} for n in range(900)]
    path.write_text(json.dumps(manifest), "utf-8")

    with pytest.raises(ModelLoadError, match="outside of the weights"):
        read_voice_folder(folder)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PHONEMES])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(ModelLoadError, match=name):
        load_voice(folder)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PHONEMES])
@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[" * 100_000, b"{}", b'{"format": 1}'])
def test_a_file_of_something_else_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)

    with pytest.raises(ModelLoadError) as caught:
        load_voice(folder)

    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PHONEMES])
def test_a_file_without_end_is_not_read_whole(folder: Path, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(ModelLoadError, match=rf"{name} has more than"):
        load_voice(folder)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PHONEMES])
def test_a_pipe_is_no_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)

    with pytest.raises(ModelLoadError, match="no ordinary file"):
        load_voice(folder)


def test_weights_that_are_no_numbers_are_an_error(folder: Path) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    weights = b"\xff\x7f" * (manifest["weights_size_bytes"] // 2)
    (folder / WEIGHTS).write_bytes(weights)
    manifest["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    path.write_text(json.dumps(manifest), "utf-8")

    with pytest.raises(ModelLoadError, match="does not speak"):
        load_voice(folder)


def test_a_voice_of_another_language_is_named(folder: Path) -> None:
    path = folder / PHONEMES
    table = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**table, "espeak": {"voice": "de"}}), "utf-8")

    with pytest.raises(ModelLoadError, match="Vietnamese or English"):
        load_voice(folder)


def test_the_folder_itself_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="There is no folder"):
        load_voice(tmp_path / "none" / "voice")
