"""Subtitles of what was said when, as an .srt file (SubRip)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpokenCue:
    """What was said, and where in the samples of the result."""

    start_sample: int
    end_sample: int
    text: str
    speaker: str | None = None


def srt_of(cues: Iterable[SpokenCue], sample_rate_hz: int) -> str:
    """Return the content of the file; its times are exact to a millisecond."""
    return "".join(
        f"{number}\n{_time(cue.start_sample, sample_rate_hz)} --> "
        f"{_time(cue.end_sample, sample_rate_hz)}\n{_text(cue)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def _text(cue: SpokenCue) -> str:
    text = cue.text if cue.speaker is None else f"{cue.speaker}: {cue.text}"
    # A player would take the arrow for the times of another subtitle.
    return " ".join(text.replace("-->", "\N{RIGHTWARDS ARROW}").split())


def _time(sample: int, sample_rate_hz: int) -> str:
    milliseconds = (sample * 1000 + sample_rate_hz // 2) // sample_rate_hz
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d},{milliseconds:03d}"
