"""Which replica is preferred for a voice."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from guard import GUARD_S

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: nox -s ray")
CHOICES = """
import asyncio, json, sys
from types import SimpleNamespace as Is
from vieneu_colab_server.replicas.voice_affinity import VoiceAffinity

class Known:
    def __init__(self, counts): self.counts = counts
    def get(self, replica_id): return self.counts.get(replica_id.unique_id)

def ranks(voice, counts):
    router = object.__new__(VoiceAffinity)
    router._replica_queue_len_cache = Known(counts)
    replicas = [Is(replica_id=Is(unique_id=name)) for name in counts]
    request = Is(metadata=Is(session_id=voice), routing_context=Is(should_backoff=False))
    chosen = asyncio.run(router.choose_replicas(replicas, request))
    assert request.routing_context.should_backoff
    return [[one.replica_id.unique_id for one in rank] for rank in chosen]

print(json.dumps([ranks(*case) for case in json.loads(sys.argv[1])]))
"""
"""In a process of its own: Ray warns of itself when it is imported."""


def ranks(*cases: tuple[str, dict[str, int | None]]) -> list[list[list[str]]]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHOICES, json.dumps(cases)],
        check=True,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )
    found: list[list[list[str]]] = json.loads(ended.stdout)
    return found


def test_a_voice_has_a_home_that_others_leave_alone_until_it_is_ahead() -> None:
    idle: dict[str, int | None] = dict.fromkeys("abcd")
    voices = [f"voice {n}" for n in range(40)]
    homes = [found[0][0] for found in ranks(*((voice, idle) for voice in voices))]
    fewer: dict[str, int | None] = dict.fromkeys("abc")
    later = [found[0][0] for found in ranks(*((voice, fewer) for voice in voices))]

    assert set(homes) == set("abcd"), "voices spread"
    moved = [old for old, new in zip(homes, later, strict=True) if old != new]
    assert set(moved) == {"d"}, "only those of the replica that is gone move"

    home = homes[0]
    even: dict[str, int | None] = dict.fromkeys("abcd", 1)
    ahead, too_far = even | {home: 2}, even | {home: 3}
    alone: dict[str, int | None] = {home: 3}
    near, far, only, none = ranks(
        (voices[0], ahead), (voices[0], too_far), (voices[0], alone), (voices[0], {})
    )
    assert near[0] == [home]
    assert far[-1] == [home]
    assert {*near[1], home} == {*far[0], home} == set("abcd")
    assert (only, none) == ([[home]], [])
