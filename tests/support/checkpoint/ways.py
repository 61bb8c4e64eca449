"""All ways to run a model: a library, and the files that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from checkpoint.gguf_model import write_gguf
from checkpoint.transformers_model import write_transformers
from llama_library import open_llama_cpp

from vieneu_core.engines.gguf import LlamaLibrary
from vieneu_core.engines.gguf.xllama import XllamaModel
from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.pytorch.model import TorchModel
from vieneu_core.engines.speech_lm.model import CodeModel, CodeModelSettings


@dataclass(frozen=True, slots=True)
class Way:
    """One of them."""

    open: Callable[[Path, CodeModelSettings], CodeModel]
    write: Callable[..., object]
    """Writes the network of `network` as a model for it."""


def torch_model(path: Path, settings: CodeModelSettings) -> CodeModel:
    """Open a model on the CPU."""
    return TorchModel(path, settings, TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT32))


IK_LLAMA_CPP = Way(partial(open_llama_cpp, library=LlamaLibrary.IK_LLAMA_CPP_PYTHON), write_gguf)
LLAMA_CPP = Way(partial(open_llama_cpp, library=LlamaLibrary.LLAMA_CPP_PYTHON), write_gguf)
XLLAMACPP = Way(XllamaModel, write_gguf)
PYTORCH = Way(torch_model, write_transformers)
