"""Plans of jobs: the sentences of a script, each a request of its own. Blocking."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.relay.jobs.job import Note, NoteKind, excerpt
from vieneu_colab_server.relay.jobs.script import Line, Script
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_core.errors import EmptyTextError, TextTooLongError
from vieneu_core.text.sentence_splitter import split_sentences
from vieneu_core.translatable import Translatable


class Sentence(BaseModel):
    """What is spoken by one request."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    line: int
    """Line of the job's text in which its paragraph, subtitle or turn begins, from 1."""
    voice: str | None = None
    speaker: str | None = None
    start_s: float | None = None
    """When it is to be said, of the first sentence of a subtitle; None: after the one before."""


class Plan(BaseModel):
    """All that a job will say, and what it will not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sentences: tuple[Sentence, ...]
    left_out: tuple[Note, ...] = ()
    """Lines in which nothing can be spoken."""


def plan_of(script: Script, limits: JobSettings) -> Plan:
    """Split the lines of a script into sentences.

    Raises:
        EmptyTextError: nothing in all of it can be spoken.
        TextTooLongError: it has more sentences than a job takes.
    """
    sentences: list[Sentence] = []
    left_out: list[Note] = []
    for line in script.lines:
        try:
            sentences.extend(_sentences(line))
        except EmptyTextError as error:
            left_out.append(_note(line, error))
        if len(sentences) > limits.max_script_lines:
            raise TextTooLongError(
                Translatable(
                    "The text has more than {max_sentences} sentences.",
                    max_sentences=limits.max_script_lines,
                ),
                remedy="Send it in several parts.",
            )
    if not sentences:
        raise EmptyTextError("Nothing in the whole text can be spoken.")
    return Plan(sentences=tuple(sentences), left_out=tuple(left_out))


def _sentences(line: Line) -> list[Sentence]:
    return [
        Sentence(
            text=text,
            line=line.number,
            voice=line.voice,
            speaker=line.speaker,
            start_s=None if index else line.start_s,
        )
        for index, text in enumerate(split_sentences(line.text))
    ]


def _note(line: Line, error: EmptyTextError) -> Note:
    return Note(
        kind=NoteKind.LEFT_OUT,
        line=line.number,
        text=excerpt(line.text),
        problem=problem_of(error),
    )
