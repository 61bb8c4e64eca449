"""Codes of clips: encoded once, kept within a limit, made again where they are damaged."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from voice_clips import clip

from vieneu_core.voices.code_cache import CodesCache


@dataclass
class CountingEncoder:
    fingerprint: str = "one"
    heard: list[int] = field(default_factory=list)

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        self.heard.append(len(samples))
        return (0, 65_535, len(self.heard))


def test_a_clip_is_encoded_once(tmp_path: Path) -> None:
    encoder = CountingEncoder()

    first = CodesCache(tmp_path).get_or_encode(clip(), encoder)
    again = CodesCache(tmp_path).get_or_encode(clip(), encoder)

    assert first == again == (0, 65_535, 1)
    assert encoder.heard == [16_000 * 4]


def test_another_clip_or_encoder_is_another_entry(tmp_path: Path) -> None:
    encoder, other = CountingEncoder(), CountingEncoder("two")
    cache = CodesCache(tmp_path)

    cache.get_or_encode(clip(), encoder)
    cache.get_or_encode(clip(1), encoder)
    cache.get_or_encode(clip(), other)

    assert (len(encoder.heard), len(other.heard)) == (2, 1)


@pytest.mark.parametrize("damage", [b"", b"VNC1", b"nonsense" * 9])
def test_damaged_codes_are_made_again(tmp_path: Path, damage: bytes) -> None:
    encoder, cache = CountingEncoder(), CodesCache(tmp_path)
    cache.get_or_encode(clip(), encoder)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x" if damage == b"VNC1" else damage)

    assert cache.get_or_encode(clip(), encoder)[2] == 2


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    cache = CodesCache(tmp_path, most_kept=3)
    for seed in range(6):
        cache.get_or_encode(clip(seed), CountingEncoder())

    assert len(list(tmp_path.iterdir())) == 3


def test_the_one_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache, encoder = CodesCache(tmp_path, most_kept=2), CountingEncoder()
    cache.get_or_encode(clip(1), encoder)
    (first,) = tmp_path.iterdir()
    cache.get_or_encode(clip(2), encoder)
    (second,) = set(tmp_path.iterdir()) - {first}
    os.utime(first, (0, 0))
    os.utime(second, (1, 1))

    cache.get_or_encode(clip(1), encoder)
    cache.get_or_encode(clip(3), encoder)

    assert len(encoder.heard) == 3
    kept = set(tmp_path.iterdir())
    assert first in kept, "it was used just now"
    assert second not in kept


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    encoder = CountingEncoder()
    cache = CodesCache(tmp_path / "file" / "codes")

    cache.get_or_encode(clip(), encoder)
    cache.get_or_encode(clip(), encoder)

    assert len(encoder.heard) == 2
