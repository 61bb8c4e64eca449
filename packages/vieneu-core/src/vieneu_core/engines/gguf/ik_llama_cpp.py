"""The binding ik-llama-cpp-python: a prebuilt, faster fork of llama.cpp.

The fork, https://github.com/ikawrakow/ik_llama.cpp, has an older form of the C interface. Its
binding declares only what its own class needs; the rest is declared here after its ``llama.h``.
Where memory is refused (a limit on the process), the fork ends the process instead of reporting it:
only the worker, whose supervisor tells how it ended.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module
from typing import Any

from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.engines.gguf.llama_log import CALLBACK, LlamaLog
from vieneu_core.engines.ik_llama_wheels import MODULE, Machine
from vieneu_core.engines.load_failure import unusable_package
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.installation import has_module, install_command
from vieneu_core.translatable import Translatable

_SEQUENCE = 0


class IkLlamaCpp(LlamaBinding):
    """ik_llama.cpp through ik-llama-cpp-python.

    Raises:
        MissingExtraError: it is not installed.
        ModelLoadError: it is installed, but cannot be loaded, or not on this processor.
    """

    def __init__(self) -> None:
        super().__init__(_library(), _log())

    def model_parameters(self) -> Any:
        """Return the parameters of a model, whose weights are ordered anew for this processor."""
        parameters = super().model_parameters()
        parameters.repack_tensors = True
        return parameters

    def context_parameters(self) -> Any:
        """Return the parameters of a context, without flash attention.

        On a processor without AVX-VNNI, its kernels for long prompts end the process
        (``GGML_ASSERT(S > 0)``), as the binding itself warns.
        """
        parameters = super().context_parameters()
        parameters.flash_attn = False
        return parameters

    def free_model(self, model: Any) -> None:
        """Release a model."""
        self.c.llama_free_model(model)

    def tokenizer(self, model: Any) -> Any:
        """Return the model: the fork's ``llama_tokenize`` takes no vocabulary."""
        return model

    def uses_gpu(self) -> bool:
        """Return whether its wheel is one for a GPU: those for CUDA are not on PyPI."""
        return bool(_declared().llama_supports_gpu_offload())

    def forget(self, context: Any, since: int) -> None:
        """Remove the keys and values from position ``since`` on."""
        _declared().llama_kv_cache_seq_rm(context, _SEQUENCE, since, -1)

    def batch(self, tokens: Any, position: int) -> Any:
        """Return a batch, with the position of its first token."""
        return _declared().llama_batch_get_one(tokens, len(tokens), position, _SEQUENCE)


@cache
def _declared() -> Any:
    """Return the functions of the fork's ``llama.h`` that the binding does not declare."""
    binding = _library()
    try:
        return _with_types(binding)
    except (AttributeError, OSError) as error:  # another version, without one of them
        raise _unusable(error) from error


def _with_types(binding: Any) -> Any:
    functions: Any = ctypes.CDLL(binding._lib._name)  # noqa: SLF001 - own declarations, same library
    functions.llama_log_set.argtypes = [CALLBACK, ctypes.c_void_p]
    functions.llama_log_set.restype = None
    functions.llama_supports_gpu_offload.argtypes = []
    functions.llama_supports_gpu_offload.restype = ctypes.c_bool
    functions.llama_kv_cache_seq_rm.argtypes = [
        ctypes.c_void_p,
        binding.llama_seq_id,
        binding.llama_pos,
        binding.llama_pos,
    ]
    functions.llama_kv_cache_seq_rm.restype = ctypes.c_bool
    functions.llama_batch_get_one.argtypes = [
        binding.llama_token_p,
        ctypes.c_int32,
        binding.llama_pos,
        binding.llama_seq_id,
    ]
    functions.llama_batch_get_one.restype = binding.llama_batch
    return functions


@cache
def _log() -> LlamaLog:
    log = LlamaLog(_declared().llama_log_set)
    _library().llama_backend_init()
    return log


def _library() -> Any:
    here = Machine()
    if not here.has_wheel:
        raise ModelLoadError(
            "There is no ik-llama-cpp-python for this Python and this machine.",
            remedy="Set the option library to auto.",
        )
    if missing := here.missing_instructions():
        raise ModelLoadError(
            Translatable(
                "ik-llama-cpp-python does not run on this processor, which lacks {missing}.",
                missing=", ".join(sorted(missing)),
            ),
            remedy=Translatable(
                "Use another binding of llama.cpp, and the option library: auto. {command}",
                command=install_command("xllamacpp"),
            ),
        )
    if not has_module(MODULE):
        raise MissingExtraError("The library ik-llama-cpp-python", "gguf")
    try:
        return import_module("ik_llama_cpp._ctypes_api")
    except (ImportError, OSError, AttributeError) as error:  # its library, or a function of it
        raise _unusable(error) from error


def _unusable(error: Exception) -> ModelLoadError:
    again = install_command("--force-reinstall", "--no-deps", "ik-llama-cpp-python")
    return unusable_package("ik-llama-cpp-python", error, again)
