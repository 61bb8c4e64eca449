"""The schedule of a run: a seed gives every episode, each independent of how many there are."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from chaos.announcement import Announcement
from chaos.fault_kind import FaultKind
from chaos.faults import every_kind
from fault_line import Moment

from vieneu_core.testing.tone import N_PITCHES

SHORT = (
    ("remote: none", Moment.BEFORE),
    ("remote: server killed", Moment.DURING),
    ("remote: answer: reset", Moment.AFTER),
    ("remote: answer: close_dirty", Moment.DURING),
    ("remote: answer: web_page", Moment.BEFORE),
    ("remote: answer: bit_flip", Moment.AFTER),
    ("remote: all answers are redirect", Moment.BEFORE),
    ("remote: mode flips", Moment.DURING),
    ("remote: 8 kB/s, 300 ms", Moment.BEFORE),
    ("remote: runtime reset, new token", Moment.AFTER),
    ("remote: name unknown (NXDOMAIN)", Moment.DURING),
    ("remote: certificate expired", Moment.BEFORE),
    ("remote: TLS alert", Moment.AFTER),
    ("remote: clock of server set a day back", Moment.DURING),
    ("remote: worker killed, plain client", Moment.DURING),
    ("local: none", Moment.BEFORE),
    ("local: worker killed", Moment.DURING),
    ("local: engine: devicememory", Moment.AFTER),
    ("local: mode flips", Moment.BEFORE),
)
"""Kinds and moments of the short profile: those that take no long waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A fault, and the announcements under it. The system is whole again afterwards."""

    seed: int
    """Seed of its run."""
    number: int
    """Position in that run, which identifies it together with the seed."""
    kind: FaultKind
    moment: Moment
    announcements: tuple[Announcement, ...]
    strike_after_s: float
    """Time from the moment to the fault, where that does not wait for its moment itself."""


def episodes(seed: int, n_announcements: int) -> list[Episode]:
    """Return the episodes of a run: every kind at every moment, in turns that differ."""
    return list(_until(n_announcements, _endless(seed)))


def short_episodes(seed: int) -> list[Episode]:
    """Return those of the short profile."""
    kinds = {kind.key: kind for kind in every_kind()}
    return [_episode(seed, n, kinds[key], moment) for n, (key, moment) in enumerate(SHORT)]


def matching(found: Sequence[Episode], words: str) -> list[Episode]:
    """Return the episodes whose kind's name has these words."""
    return [episode for episode in found if words in episode.kind.key]


def _endless(seed: int) -> Iterator[Episode]:
    deck = [(kind, moment) for kind in every_kind() for moment in kind.moments]
    numbers = count()
    for turn in count():
        random.Random(f"{seed}-turn-{turn}").shuffle(cards := list(deck))
        for kind, moment in cards:
            yield _episode(seed, next(numbers), kind, moment)


def _until(n_announcements: int, endless: Iterator[Episode]) -> Iterator[Episode]:
    n_found = 0
    while n_found < n_announcements:
        episode = next(endless)
        n_found += len(episode.announcements)
        yield episode


def _episode(seed: int, number: int, kind: FaultKind, moment: Moment) -> Episode:
    rng = random.Random(f"{seed}-{number}")
    return Episode(
        seed=seed,
        number=number,
        kind=kind,
        moment=moment,
        announcements=tuple(_announcement(rng, kind) for _ in range(kind.n_announcements)),
        strike_after_s=rng.uniform(0.0, 0.15),
    )


def _announcement(rng: random.Random, kind: FaultKind) -> Announcement:
    style = kind.style or rng.choice(["text", "text", "list", "streamed"])
    return Announcement(
        first=rng.randrange(N_PITCHES),
        n_sentences=1 if style == "short" else rng.randrange(3, 7),
        style=style,
        plays=style != "slow writer" and rng.random() < 0.3,
        long=style != "short" and rng.random() < 0.3,
    )
