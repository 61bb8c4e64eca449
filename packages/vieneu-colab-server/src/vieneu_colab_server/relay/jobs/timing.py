"""Begin and tempo of each sentence of a job. Arithmetic only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vieneu_colab_server.relay.jobs.finished_sentence import FinishedSentence
from vieneu_colab_server.relay.jobs.plan import Sentence
from vieneu_colab_server.relay.jobs.settings import JobSettings

LATE_S = 0.5
"""Less is not worth a note."""
_SHORTEST_WINDOW_S = 0.05


@dataclass(frozen=True, slots=True)
class Group:
    """Sentences that follow one another: all of one subtitle; else each by itself."""

    indices: tuple[int, ...]
    """Of the sentences that have samples; at least one."""
    start_s: float | None
    next_start_s: float | None
    """Start of the next subtitle; None where nothing follows, or at no set time."""


def groups_of(
    sentences: tuple[Sentence, ...], spoken: Mapping[int, FinishedSentence]
) -> Iterator[Group]:
    """Yield the groups in the order in which they are said."""
    starts = [
        index
        for index, sentence in enumerate(sentences)
        if index == 0 or sentence.start_s is not None or sentences[0].start_s is None
    ]
    for at, begin in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else len(sentences)
        heard = tuple(index for index in range(begin, end) if spoken[index].n_samples)
        if heard:
            following = sentences[end].start_s if end < len(sentences) else None
            yield Group(heard, sentences[begin].start_s, following)


def pause_before(
    index: int,
    previous: int | None,
    sentences: tuple[Sentence, ...],
    spoken: Mapping[int, FinishedSentence],
    settings: JobSettings,
) -> float:
    """Return the silence to add before a sentence, in seconds.

    What the voices themselves leave silent at their ends counts as part of the pause.
    """
    if previous is None:
        return 0.0
    one, other = sentences[previous], sentences[index]
    if one.line == other.line or other.start_s is not None:
        wanted_s = settings.sentence_pause_s
    elif one.speaker != other.speaker:
        wanted_s = settings.turn_pause_s
    else:
        wanted_s = settings.paragraph_pause_s
    own_s = spoken[previous].level.trail_s + spoken[index].level.lead_s
    return max(0.0, wanted_s - own_s)


def speed_of(natural_s: float, start_s: float, group: Group, settings: JobSettings) -> float:
    """Return how much faster a subtitle must be said to end before the next one starts.

    Args:
        natural_s: Its length as it is, in seconds.
        start_s: When it really starts: later than it should, where the one before it was long.
        group: The subtitle.
        settings: Of the pause that shall follow it, and of the limit.
    """
    if group.next_start_s is None:
        return 1.0
    window_s = group.next_start_s - start_s - settings.sentence_pause_s
    needed = natural_s / max(window_s, _SHORTEST_WINDOW_S)
    return min(max(1.0, needed), settings.max_speed_up)
