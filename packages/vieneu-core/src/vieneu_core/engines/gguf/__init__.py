"""The engine ``gguf``: a VieNeu model on the CPU, by llama.cpp and ONNX Runtime. No PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial

from pydantic import Field

from vieneu_core.engines.base import OnLoad
from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.engines.registry import COMPILED, GGUF, check_installed, needs_of
from vieneu_core.engines.speech_lm.engine import CodeEngine, Parts, remembered
from vieneu_core.engines.speech_lm.model import ALL_LAYERS, CodeModel
from vieneu_core.engines.speech_lm.model_files import FoundModel, ModelFiles
from vieneu_core.engines.speech_lm.onnx_decoder import OnnxDecoder
from vieneu_core.engines.speech_lm.options import CodeOptions, ModelName, parse_options
from vieneu_core.engines.speech_lm.voice_prompts import References, references
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.installation import has_module
from vieneu_core.models.catalogue import DEFAULT_DECODER, DEFAULT_GGUF
from vieneu_core.models.gguf_header import check_vieneu_gguf


class LlamaLibrary(StrEnum):
    """Package that contains llama.cpp."""

    AUTO = "auto"
    """The first of the others that is installed and runs on this processor."""
    IK_LLAMA_CPP_PYTHON = "ik-llama-cpp-python"
    """A faster fork of llama.cpp, prebuilt for most processors."""
    LLAMA_CPP_PYTHON = "llama-cpp-python"
    """Compiled for this processor, which takes minutes and a compiler."""
    XLLAMACPP = "xllamacpp"
    """Prebuilt for all processors of the architecture."""


_LIBRARIES = {
    "ik_llama_cpp": LlamaLibrary.IK_LLAMA_CPP_PYTHON,
    "llama_cpp": LlamaLibrary.LLAMA_CPP_PYTHON,
    "xllamacpp": LlamaLibrary.XLLAMACPP,
}
"""Packages by their modules."""


class GgufOptions(CodeOptions):
    """Options of this engine."""

    model: ModelName = DEFAULT_GGUF
    codec: ModelName = DEFAULT_DECODER
    # What llama-cpp-python draws with where upstream states nothing else.
    top_p: float | None = Field(
        default=0.95, ge=0.01, le=1, description="a number from 0.01 to 1, where 1 is off"
    )
    min_p: float | None = Field(
        default=0.05, ge=0, le=1, description="a number from 0 to 1, where 0 is off"
    )
    library: LlamaLibrary = Field(
        default=LlamaLibrary.AUTO,
        description="auto, ik-llama-cpp-python, llama-cpp-python or xllamacpp",
    )
    """Package to use for llama.cpp."""
    codec_threads: int = Field(
        default=1, ge=0, le=1024, description="a number, 0 for what ONNX Runtime finds best"
    )
    """The codec runs beside the language model, so more threads slow that down."""
    gpu_layers: int = Field(
        default=ALL_LAYERS, ge=0, le=ALL_LAYERS, description="a number, 0 for none on the GPU"
    )
    """Layers of the model on the GPU, where llama.cpp was built for one."""


def create(options: Mapping[str, object]) -> CodeEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return CodeEngine(GGUF, partial(_load, parse_options(GgufOptions, GGUF, options)))


def _load(options: GgufOptions, progress: OnLoad) -> Parts:
    from vieneu_core.text.phonemize import Phonemizer

    check_installed(GGUF)
    files = ModelFiles(options, progress)
    found = files.model()
    presets = files.presets(found)
    codec = files.file(options.codec)
    files.say(f"Loading {found.path.name}")
    check_vieneu_gguf(found.path)
    phonemize = remembered(Phonemizer())
    decoder = OnnxDecoder(codec, threads=options.codec_threads)
    spoken = references(options, files, presets, phonemize)
    # Last: xllamacpp hangs if it is closed before it has started completely, as it would be if
    # another part could not be loaded.
    model = _model(options, found, spoken)
    return Parts(
        model=model,
        decoder=decoder,
        references=spoken,
        voices=tuple(preset.voice for preset in presets),
        phonemize=phonemize,
        attempts=options.attempts,
    )


def _model(options: GgufOptions, found: FoundModel, voices: References) -> CodeModel:
    settings = options.settings(found.known, voices.sample)
    settings = replace(settings, gpu_layers=options.gpu_layers)
    library = options.library
    if library is LlamaLibrary.AUTO:
        library = _best_library()
    if library is LlamaLibrary.XLLAMACPP:
        from vieneu_core.engines.gguf.xllama import XllamaModel

        return XllamaModel(found.path, settings)
    from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel

    return LlamaCppModel(found.path, settings, open_binding(library))


def _best_library() -> LlamaLibrary:
    """Return the one to use: one is installed."""
    chosen = needs_of(GGUF).chosen or COMPILED
    # Whoever compiled one beside the prebuilt one, did so for a GPU.
    if chosen != COMPILED and has_module(COMPILED):
        from vieneu_core.engines.gguf.llama_cpp_python import LlamaCppPython

        with suppress(MissingExtraError, ModelLoadError):  # it does not load, and the other one may
            if LlamaCppPython().uses_gpu():
                return LlamaLibrary.LLAMA_CPP_PYTHON
    return _LIBRARIES[chosen]


def open_binding(library: LlamaLibrary = LlamaLibrary.AUTO) -> LlamaBinding:
    """Return a binding of llama.cpp's C interface, which xllamacpp does not have.

    Raises:
        MissingExtraError, ModelLoadError: it is not installed, or cannot be loaded.
    """
    if library is LlamaLibrary.AUTO:
        library = _LIBRARIES.get(needs_of(GGUF).chosen or "", library)
    if library is LlamaLibrary.IK_LLAMA_CPP_PYTHON:
        from vieneu_core.engines.gguf.ik_llama_cpp import IkLlamaCpp

        return IkLlamaCpp()
    from vieneu_core.engines.gguf.llama_cpp_python import LlamaCppPython

    return LlamaCppPython()
