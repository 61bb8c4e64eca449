"""Jobs as values: what was asked for, how far it is, what came of it. They are kept as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.text.clean import one_line
from vieneu_core.wire.problem import Problem

MAX_NOTES = 100
"""Notes that a job shows; it counts all of them."""
_EXCERPT_CHARS = 80


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    """Nothing can speak, or there is no room: it goes on by itself; ``problem`` says why."""
    DONE = "done"
    FAILED = "failed"
    """``problem`` says why."""
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Fallback(StrEnum):
    """What a job does while a fallback would speak in place of the chosen backend and voice."""

    WAIT = "wait"
    """Wait for the chosen one, for a limited time; what a fallback spoke after that is spoken
    again at the end, if the chosen one is back."""
    ACCEPT = "accept"
    """Take it as it comes."""


class NoteKind(StrEnum):
    """What differs in the result from what was asked for."""

    LEFT_OUT = "left_out"
    """Not spoken; ``problem`` says why."""
    FALLBACK = "fallback"
    """Spoken by a fallback."""
    FASTER = "faster"
    """Spoken faster, to end before the next subtitle."""
    LATE = "late"
    """Spoken later than its subtitle says, because the one before it took longer."""


class _Value(BaseModel):
    # A later version may add fields: an older one still reads its jobs.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Note(_Value):
    """One difference between the result and what was asked for."""

    kind: NoteKind
    line: int
    """Line of the job's text, from 1."""
    text: str
    """The beginning of what is concerned."""
    problem: Problem | None = None
    speed: float | None = None
    """How much faster."""
    late_s: float | None = None
    """How much later, in seconds."""


JobFormat = Literal[AudioFormat.MP3, AudioFormat.WAV, AudioFormat.OGG, AudioFormat.FLAC]
"""Not AAC: its files cannot state the encoder's delay, so that subtitles would be 43 ms early."""


class JobSpec(_Value):
    """What was asked for, besides the text."""

    kind: ScriptKind
    format: JobFormat = AudioFormat.MP3
    name: str = ""
    """For people."""
    voice: str | None = None
    voices: dict[str, str] = Field(default_factory=dict)
    """Of a dialogue: the id of a voice for each speaker."""
    has_reference: bool = False
    """Whether the voice of reference audio, which is kept elsewhere, speaks what has no voice."""
    language: str = "vi"
    speed: float = 1.0
    watermark: bool = False
    fallback: Fallback = Fallback.WAIT


class Job(_Value):
    """A job as it is now."""

    id: str
    spec: JobSpec
    state: JobState = JobState.QUEUED
    owner: str = ""
    """Stands for the token that made it; empty for the server's own token."""
    n_sentences: int
    n_done: int = 0
    """Sentences spoken or left out."""
    joining: bool = False
    """Whether all sentences are spoken, and the file is being made."""
    problem: Problem | None = None
    """Why it is paused, or has failed."""
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    seconds: float | None = None
    """Length of the result."""
    n_bytes: int | None = None
    """Size of the audio file."""
    n_notes: int = 0
    notes: tuple[Note, ...] = ()
    """The first `MAX_NOTES` of them."""

    def brief(self) -> Job:
        """Return it without its notes, for a list."""
        return self.model_copy(update={"notes": ()})

    def expires_before(self, moment: datetime) -> bool:
        """Whether it ended before this moment."""
        return self.ended_at is not None and self.ended_at < moment


def excerpt(text: str) -> str:
    """Return the beginning of a text in one line, without control characters."""
    line = one_line(text[: 10 * _EXCERPT_CHARS])
    return line if len(line) <= _EXCERPT_CHARS else line[: _EXCERPT_CHARS - 1] + "…"
