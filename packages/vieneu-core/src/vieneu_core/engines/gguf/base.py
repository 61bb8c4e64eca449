"""What both ways to llama.cpp have in common: a GGUF file on the CPU, and what it will say next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vieneu_core.engines.base import EngineMemory
from vieneu_core.engines.speech_lm.model import CodePrompt


class GgufModel:
    """A GGUF file as half a `CodeModel`: the half that needs no llama.cpp.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._upcoming: CodePrompt | None = None

    @property
    def name(self) -> str:
        """Which model, for people."""
        return self._path.stem

    @property
    def accelerator(self) -> str | None:
        """None: the CPU."""
        return None

    def memory(self) -> EngineMemory:
        """Report nothing: it uses no device."""
        return EngineMemory()

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Remember the prompt that comes next."""
        self._upcoming = prompts[0] if prompts else None

    def _take_upcoming(self) -> CodePrompt | None:
        upcoming, self._upcoming = self._upcoming, None
        return upcoming
