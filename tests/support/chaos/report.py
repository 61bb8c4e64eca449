"""The report of a run: a table by fault, and what broke a promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from chaos.faults import every_kind
from chaos.lane import DISTURBED_S, Result
from chaos.verdict import Verdict
from fault_line import Moment

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
    ``after`` are the longest silences of announcements with the fault at that moment. In brackets:
    the machine was late during all of them.
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
    n_disturbed = sum(result.disturbed for result in results)
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
    found = []
    for kind in every_kind():
        worst = max(
            (
                result.verdict.longest_silence_s
                for result in results
                if result.kind == kind.key and not result.disturbed
            ),
            default=0.0,
        )
        if kind.goal_s is not None and worst > kind.goal_s:
            found.append(f"{kind.key}: {worst:.1f} s of silence, goal {kind.goal_s:g} s")
    return found


def _row(name: str, results: Sequence[Result]) -> list[str]:
    verdicts = [result.verdict for result in results]
    return [
        name,
        str(len(results)),
        str(sum(verdict.lost for verdict in verdicts)),
        str(sum(verdict.repeated for verdict in verdicts)),
        str(sum(verdict.reordered for verdict in verdicts)),
        str(sum(verdict.begun_again for verdict in verdicts)),
        _longest(results, lambda verdict: verdict.first_sound_s),
        *(
            _longest(
                [result for result in results if result.moment == moment.value],
                lambda verdict: verdict.longest_silence_s,
            )
            for moment in Moment
        ),
        _others(results),
    ]


def _longest(results: Sequence[Result], silence_s: Callable[[Verdict], float | None]) -> str:
    found = [(silence_s(result.verdict), result.disturbed) for result in results]
    calm = [seconds for seconds, disturbed in found if seconds is not None and not disturbed]
    late = [seconds for seconds, disturbed in found if seconds is not None and disturbed]
    if calm:
        return f"{max(calm):.1f}"
    return f"({max(late):.1f})" if late else ""


def _others(results: Sequence[Result]) -> str:
    """Return the share of sentences that another backend spoke than the admin chose."""
    spoken = [(voice, r.kind) for r in results for voice in r.verdict.voices]
    others = sum(not kind.startswith(f"{voice}:") for voice, kind in spoken)
    return f"{others / len(spoken):.0%}" if spoken else ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
