"""Subtitles out of an .srt file (SubRip), in time proportional to its size.

Written here because no kept reader does this for files of strangers: the expressions of srt 3.5.3
take 8 s for a line of 1 000 digits and minutes for more, pysubs2 1.8.1 leaves out a last line that
is a number, and neither says in which line a file is wrong.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from vieneu_core.errors import InvalidRequestError
from vieneu_core.translatable import Translatable

_ARROW = "-->"
_TIME = r"(-?)([0-9]{1,3}):([0-9]{1,2}):([0-9]{1,2})(?:[,.]([0-9]{1,3}))?"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
_LONGEST_TIMING = 200
_NUMBER = re.compile(r"[ \t]*[0-9]{1,9}[ \t]*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|\{\\[^{}]{0,200}\}")
"""HTML as in ``<i>``, and what ASS leaves in such files, ``{\\an8}``."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle as it is written in the file."""

    line: int
    """Number of the line that holds its times, from 1."""
    start_s: float
    end_s: float
    text: str


def read_cues(text: str) -> Iterator[Cue]:
    """Yield the subtitles of a file in the order in which they are written.

    Their numbers mean nothing; a byte order mark, any line ends and missing blank lines are taken.

    Raises:
        InvalidRequestError: it is no such file; the line is named.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [index for index, line in enumerate(lines) if _ARROW in line]
    _check_head(lines, starts)
    for at, after in pairwise([*starts, len(lines)]):
        start_s, end_s = _times(lines[at], at + 1)
        body = lines[at + 1 : after]
        if after < len(lines) and body and _NUMBER.fullmatch(body[-1]):
            body.pop()  # of the next subtitle
        yield Cue(at + 1, start_s, end_s, _plain("\n".join(body)))


def _check_head(lines: list[str], starts: list[int]) -> None:
    if not starts:
        raise InvalidRequestError(
            "The text is no .srt: no line has times such as 00:00:01,000 --> 00:00:02,500.",
            remedy="Send it as plain text, or choose a subtitle file in the format SubRip.",
        )
    before = [(number, line) for number, line in enumerate(lines[: starts[0]], 1) if line.strip()]
    if before and (len(before) > 1 or not _NUMBER.fullmatch(before[0][1])):
        raise _wrong(before[0][0], "it stands before the first times")


def _times(line: str, number: int) -> tuple[float, float]:
    found = _TIMING.fullmatch(line) if len(line) <= _LONGEST_TIMING else None
    if found is None:
        raise _wrong(number, "it should be as 00:00:01,000 --> 00:00:02,500")
    start, end = found.groups()[:5], found.groups()[5:]
    if start[0] or end[0]:
        raise _wrong(number, "a time is negative")
    start_s, end_s = _seconds(*start), _seconds(*end)
    if end_s < start_s:
        raise _wrong(number, "it ends before it starts")
    return start_s, end_s


def _seconds(_sign: str, hours: str, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text)).strip()


def _wrong(number: int, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        Translatable("Line {number} of the .srt is wrong: {reason}.", number=number, reason=reason),
        remedy="Correct that line and send the file again.",
    )
