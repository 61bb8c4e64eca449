"""Scripts: who says what, and when, out of a text, an .srt file or a dialogue. Not how it sounds.

Blocking, and a long text takes seconds: it is called on a thread.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.srt_reader import read_cues
from vieneu_core.errors import InvalidRequestError, TextTooLongError
from vieneu_core.text.clean import one_line
from vieneu_core.text.encodings import decode_text
from vieneu_core.translatable import Translatable

_MAX_NAME_CHARS = 40
_TURN = re.compile(rf"([^\s:\uff1a][^:\uff1a]{{0,{_MAX_NAME_CHARS - 1}}})[:\uff1a](?:\s+(.*)|)")
"""``Name: text``. A time (7:30) and an address (http://) have no space after the colon."""
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_WRAPPED = re.compile(r"(?<!\n)\n(?![\n\u2010-\u2015-])")
"""Line break of a subtitle that only wraps its text: a line that begins with a dash is a turn."""
_MAX_NAMED = 10


class ScriptKind(StrEnum):
    """What the text of a job is."""

    TEXT = "text"
    SRT = "srt"
    DIALOGUE = "dialogue"


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker says in one go: a paragraph, a subtitle or a turn."""

    number: int
    """Line of the text in which it begins, from 1."""
    text: str
    voice: str | None = None
    """Id of a voice; None is the job's reference audio, or without it the default voice."""
    speaker: str | None = None
    start_s: float | None = None
    """When it is to be said; None: after what is before it."""
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """All lines in the order in which they are said; at least one."""

    kind: ScriptKind
    lines: tuple[Line, ...]


def parse_script(  # noqa: PLR0913 - fields of what was asked for, and its limits
    kind: ScriptKind,
    text: str,
    *,
    voice: str | None,
    voices: Mapping[str, str],
    limits: JobSettings,
    has_reference: bool = False,
) -> Script:
    """Read a script.

    Args:
        kind: What the text is.
        text: The text.
        voice: Id of the voice where no speaker is named; None is the default one.
        voices: Of a dialogue: the id of a voice for each speaker.
        limits: Nothing larger is read.
        has_reference: Whether reference audio speaks for speakers without a voice.

    Raises:
        TextTooLongError: it has more bytes, characters or lines than are taken.
        InvalidRequestError: it is not of that kind, or a speaker has no voice.
    """
    _check_size(text, limits)
    match kind:
        case ScriptKind.TEXT:
            found = _paragraphs(text, voice)
        case ScriptKind.SRT:
            found = _subtitles(text, voice, limits)
        case ScriptKind.DIALOGUE:
            found = _turns(text, voices, has_reference=has_reference)
    lines: list[Line] = []
    for line in found:
        if len(lines) == limits.max_script_lines:
            raise TextTooLongError(
                Translatable(
                    "The text has more than {max_lines} paragraphs, subtitles or turns.",
                    max_lines=limits.max_script_lines,
                ),
                remedy="Send it in several parts.",
            )
        lines.append(line)
    # A player shows subtitles in the order of their times, whatever that of the file is.
    lines.sort(key=lambda line: line.start_s or 0.0)
    return Script(kind, tuple(lines))


def _check_size(text: str, limits: JobSettings) -> None:
    try:
        n_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRequestError("The text holds half of a surrogate pair.") from None
    if len(text) > limits.max_script_chars or n_bytes > limits.max_script_bytes:
        raise TextTooLongError(
            Translatable(
                "The text has {n_chars} characters ({n_bytes} bytes); a job takes"
                " {max_chars} characters and {max_bytes} bytes.",
                n_chars=len(text),
                n_bytes=n_bytes,
                max_chars=limits.max_script_chars,
                max_bytes=limits.max_script_bytes,
            ),
            remedy="Send it in several parts.",
        )


def _lines_of(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _paragraphs(text: str, voice: str | None) -> Iterator[Line]:
    text, number = _lines_of(text), 1
    at = 0
    for gap in [*_BLANK.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        if paragraph := text[at:end].strip():
            yield Line(number, paragraph, voice)
        if gap is not None:
            number += text.count("\n", at, gap.end())
            at = gap.end()


def _subtitles(text: str, voice: str | None, limits: JobSettings) -> Iterator[Line]:
    latest_s = limits.max_subtitle_hours * 3600
    for cue in read_cues(text):
        if cue.start_s > latest_s:
            raise InvalidRequestError(
                Translatable(
                    "Line {number} of the .srt is wrong: it starts after {hours:g} hours.",
                    number=cue.line,
                    hours=limits.max_subtitle_hours,
                ),
                remedy="Let the times begin at 0, or send it in several parts.",
            )
        said = _WRAPPED.sub(" ", cue.text)
        yield Line(cue.line, said, voice, start_s=cue.start_s, end_s=cue.end_s)


def _turns(text: str, voices: Mapping[str, str], *, has_reference: bool) -> Iterator[Line]:
    """Yield the turns of a dialogue; a line without a name goes on with the turn before it."""
    voice_of: dict[str, tuple[str, str | None]] = {
        _folded(name): (name.strip(), voice) for name, voice in voices.items()
    }
    unknown: dict[str, int] = {}
    for number, speaker, said in _spoken_by(_lines_of(text).split("\n")):
        known = voice_of.get(_folded(speaker), (speaker, None) if has_reference else None)
        if known is None:
            unknown.setdefault(speaker, number)
        else:
            yield Line(number, "\n".join(said).strip(), known[1], speaker=known[0])
    if unknown:
        raise _unknown_speakers(unknown)


def _spoken_by(lines: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield of each turn the number of its first line, its speaker, and its lines."""
    turn: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(lines, 1):
        named = _TURN.fullmatch(line.strip())
        if named is not None:
            if turn is not None:
                yield turn
            turn = (number, named[1].strip(), [named[2] or ""])
        elif turn is not None:
            turn[2].append(line)
        elif line.strip():
            raise InvalidRequestError(
                Translatable("Line {number} of the dialogue names no speaker.", number=number),
                remedy="Begin each turn with a name and a colon, such as Lan: Xin chào.",
            )
    if turn is not None:
        yield turn


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def _unknown_speakers(unknown: Mapping[str, int]) -> InvalidRequestError:
    shown = [f"{one_line(name)} ({number})" for name, number in unknown.items()][:_MAX_NAMED]
    more = "" if len(shown) == len(unknown) else ", …"
    return InvalidRequestError(
        Translatable(
            "These speakers (with the line of each) have no voice: {names}.",
            names=", ".join(shown) + more,
        ),
        remedy="Give each speaker a voice; a line that is no turn must not begin with a word and"
        " a colon.",
    )


def decoded(data: bytes) -> str:
    """Return the text of a file.

    Raises:
        TextEncodingError: it is no text in a known encoding.
    """
    return decode_text(data, Translatable("The file"))
