"""The report of a run: a table by fault, and what broke a promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from chaos.faults import GOAL_OF_FIRST_SOUND_S, FaultKind, every_kind
from chaos.lane import Result
from fault_line import Moment

DISTURBED_S = 0.25
"""A process that wakes up so late had no processor: then silences are the machine's."""
COLUMNS = (
    "fault",
    "n",
    "lost",
    "repeated",
    "reordered",
    "begun again",
    "first sound",
    "before",
    "during",
    "after",
    "other voice",
)


def table(results: Sequence[Result]) -> str:
    """Return the table: counts, and the longest silences in seconds, by the fault's moment.

    ``first sound`` is the longest silence before the first sound, ``before``, ``during`` and
    ``after`` are the longest silences of announcements with the fault at that moment.
    """
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.kind].append(result)
    rows = [_row(kind, by_kind[kind]) for kind in sorted(by_kind)]
    rows.append(_row("all", results))
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, rows)]
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """Return the lines below the table."""
    n_disturbed = sum(map(_disturbed, results))
    n_sentences = sum(result.verdict.n_sentences for result in results)
    return (
        f"{len(results)} announcements, {n_sentences} sentences. Silences in seconds at playback"
        f" speed; {n_disturbed} announcements during which the machine was late by more than"
        f" {DISTURBED_S:g} s (at most {max((r.late_s for r in results), default=0.0):.1f} s) are"
        " left out of them."
    )


def broken(results: Iterable[Result]) -> list[str]:
    """Return a line for each announcement that broke a promise."""
    return [
        f"episode {result.episode}, {result.kind}, {result.moment}, announcement {result.nth + 1}:"
        f" lost {result.verdict.lost} of {result.verdict.n_sentences},"
        f" repeated {result.verdict.repeated}, reordered {result.verdict.reordered},"
        f" unknown {result.verdict.unknown}" + (f" ({result.error})" if result.error else "")
        for result in results
        if result.verdict.broken or result.error
    ]


def too_silent(results: Sequence[Result]) -> list[str]:
    """Return a line for each kind of fault whose longest silence is beyond its goal."""
    kinds = {kind.key: kind for kind in every_kind()}
    found = []
    for key in sorted({result.kind for result in results}):
        kind = kinds[key]
        worst = _longest(results, lambda r, key=key: r.kind == key)  # type: ignore[misc]
        if kind.goal_s is not None and worst is not None and worst > kind.goal_s:
            found.append(f"{key}: {worst:.1f} s of silence, goal {_goal(kind)}")
    return found


def _goal(kind: FaultKind) -> str:
    first = " to the first sound" if kind.goal_s == GOAL_OF_FIRST_SOUND_S else ""
    return f"{kind.goal_s:g} s{first}"


def _row(name: str, results: Sequence[Result]) -> list[str]:
    verdicts = [result.verdict for result in results]
    firsts = [
        result.verdict.first_sound_s
        for result in results
        if not _disturbed(result) and result.verdict.first_sound_s is not None
    ]
    return [
        name,
        str(len(results)),
        str(sum(verdict.lost for verdict in verdicts)),
        str(sum(verdict.repeated for verdict in verdicts)),
        str(sum(verdict.reordered for verdict in verdicts)),
        str(sum(verdict.begun_again for verdict in verdicts)),
        _seconds(max(firsts, default=None)),
        *(
            _seconds(_longest(results, lambda r, moment=moment: r.moment == moment.value))  # type: ignore[misc]
            for moment in Moment
        ),
        _others(results),
    ]


def _longest(results: Iterable[Result], belongs: Callable[[Result], bool]) -> float | None:
    return max(
        (r.verdict.longest_silence_s for r in results if belongs(r) and not _disturbed(r)),
        default=None,
    )


def _others(results: Sequence[Result]) -> str:
    """Return the share of sentences that another backend spoke than the admin chose."""
    spoken = [(voice, r.kind) for r in results for voice in r.verdict.voices]
    others = sum(not kind.startswith(f"{voice}:") for voice, kind in spoken)
    return f"{others / len(spoken):.0%}" if spoken else ""


def _disturbed(result: Result) -> bool:
    return result.late_s > DISTURBED_S


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
