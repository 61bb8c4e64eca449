"""Finished sentences as they are kept: a line of JSON, then the samples. Blocking."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vieneu_colab_server.relay.jobs.errors import DamagedJobError
from vieneu_colab_server.relay.jobs.levels import Level
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.wire.problem import Problem

_LONGEST_HEAD = 64 * 1024


class FinishedSentence(BaseModel):
    """What is known of a finished sentence besides its samples."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sample_rate_hz: int = Field(default=24_000, gt=0)
    n_samples: int = Field(default=0, ge=0)
    backend: str = ""
    engine: str = ""
    voice: str = ""
    """Id of the voice that is heard."""
    fallback: bool = False
    level: Level = Level()
    problem: Problem | None = None
    """Why it is left out; then it has no samples."""
    may_return: bool = False
    """Whether it is left out because of an engine, and may be spoken yet."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate_hz

    @property
    def speaker(self) -> tuple[str, str, str]:
        """Who is heard: backend, engine and voice."""
        return self.backend, self.engine, self.voice


def joined(spoken: FinishedSentence, pcm: bytes) -> bytes:
    """Return the content of a sentence's file."""
    return spoken.model_dump_json().encode() + b"\n" + pcm


def split(content: bytes) -> bytes:
    """Return the samples out of the content of a file.

    Raises:
        DamagedJobError: it is not as it was written.
    """
    head, newline, pcm = content.partition(b"\n")
    spoken = _parsed(head)
    if not newline or spoken is None or len(pcm) != spoken.n_samples * BYTES_PER_SAMPLE:
        raise DamagedJobError("A sentence of this job is damaged.")
    return pcm


def head_of(path: Path) -> FinishedSentence | None:
    """Return what is known of the sentence in a file; None where it is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        line = file.readline(_LONGEST_HEAD)
    spoken = _parsed(line)
    if spoken is None or path.stat().st_size != len(line) + spoken.n_samples * BYTES_PER_SAMPLE:
        return None
    return spoken


def _parsed(line: bytes) -> FinishedSentence | None:
    try:
        return FinishedSentence.model_validate_json(line)
    except ValidationError:
        return None
