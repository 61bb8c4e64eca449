"""The report: what it counts, and what makes a run fail."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from chaos.lane import Result
from chaos.report import broken, summary, table, too_silent
from chaos.verdict import Verdict

WELL = Verdict(
    n_sentences=4,
    lost=0,
    repeated=0,
    reordered=0,
    begun_again=1,
    unknown=0,
    first_sound_s=0.1,
    longest_silence_s=0.4,
    voices=("remote", "remote", "local", "local"),
)
KILLED = Result(
    episode=3,
    kind="remote: server killed",
    moment="during",
    nth=0,
    verdict=WELL,
    error="",
    late_s=0.01,
)


def with_verdict(**changes: Any) -> Result:
    return replace(KILLED, verdict=replace(WELL, **changes))


def row(*results: Result) -> list[str]:
    return [cell.strip() for cell in table(results).splitlines()[2].strip("|").split("|")]


def test_the_table_has_a_row_for_each_fault_and_one_for_all() -> None:
    other = replace(KILLED, kind="local: none", moment="before")
    lines = table([KILLED, other, with_verdict(longest_silence_s=1.7)]).splitlines()

    assert lines[2:] == [
        "| local: none | 1 | 0 | 0 | 0 | 1 | 0.1 | 0.4 |  |  | 50% |",
        "| remote: server killed | 2 | 0 | 0 | 0 | 2 | 0.1 |  | 1.7 |  | 50% |",
        "| all | 3 | 0 | 0 | 0 | 3 | 0.1 | 0.4 | 1.7 |  | 50% |",
    ]


def test_silences_while_the_machine_was_late_are_left_out_and_what_was_lost_is_not() -> None:
    disturbed = replace(with_verdict(lost=1, longest_silence_s=9.0), late_s=3.0)

    assert row(KILLED, disturbed)[:3] == ["remote: server killed", "2", "1"]
    assert row(KILLED, disturbed)[8] == "0.4"
    assert row(disturbed)[8] == "(9.0)"
    assert too_silent([disturbed]) == []
    assert len(broken([disturbed])) == 1
    assert "1 announcements during which the machine was late" in summary([KILLED, disturbed])


@pytest.mark.parametrize(
    "changes", [{"lost": 1}, {"reordered": 1}, {"repeated": 2}, {"unknown": 1}]
)
def test_a_broken_promise_is_named_with_its_episode(changes: dict[str, float]) -> None:
    (line,) = broken([KILLED, with_verdict(**changes)])

    assert line.startswith("episode 3, remote: server killed, during, announcement 1:")


def test_an_error_is_named_although_all_was_heard() -> None:
    (line,) = broken([replace(KILLED, error="stream_interrupted")])

    assert "(stream_interrupted)" in line


def test_one_sentence_that_is_said_twice_is_no_broken_promise() -> None:
    assert broken([with_verdict(repeated=1, begun_again=0)]) == []


def test_a_silence_beyond_the_goal_of_its_fault_is_named() -> None:
    assert too_silent([with_verdict(longest_silence_s=2.1)]) == [
        "remote: server killed: 2.1 s of silence, goal 2 s"
    ]
    stopped = replace(with_verdict(longest_silence_s=2.1), kind="remote: server stopped (SIGSTOP)")
    assert too_silent([stopped]) == []


def test_a_result_travels_as_json() -> None:
    assert Result.of_json(json.loads(json.dumps(KILLED.as_json()))) == KILLED
