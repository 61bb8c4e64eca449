"""Limits and habits of long jobs, with their defaults and bounds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

MIB = 1024 * 1024


class JobSettings(BaseModel):
    """Settings of long jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_script_bytes: PositiveInt = 2 * MIB
    """Largest text of a job, as UTF-8."""
    max_script_chars: PositiveInt = 300_000
    """About six hours of speech."""
    max_script_lines: PositiveInt = 20_000
    """Paragraphs, subtitles or turns of a dialogue; also sentences, after they are split."""
    max_subtitle_hours: float = Field(default=12.0, gt=0, le=24)
    """Latest start of a subtitle: the file begins at 0, and is silent until then."""

    max_jobs: PositiveInt = 100
    """Jobs that are kept, the ended ones included."""
    max_waiting: PositiveInt = 20
    """Jobs that have not ended."""
    max_jobs_per_token: PositiveInt = 50
    """Those of one token, the ended ones included."""
    max_waiting_per_token: PositiveInt = 10
    """Those of one token that have not ended."""
    max_watchers: PositiveInt = 100
    """Clients that follow the progress of jobs."""
    max_total_bytes: PositiveInt = 4096 * MIB
    """All jobs on the disk. An hour of speech takes 170 MB until its file is made."""
    keep_days: PositiveFloat = 7.0
    """Ended jobs are removed after so many days."""

    fallback_wait_s: NonNegativeFloat = 1800.0
    """How long a job waits, in all, for the chosen voice while only a fallback could speak.

    A Colab notebook that was cut off is back in less, its model included; and a job to which
    nobody attends is done the same night."""
    longest_retry_s: PositiveFloat = 60.0
    """Longest pause before a sentence that nothing could speak is tried again."""
    max_tries: PositiveInt = 4
    """Tries of one sentence where the engine fails at that sentence; then it is left out."""
    max_left_out: PositiveInt = 3
    """Sentences left out in a row; after that it is the engine which fails, and the job waits."""
    max_interruptions: int = Field(default=3, ge=0)
    """How often announcements may interrupt one sentence before it is spoken to its end."""
    busy_check_s: PositiveFloat = 0.1
    """How often a job checks whether an announcement waits."""

    sentence_pause_s: NonNegativeFloat = 0.3
    """Silence between two sentences, that of the voices themselves included."""
    paragraph_pause_s: NonNegativeFloat = 0.8
    """Silence between two paragraphs."""
    turn_pause_s: NonNegativeFloat = 0.5
    """Silence between two speakers of a dialogue."""
    max_speed_up: float = Field(default=1.5, ge=1, le=2)
    """How much faster than asked for speech may become, to end before the next subtitle."""
