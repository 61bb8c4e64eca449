"""Layers on a GPU: nothing here has one, so only what llama.cpp is asked for is shown."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from checkpoint.code_prompts import AN, PLAIN, SENTENCES
from checkpoint.gguf_model import write_gguf
from engine_calls import never
from llama_library import LIBRARIES, NEEDS_C_INTERFACE, NEEDS_LLAMA_CPP, open_llama_cpp

from vieneu_core.engines import gguf
from vieneu_core.engines.gguf import LlamaLibrary, open_binding, xllama
from vieneu_core.engines.gguf.llama_cpp_python import LlamaCppPython
from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel
from vieneu_core.engines.gguf.xllama import XllamaModel
from vieneu_core.engines.registry import EngineNeeds, needs_of
from vieneu_core.engines.speech_lm.model import ALL_LAYERS, CodePrompt


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path)
    return path


@pytest.mark.parametrize("library", LIBRARIES[:2])
def test_a_library_without_a_gpu_says_so(path: Path, library: str) -> None:
    assert not open_binding(LlamaLibrary(library)).uses_gpu()

    model = open_llama_cpp(path, PLAIN, LlamaLibrary(library))
    assert model.accelerator is None
    model.close()


@NEEDS_C_INTERFACE
@pytest.mark.parametrize(
    ("has_gpu", "wanted", "asked"),
    [(True, ALL_LAYERS, ALL_LAYERS), (True, 4, 4), (True, 0, 0), (False, ALL_LAYERS, 0)],
)
def test_as_many_layers_as_wanted_are_on_the_gpu_of_a_library_that_has_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, has_gpu: bool, wanted: int, asked: int
) -> None:
    binding = open_binding()
    seen: list[int] = []
    functions = binding.c

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(functions, name)

        def llama_model_load_from_file(self, name: bytes, parameters: object) -> object:
            seen.append(parameters.n_gpu_layers)  # type: ignore[attr-defined]
            return functions.llama_model_load_from_file(name, parameters)

    monkeypatch.setattr(binding, "uses_gpu", lambda: has_gpu)
    monkeypatch.setattr(binding, "c", Watched())
    model = LlamaCppModel(path, replace(PLAIN, gpu_layers=wanted), binding)

    assert seen == [asked]
    assert model.accelerator == ("GPU (llama.cpp)" if asked else None)
    assert list(model.codes(CodePrompt(phonemes=SENTENCES[0], reference=AN), never))
    model.close()


@pytest.mark.parametrize(
    ("kind", "has_gpu"),
    [
        ("GGML_BACKEND_DEVICE_TYPE_CPU", False),
        ("GGML_BACKEND_DEVICE_TYPE_ACCEL", False),
        ("GGML_BACKEND_DEVICE_TYPE_GPU", True),
        ("GGML_BACKEND_DEVICE_TYPE_IGPU", True),
    ],
)
def test_the_prebuilt_library_is_asked_for_its_devices(kind: str, *, has_gpu: bool) -> None:
    import xllamacpp

    types = xllamacpp.ggml_backend_dev_type.__members__
    devices = [{"type": types["GGML_BACKEND_DEVICE_TYPE_CPU"]}, {"type": types[kind]}]

    assert xllama._has_gpu(SimpleNamespace(get_device_info=lambda: devices)) is has_gpu


def test_the_prebuilt_library_gets_them_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    parameters = xllama._parameters

    def watched(*args: object) -> object:
        made = parameters(*args)  # type: ignore[arg-type]
        asked.append(made.n_gpu_layers)
        return made

    monkeypatch.setattr(xllama, "_parameters", watched)
    XllamaModel(path, PLAIN).close()
    monkeypatch.setattr(xllama, "_has_gpu", lambda _: True)
    model = XllamaModel(path, PLAIN)

    assert asked == [0, ALL_LAYERS]
    assert model.accelerator == "GPU (llama.cpp)"
    model.close()


@pytest.mark.parametrize("has_gpu", [True, False])
@NEEDS_LLAMA_CPP
def test_a_library_that_was_compiled_for_a_gpu_comes_before_a_prebuilt_one(
    monkeypatch: pytest.MonkeyPatch, *, has_gpu: bool
) -> None:
    monkeypatch.setattr(LlamaCppPython, "uses_gpu", lambda _: has_gpu)
    prebuilt = needs_of("gguf").chosen or ""

    best = gguf._LIBRARIES[prebuilt]
    assert gguf._best_library() == (LlamaLibrary.LLAMA_CPP_PYTHON if has_gpu else best)


def test_a_compiled_library_that_is_not_whole_leaves_the_prebuilt_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gguf, "has_module", lambda _: True)
    monkeypatch.setitem(sys.modules, "llama_cpp", None)  # as where a package that it needs is gone
    monkeypatch.setattr(EngineNeeds, "chosen", "xllamacpp")

    assert gguf._best_library() is LlamaLibrary.XLLAMACPP
