"""An embedded voice for tests, and a sentence that it speaks."""

from __future__ import annotations

from pathlib import Path

from engine_calls import never

from vieneu_core.engines.base import EngineInfo, LoadProgress, SpokenBy, Utterance
from vieneu_core.engines.embedded import EmbeddedEngine, EmbeddedOptions
from vieneu_core.engines.sano.fetching import DownloadDeadlines
from vieneu_core.voices import Voice

TEXT = "cửa trước đang mở, xin hãy kiểm tra lại."


def of_folder(folder: Path) -> dict[str, object]:
    """Return the options for a voice that is on this machine."""
    return {"fetch": "never", "sano": {"voice": str(folder), "english": None}}


def loaded_embedded(
    options: dict[str, object], deadlines: DownloadDeadlines | None = None
) -> tuple[EmbeddedEngine, EngineInfo, list[LoadProgress]]:
    """Load the engine; return also what it told meanwhile."""
    steps: list[LoadProgress] = []
    engine = EmbeddedEngine(EmbeddedOptions.model_validate(options), deadlines)
    return engine, engine.load(steps.append), steps


def speak_embedded(
    engine: EmbeddedEngine, text: str, voice: Voice, speed: float = 1.0
) -> tuple[SpokenBy, bytes]:
    """Return who spoke, and the samples."""
    utterance = Utterance(text=text, voice=voice, speed=speed)
    by, *pieces = engine.synthesize(utterance, never)
    assert isinstance(by, SpokenBy)
    return by, b"".join(piece for piece in pieces if isinstance(piece, bytes))
