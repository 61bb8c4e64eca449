"""The report: what it counts, and what makes a run fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chaos.__main__ import earlier, parsed, replayed
from chaos.faults import every_kind
from chaos.lane import Result
from chaos.report import beyond_goals, broken, exit_code, summary, table
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
    seed=1,
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
    assert len(broken([disturbed])) == 1
    assert "1 announcements during which the machine was late" in summary([KILLED, disturbed])


@pytest.mark.parametrize(
    "changes", [{"lost": 1}, {"reordered": 1}, {"repeated": 2}, {"unknown": 1}]
)
def test_a_broken_promise_is_named_with_its_episode(changes: dict[str, float]) -> None:
    (line,) = broken([KILLED, with_verdict(**changes)])

    assert line.startswith("seed 1, episode 3, remote: server killed, during, announcement 1:")


def test_an_error_is_named_although_all_was_heard() -> None:
    (line,) = broken([replace(KILLED, error="stream_interrupted")])

    assert "(stream_interrupted)" in line


def test_one_sentence_that_is_said_twice_is_no_broken_promise() -> None:
    assert broken([with_verdict(repeated=1, begun_again=0)]) == []


def test_a_silence_beyond_the_goal_of_its_fault_is_named() -> None:
    assert beyond_goals([KILLED, with_verdict(longest_silence_s=2.1)]) == [
        "remote: server killed: 2.1 s of silence, goal 2 s"
    ]
    stopped = replace(with_verdict(longest_silence_s=2.1), kind="remote: server stopped (SIGSTOP)")
    assert beyond_goals([stopped]) == []


def test_a_late_first_sound_of_a_short_announcement_is_named() -> None:
    short = replace(
        with_verdict(first_sound_s=1.6, longest_silence_s=1.6), kind="local: none, long reading"
    )

    assert beyond_goals([short]) == ["local: none, long reading: 1.6 s of silence, goal 1.5 s"]


def test_a_fault_that_was_heard_only_while_the_machine_was_late_has_not_reached_its_goal() -> None:
    late = replace(KILLED, late_s=3.0)

    (line,) = beyond_goals([late])
    assert line.startswith("remote: server killed: not judged")
    assert beyond_goals([late, KILLED]) == []


def test_another_voice_is_named_where_nothing_is_wrong_with_the_chosen_one() -> None:
    assert beyond_goals([KILLED]) == []

    set_clock = replace(KILLED, kind="remote: clock of server set a day back")
    (line,) = beyond_goals([set_clock])
    assert line.startswith("remote: clock of server set a day back: local spoke")


def test_several_seeds_have_one_table() -> None:
    others = [replace(with_verdict(longest_silence_s=0.2 * seed), seed=seed) for seed in (2, 3)]

    assert row(KILLED, *others)[1] == "3"
    assert row(KILLED, *others)[8] == "0.6"
    assert summary([KILLED, *others]).startswith("Seeds 1, 2, 3: 3 announcements, 12 sentences.")
    (line,) = broken([KILLED, replace(with_verdict(lost=1), seed=7)])
    assert line.startswith("seed 7, episode 3,")


@pytest.mark.parametrize(
    ("words", "seeds"), [("4", (4,)), ("1-3", (1, 2, 3)), ("9-10", (9, 10)), ("5-5", (5,))]
)
def test_seeds_are_one_or_a_range(words: str, seeds: tuple[int, ...]) -> None:
    assert parsed(["--seeds", words]).seeds == seeds
    assert parsed(["--seed", words]).seeds == seeds


@pytest.mark.parametrize("words", ["", "3-1", "one", "1-", "1,2", "-4"])
def test_other_seeds_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed([f"--seeds={words}"])
    assert "--seed" in capsys.readouterr().err


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "changes", [{"lost": 1}, {"reordered": 1}, {"repeated": 2}, {"unknown": 1}]
)
def test_a_broken_promise_fails_every_run(changes: dict[str, float], strict: bool) -> None:
    disturbed = replace(with_verdict(**changes), late_s=3.0)

    assert exit_code([KILLED], complete=True, strict=strict) == 0
    assert exit_code([KILLED, with_verdict(**changes)], complete=True, strict=strict) == 1
    assert exit_code([KILLED, disturbed], complete=True, strict=strict) == 1


@pytest.mark.parametrize("strict", [False, True])
def test_a_run_that_did_not_come_to_its_end_or_heard_nothing_fails(strict: bool) -> None:
    assert exit_code([KILLED], complete=False, strict=strict) == 1
    assert exit_code([], complete=True, strict=strict) == 1


def test_a_silence_beyond_its_goal_fails_a_strict_run_only() -> None:
    silent = with_verdict(longest_silence_s=2.1)

    assert exit_code([silent], complete=True, strict=True) == 1
    assert exit_code([silent], complete=True, strict=False) == 0


@pytest.mark.parametrize(
    ("arguments", "strict"),
    [
        ((), True),
        (("--announcements", "10"), True),
        (("--no-strict",), False),
        (("--profile", "short"), False),
        (("--profile", "short", "--strict"), True),
    ],
)
def test_the_full_profile_is_strict_and_the_short_one_is_not(
    arguments: tuple[str, ...], strict: bool
) -> None:
    assert parsed(arguments).strict is strict


def test_no_goal_is_longer_than_that_of_a_hang_where_another_backend_can_speak() -> None:
    with_others = [kind for kind in every_kind() if not kind.plain_client]

    assert max(kind.goal_s or 0.0 for kind in with_others) == 3.0
    several = [kind.key for kind in with_others if kind.goal_s is None]
    assert several == [
        "remote: server and local worker killed",
        "remote: worker killed every 0.3 s",
        "local: worker killed every 0.3 s",
    ]


def test_a_result_travels_as_json() -> None:
    assert Result.of_json(json.loads(json.dumps(KILLED.as_json()))) == KILLED


def test_the_replay_of_an_episode_does_not_take_it_for_done() -> None:
    for results in (["--results", "FILE"], ["--results=FILE"], []):
        given = ["--seeds", "1-10", *results, "--lanes", "1", "--no-strict"]
        again = parsed([*replayed(given), "--seed", "2", "--episode", "37"])

        assert again.results is None
        assert (again.seeds, again.episode, again.lanes, again.strict) == ((2,), 37, 1, False)


def test_results_that_were_kept_without_their_seed_are_those_of_the_seed_that_is_asked_for(
    tmp_path: Path,
) -> None:
    kept, fields = tmp_path / "results", KILLED.as_json()
    del fields["seed"]
    kept.write_text(json.dumps(fields) + "\n" + json.dumps(KILLED.as_json()) + "\n", "utf-8")

    assert earlier(kept, 7) == [replace(KILLED, seed=7), KILLED]
