"""A header tells what a file is before llama.cpp sees it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import gguf
import pytest
from checkpoint.gguf_model import write_gguf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.gguf_header import GgufHeader, check_vieneu_gguf


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path, n_codes=256)
    return path


def test_it_tells_what_the_file_tells_of_itself(model: Path) -> None:
    header = check_vieneu_gguf(model)
    reader = gguf.GGUFReader(model)

    assert header.architecture == "qwen2"
    assert header.name == "VieNeu synthetic"
    assert header.context_length == 4096
    assert header.n_tokens == len(reader.fields["tokenizer.ggml.tokens"].contents())
    assert header.n_tensors == len(reader.tensors)


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

    told = "no VieNeu-TTS model" if kind == "text-only" else f"architecture '{kind}'"
    with pytest.raises(ModelLoadError, match=told):
        check_vieneu_gguf(path)


@pytest.mark.parametrize(
    ("content", "told"),
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
def test_what_is_no_gguf_is_told_as_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelLoadError, match=told):
        check_vieneu_gguf(path)


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
