"""A header tells what a file is before llama.cpp sees it."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from pathlib import Path

import gguf
import pytest
from checkpoint.gguf_model import write_gguf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.gguf_header import BLOCKS, GgufHeader, check_vieneu_gguf, read_header


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path, n_codes=256)
    return path


def test_it_tells_what_the_file_tells_of_itself(model: Path) -> None:
    header = check_vieneu_gguf(model)
    reader = gguf.GGUFReader(model)

    assert header.architecture == "qwen2"
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    assert len(header.tokens) == len(tokens)
    assert header.token_id("<|speech_7|>") == tokens.index("<|speech_7|>")
    assert header.token_id("no such token") is None


def test_the_sizes_of_tensors_are_those_of_ggml() -> None:
    sizes = {kind.value: size for kind, size in gguf.GGML_QUANT_SIZES.items()}

    assert {kind: sizes[kind] for kind in BLOCKS} == BLOCKS


@pytest.mark.parametrize("kind", ["other", "bert", "text-only"])
def test_another_model_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.gguf"
    if kind == "text-only":
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_token_list(["a", "b"])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    else:
        write_gguf(path, n_codes=256, architecture=kind)

    reported = "no VieNeu-TTS model" if kind == "text-only" else f"architecture '{kind}'"
    with pytest.raises(ModelLoadError, match=reported):
        check_vieneu_gguf(path)


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"<html>", "web page"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (b'\x10\x00\x00\x00\x00\x00\x00\x00{"a"', "safetensors"),
        (b"GGUF", "truncated"),
        (b"GGUF" + (1).to_bytes(4, "little") + bytes(16), "version 1"),
        (b"GGUF" + (3).to_bytes(4, "big") + bytes(16), "big-endian"),
        (b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 16, "claims to have"),
    ],
)
def test_what_is_no_gguf_is_told_as_what_it_is(
    tmp_path: Path, content: bytes, reported: str
) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelLoadError, match=reported):
        check_vieneu_gguf(path)


def test_a_file_that_lacks_its_last_byte_is_truncated(model: Path, tmp_path: Path) -> None:
    needed = max(t.data_offset + t.n_bytes for t in gguf.GGUFReader(model).tensors)
    path = tmp_path / "cut.gguf"
    path.write_bytes(model.read_bytes()[:needed])
    check_vieneu_gguf(path)
    path.write_bytes(model.read_bytes()[: needed - 1])

    with pytest.raises(ModelLoadError, match=f"its tensors need {needed}"):
        check_vieneu_gguf(path)


_NAME = struct.pack("<Q", 1) + b"a"


@pytest.mark.parametrize(
    "claim",
    [
        struct.pack("<QQQ", 0, 1, 1 << 62),  # the length of a key
        struct.pack("<QQ", 0, 1) + _NAME + struct.pack("<IQ", 8, 1 << 62),  # of a text
        struct.pack("<QQ", 0, 1) + _NAME + struct.pack("<IIQ", 9, 8, 1 << 40),  # of texts
        struct.pack("<QQ", 0, 1) + _NAME + struct.pack("<IIQ", 9, 4, 1 << 62),  # of numbers
        struct.pack("<QQ", 0, 1) + _NAME + struct.pack("<IIQ", 9, 9, 1 << 62),  # of lists
        struct.pack("<QQ", 1, 0) + _NAME + struct.pack("<I4QIQ", 4, *[1 << 63] * 4, 0, 1 << 63),
        struct.pack("<QQ", 1, 0) + _NAME + struct.pack("<I", 1 << 31),  # of dimensions
    ],
)
def test_no_length_is_believed_that_the_file_does_not_have(tmp_path: Path, claim: bytes) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + claim + bytes(64))

    tracemalloc.start()
    with pytest.raises(ModelLoadError, match="no usable GGUF"):
        read_header(path)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_a_text_of_absurd_length_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "long.gguf"
    key = b"general.architecture"
    head = struct.pack("<IQQQ", 3, 0, 1, len(key)) + key + struct.pack("<IQ", 8, 1 << 28)
    with path.open("wb") as file:
        file.write(b"GGUF" + head)
        file.truncate(file.tell() + (1 << 28))

    tracemalloc.start()
    assert read_header(path).architecture == ""
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("part", [0.01, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_told(model: Path, tmp_path: Path, part: float) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(model.read_bytes()[: round(model.stat().st_size * part)])

    with pytest.raises(ModelLoadError, match="truncated"):
        check_vieneu_gguf(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 30_000), value=st.binary(min_size=1, max_size=9))
def test_damage_is_an_error_or_harmless_and_never_a_crash(
    model: Path, tmp_path: Path, at: int, value: bytes
) -> None:
    path = tmp_path / "damaged.gguf"
    content = bytearray(model.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    with contextlib.suppress(ModelLoadError):
        assert isinstance(check_vieneu_gguf(path), GgufHeader)
