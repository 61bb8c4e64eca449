"""The binding llama-cpp-python: llama.cpp, compiled on this machine for its processor."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.engines.gguf.llama_log import LlamaLog
from vieneu_core.engines.load_failure import unusable_package
from vieneu_core.errors import MissingExtraError
from vieneu_core.installation import install_command

_REBUILD = ("--force-reinstall", "--no-cache-dir", "llama-cpp-python")


class LlamaCppPython(LlamaBinding):
    """llama.cpp through llama-cpp-python.

    Raises:
        MissingExtraError: it is not installed.
        ModelLoadError: it is installed, but cannot be loaded.
    """

    def __init__(self) -> None:
        super().__init__(_library(), _log())

    def free_model(self, model: Any) -> None:
        """Release a model."""
        self.c.llama_model_free(model)

    def tokenizer(self, model: Any) -> Any:
        """Return the model's vocabulary."""
        return self.c.llama_model_get_vocab(model)

    def uses_gpu(self) -> bool:
        """Return whether it was compiled for a GPU."""
        return bool(self.c.llama_supports_gpu_offload())

    def forget(self, context: Any, since: int) -> None:
        """Remove the keys and values from position ``since`` on."""
        self.c.llama_memory_seq_rm(self.c.llama_get_memory(context), 0, since, -1)

    def batch(self, tokens: Any, position: int) -> Any:
        """Return a batch; llama.cpp knows the position from its memory."""
        del position
        return self.c.llama_batch_get_one(tokens, len(tokens))


@cache
def _log() -> LlamaLog:
    c = _library()
    log = LlamaLog(c.llama_log_set)
    c.llama_backend_init()
    return log


def _library() -> Any:
    try:
        return import_module("llama_cpp")
    except ImportError as error:
        raise MissingExtraError("The library llama-cpp-python", "gguf-compiled") from error
    except (OSError, RuntimeError, AttributeError) as error:  # its shared library, or a part of it
        raise unusable_package("llama-cpp-python", error, install_command(*_REBUILD)) from error
