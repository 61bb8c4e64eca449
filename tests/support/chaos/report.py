"""The report of a run: a table by fault, and what broke a promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from chaos.fault_kind import FaultKind
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
    seeds = sorted({result.seed for result in results})
    return (
        f"Seeds {', '.join(map(str, seeds))}: {len(results)} announcements, {n_sentences}"
        " sentences. Silences in seconds at playback"
        f" speed; {n_disturbed} announcements during which the machine was late by more than"
        f" {DISTURBED_S:g} s (at most {max((r.late_s for r in results), default=0.0):.1f} s) are"
        " left out of them."
    )


def broken(results: Iterable[Result]) -> list[str]:
    """Return a line for each announcement that broke a promise."""
    return [
        f"seed {result.seed}, episode {result.episode}, {result.kind}, {result.moment},"
        f" announcement {result.nth + 1}:"
        f" lost {result.verdict.lost} of {result.verdict.n_sentences},"
        f" repeated {result.verdict.repeated}, reordered {result.verdict.reordered},"
        f" unknown {result.verdict.unknown}" + (f" ({result.error})" if result.error else "")
        for result in results
        if result.verdict.broken or result.error
    ]


def beyond_goals(results: Sequence[Result]) -> list[str]:
    """Return a line for each kind of fault that missed what its listeners should hear.

    That is a longest silence, and where nothing is wrong with the chosen backend, its voice. What
    was heard while the machine was late is not judged; a kind of which nothing could be judged has
    not reached its goals either.
    """
    kinds = {kind.key: kind for kind in every_kind()}
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.kind].append(result)
    return [
        f"{name}: {words}"
        for name in sorted(by_kind)
        if name in kinds  # results of an earlier run may have one that is gone
        for words in _missed(kinds[name], [r for r in by_kind[name] if not r.disturbed])
    ]


def exit_code(results: Sequence[Result], *, complete: bool, strict: bool) -> int:
    """Return 0 if the run came to its end and every promise was kept, else 1.

    Args:
        results: What was heard.
        complete: Whether the run came to its end.
        strict: Whether silences count, too.
    """
    failed = broken(results) or not complete or not results
    return int(bool(failed or (strict and beyond_goals(results))))


def _missed(kind: FaultKind, calm: Sequence[Result]) -> Iterator[str]:
    if not calm:
        yield "not judged, the machine was late each time (try --wait)"
        return
    worst_s = max(result.verdict.longest_silence_s for result in calm)
    if kind.goal_s is not None and worst_s > kind.goal_s:
        yield f"{worst_s:.1f} s of silence, goal {kind.goal_s:g} s"
    others = {voice for result in calm for voice in result.verdict.voices} - {kind.backend}
    if kind.same_voice and others:
        yield f"{', '.join(sorted(others))} spoke, though nothing was wrong with {kind.backend}"


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
