"""Common part of both llama.cpp bindings: a GGUF file on the CPU, and the next prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vieneu_core.engines.base import EngineMemory
from vieneu_core.engines.speech_lm.model import CodePrompt


class GgufModel:
    """The part of a `CodeModel` that does not need llama.cpp.

    Args:
        path: The GGUF file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._upcoming: CodePrompt | None = None

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self._path.stem

    @property
    def accelerator(self) -> str | None:
        """None, because it runs on the CPU."""
        return None

    def memory(self) -> EngineMemory:
        """Return no memory: it uses no device."""
        return EngineMemory()

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Store the next prompt."""
        self._upcoming = prompts[0] if prompts else None

    def _take_upcoming(self) -> CodePrompt | None:
        upcoming, self._upcoming = self._upcoming, None
        return upcoming
