"""The schedule: a seed is a run."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from chaos.faults import every_kind
from chaos.schedule import SHORT, episodes, matching, short_episodes
from fault_line import Moment

N_CASES = sum(len(kind.moments) for kind in every_kind())
ENOUGH = 2 * N_CASES
"""Announcements in which every kind of fault happens at every moment."""


def test_a_seed_gives_the_same_run_again() -> None:
    assert episodes(7, 200) == episodes(7, 200)
    assert episodes(7, 200) != episodes(8, 200)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    shorter = episodes(7, 100)

    assert episodes(7, 400)[: len(shorter)] == shorter


def test_a_run_has_as_many_announcements_as_were_asked_for() -> None:
    found = episodes(1, 500)

    n_announcements = sum(len(episode.announcements) for episode in found)
    assert 500 <= n_announcements < 500 + max(kind.n_announcements for kind in every_kind())
    assert [episode.number for episode in found] == list(range(len(found)))


def test_every_fault_happens_at_each_of_its_moments_before_any_happens_twice() -> None:
    first_turn = episodes(3, ENOUGH)[:N_CASES]

    cases = Counter((episode.kind.key, episode.moment) for episode in first_turn)
    assert set(cases) == {(kind.key, moment) for kind in every_kind() for moment in kind.moments}
    assert set(cases.values()) == {1}


def test_kinds_have_names_of_their_own() -> None:
    assert [key for key, n in Counter(kind.key for kind in every_kind()).items() if n > 1] == []


def test_the_sentences_of_an_announcement_have_pitches_of_their_own() -> None:
    for episode in episodes(5, 300):
        for announcement in episode.announcements:
            assert len(set(announcement.sentences)) == announcement.n_sentences
            assert all(a != b for a, b in pairwise(announcement.sentences))


def test_the_short_profile_has_both_backends_and_every_moment() -> None:
    found = short_episodes(1)

    assert [(episode.kind.key, episode.moment) for episode in found] == list(SHORT)
    assert {episode.moment for episode in found} == set(Moment)
    assert {episode.kind.backend for episode in found} == {"remote", "local"}


def test_episodes_are_chosen_by_words_of_their_fault() -> None:
    found = matching(episodes(1, ENOUGH), "local: worker killed")

    assert {episode.kind.key for episode in found} == {
        "local: worker killed",
        "local: worker killed every 0.3 s",
    }
