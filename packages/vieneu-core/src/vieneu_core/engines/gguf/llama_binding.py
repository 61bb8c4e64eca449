"""A binding of llama.cpp's C interface: what all of them have in common, and where they differ.

The C interface is described in ``llama.h`` of https://github.com/ggml-org/llama.cpp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from vieneu_core.engines.gguf.llama_log import LlamaLog
from vieneu_core.errors import DeviceMemoryError, ModelLoadError, SynthesisFailedError
from vieneu_core.translatable import Translatable

_NO_EXTRA_TOKENS, _PARSE_SPECIAL = False, True


class LlamaBinding(ABC):
    """llama.cpp and its last log output.

    Args:
        c: The C functions that all bindings have, named as in ``llama.h``.
        log: Its log.
    """

    def __init__(self, c: Any, log: LlamaLog) -> None:
        self.c = c
        self._log = log

    @abstractmethod
    def free_model(self, model: Any) -> None:
        """Release a model."""

    @abstractmethod
    def tokenizer(self, model: Any) -> Any:
        """Return what ``llama_tokenize`` takes: the model's vocabulary, or the model."""

    @abstractmethod
    def forget(self, context: Any, since: int) -> None:
        """Remove the keys and values from position ``since`` on."""

    @abstractmethod
    def batch(self, tokens: Any, position: int) -> Any:
        """Return a batch for ``llama_decode``.

        Args:
            tokens: An array of ``llama_token``; the batch points to it, the caller keeps it.
            position: The number of tokens before them.
        """

    @abstractmethod
    def uses_gpu(self) -> bool:
        """Return whether it was built for a GPU."""

    def model_parameters(self) -> Any:
        """Return the parameters of a model."""
        return self.c.llama_model_default_params()

    def context_parameters(self) -> Any:
        """Return the parameters of a context."""
        return self.c.llama_context_default_params()

    def open_model(self, path: Path, *, gpu_layers: int = 0, vocabulary_only: bool = False) -> Any:
        """Load a model; the caller releases it with `free_model`.

        Args:
            path: The GGUF file.
            gpu_layers: Number of its layers on the GPU.
            vocabulary_only: Whether it only cuts texts into tokens.

        Raises:
            ModelLoadError, DeviceMemoryError: it cannot be loaded.
        """
        parameters = self.model_parameters()
        parameters.n_gpu_layers = gpu_layers
        parameters.vocab_only = vocabulary_only
        model = self.c.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise self.load_failure(path)
        return model

    def tokens_of(self, model: Any, text: str) -> list[int]:
        """Return the tokens of a text; special tokens in the text are recognized.

        Raises:
            SynthesisFailedError: the tokeniser failed.
        """
        raw = text.encode()
        room = (self.c.llama_token * (len(raw) + 8))()  # a token is at least one byte
        n_tokens = self.c.llama_tokenize(
            self.tokenizer(model),
            raw,
            len(raw),
            room,
            len(room),
            _NO_EXTRA_TOKENS,
            _PARSE_SPECIAL,
        )
        if n_tokens < 0:
            raise SynthesisFailedError("The model's tokeniser failed.")
        return list(room[:n_tokens])

    @property
    def is_out_of_memory(self) -> bool:
        """Whether its last log output reports too little memory."""
        return self._log.is_out_of_memory

    def load_failure(self, path: Path) -> ModelLoadError | DeviceMemoryError:
        """Return the error for a model that could not be loaded."""
        if self.is_out_of_memory:
            return DeviceMemoryError(
                Translatable("There is not enough memory for the model {path}.", path=path.name)
            )
        said = self._log.first_error[:200]
        why = Translatable(" llama.cpp says: {errors}", errors=said) if said else ""
        return ModelLoadError(
            Translatable("llama.cpp does not load the model {path}.{why}", path=path, why=why),
            remedy="Delete the file and load again, or name another in the option model.",
        )
