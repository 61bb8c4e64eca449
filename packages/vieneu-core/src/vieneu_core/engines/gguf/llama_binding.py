"""Common functions on llama-cpp-python's C binding: library, log, tokeniser."""

from __future__ import annotations

import ctypes
from collections import deque
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
)
from vieneu_core.installation import install_command, library_command
from vieneu_core.translatable import Translatable

_REBUILD = ("--force-reinstall", "--no-cache-dir", "llama-cpp-python")
_NO_EXTRA_TOKENS, _PARSE_SPECIAL = False, True
_MEMORY_SIGNS = (
    "failed to allocate",
    "unable to allocate",
    "Cannot allocate memory",
    "out of memory",
    "bad_alloc",
)


class LlamaBinding:
    """llama.cpp and its last log output.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
        ModelLoadError: it is installed, but cannot be loaded.
    """

    def __init__(self) -> None:
        self.c: Any = _binding()
        """The C functions, named as in ``llama.h``."""
        self._log = _log()

    def open_model(self, path: Path, *, vocabulary_only: bool = False) -> Any:
        """Load a model; the caller frees it with ``llama_model_free``.

        Raises:
            ModelLoadError, DeviceMemoryError: it cannot be loaded.
        """
        parameters = self.c.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.vocab_only = vocabulary_only
        model = self.c.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise self.load_failure(path)
        return model

    def tokens_of(self, vocabulary: Any, text: str) -> list[int]:
        """Return the tokens of a text; special tokens in the text are recognized.

        Raises:
            SynthesisFailedError: the tokeniser failed.
        """
        raw = text.encode()
        room = (self.c.llama_token * (len(raw) + 8))()  # a token is at least one byte
        n_tokens = self.c.llama_tokenize(
            vocabulary, raw, len(raw), room, len(room), _NO_EXTRA_TOKENS, _PARSE_SPECIAL
        )
        if n_tokens < 0:
            raise SynthesisFailedError("The model's tokeniser failed.")
        return list(room[:n_tokens])

    @property
    def is_out_of_memory(self) -> bool:
        """Return whether its last log output reports too little memory."""
        said = " ".join(self._log.lines)
        return any(sign in said for sign in _MEMORY_SIGNS)

    def load_failure(self, path: Path) -> ModelLoadError | DeviceMemoryError:
        """Return the error for a model that could not be loaded."""
        if self.is_out_of_memory:
            return DeviceMemoryError(
                Translatable("There is not enough memory for the model {path}.", path=path.name)
            )
        errors = [line for line in self._log.lines if "error" in line or "fail" in line]
        why = Translatable(" llama.cpp says: {errors}", errors=errors[0][:200]) if errors else ""
        return ModelLoadError(
            Translatable("llama.cpp does not load the model {path}.{why}", path=path, why=why),
            remedy="Delete the file and load again, or name another in the option model.",
        )


class _Log:
    """The last log output of llama.cpp, which has one log for the whole process."""

    def __init__(self) -> None:
        c = _binding()
        self.lines: deque[str] = deque(maxlen=20)
        # Kept for the lifetime of the process: llama.cpp holds a bare pointer to it.
        self._on_line = c.llama_log_callback(self._keep)
        c.llama_log_set(self._on_line, ctypes.c_void_p(0))
        c.llama_backend_init()

    def _keep(self, level: int, text: bytes, user_data: Any) -> None:
        del level, user_data
        if text.strip():
            self.lines.append(text.decode(errors="replace").strip())


@cache
def _log() -> _Log:
    return _Log()


def _binding() -> Any:
    try:
        return import_module("llama_cpp")
    except ImportError as error:
        raise MissingExtraError("The engine gguf", "gguf") from error
    except (OSError, RuntimeError) as error:  # its shared library cannot be loaded
        command = library_command(str(error)) or install_command(*_REBUILD)
        raise ModelLoadError(
            Translatable(
                "llama-cpp-python is installed, but its library does not load: {error}.",
                error=error,
            ),
            remedy=Translatable(
                "Install what it needs, or build it again: {command}", command=command
            ),
        ) from error
