"""Common part of all llama.cpp bindings: a GGUF file, and the next prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vieneu_core.engines.base import EngineMemory
from vieneu_core.engines.speech_lm.model import CodePrompt

BATCH = 128
"""Tokens evaluated at once; cancellation is checked between two batches."""
_GPU = "GPU (llama.cpp)"


class GgufModel:
    """The part of a `CodeModel` that does not need llama.cpp.

    Args:
        path: The GGUF file.
        on_gpu: Whether layers of it are on a GPU.
    """

    def __init__(self, path: Path, *, on_gpu: bool = False) -> None:
        self._path = path
        self._on_gpu = on_gpu
        self._upcoming: CodePrompt | None = None

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self._path.stem

    @property
    def accelerator(self) -> str | None:
        """The GPU, of which llama.cpp's C interface names nothing; None for the CPU."""
        return _GPU if self._on_gpu else None

    def memory(self) -> EngineMemory:
        """Return no memory: llama.cpp does not tell that of a device."""
        return EngineMemory()

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Store the next prompt."""
        self._upcoming = prompts[0] if prompts else None

    def _take_upcoming(self) -> CodePrompt | None:
        upcoming, self._upcoming = self._upcoming, None
        return upcoming
