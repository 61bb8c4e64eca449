"""A preparation behind a router that the test scripts: what becomes of each announcement."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cache_rig import LOST, CacheRig, LeapingClock, Limited, cache_rig

from vieneu_colab_server.relay.jobs.job import JobSpec, JobState
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_colab_server.relay.preparation import (
    READY_CHECKS,
    AnnouncementPreparation,
    PreparationBody,
)
from vieneu_core.errors import InvalidRequestError
from vieneu_core.request_pace import RequestPace
from vieneu_core.testing.scripted import ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")


def announcements(n: int) -> list[str]:
    return [f"Đây là câu {number} nhé." for number in range(n)]


def preparation_of(rig: CacheRig, pace: RequestPace | None = None) -> AnnouncementPreparation:
    return AnnouncementPreparation(
        rig.backend,
        router=rig.router,
        busy=lambda: False,
        pace=pace or RequestPace(LeapingClock(rig.clock)),
        max_chars=500,
    )


async def prepared(
    rig: CacheRig, texts: list[str], pace: RequestPace | None = None
) -> list[dict[str, Any]]:
    lines = preparation_of(rig, pace).start(PreparationBody(announcements=texts), "en")
    return [json.loads(line) async for line in lines]


async def test_a_long_list_leaves_room_in_the_limit_of_the_server(tmp_path: Path) -> None:
    remote = Limited(per_minute=60)
    async with cache_rig(tmp_path, remote=remote) as rig:
        lines = await prepared(rig, announcements(70))

    assert {line["outcome"] for line in lines} == {"prepared"}
    assert remote.n_refused == 0


async def test_a_job_beside_it_leaves_room_in_the_limit_too(tmp_path: Path) -> None:
    remote = Limited(per_minute=60)
    async with cache_rig(tmp_path, remote=remote) as rig:
        pace, store = RequestPace(rig.clock), JobStore(tmp_path / "jobs", max_total_bytes=10**9)
        async with JobQueue(rig.router, store, rig.clock, lambda: False, pace=pace) as queue:
            job = await queue.submit(JobSpec(kind=ScriptKind.TEXT), " ".join(announcements(60)))
            preparing = asyncio.create_task(prepared(rig, announcements(60), pace))
            while not (preparing.done() and queue.get(job.id).state.ended):
                await rig.clock.advance(0.5)
                await asyncio.sleep(0.001)
            assert queue.get(job.id).state is JobState.DONE

    assert {line["outcome"] for line in preparing.result()} == {"prepared"}
    assert remote.n_refused == 0
    assert len(remote.sent_at_s) == 120


async def test_a_limit_that_others_used_up_is_waited_for(tmp_path: Path) -> None:
    remote = Limited(per_minute=5)
    async with cache_rig(tmp_path, remote=remote) as rig:
        lines = await prepared(rig, announcements(12))

    assert {line["outcome"] for line in lines} == {"prepared"}
    assert remote.n_refused > 0


@pytest.mark.parametrize("fallback", [False, True])
async def test_without_the_backend_the_rest_is_not_tried(tmp_path: Path, fallback: bool) -> None:
    async with cache_rig(tmp_path, fallback=fallback) as rig:
        rig.remote.script = [ScriptStep(), ScriptStep(error=LOST)]
        rig.remote.reported = LOST
        checks = rig.remote.record.health_checks
        lines = await prepared(rig, announcements(1_000))

        assert len(rig.remote.record.requests) == 2
        assert rig.remote.record.health_checks - checks <= 2 * READY_CHECKS
    assert [line["number"] for line in lines] == list(range(1, 1_001))
    assert [line["outcome"] for line in lines] == ["prepared", "failed"] + ["untried"] * 998
    assert {line["problem"]["detail"] for line in lines[2:]} == {LOST.detail}


async def test_once_the_cache_is_turned_off_the_rest_is_not_tried(tmp_path: Path) -> None:
    is_on = True
    async with cache_rig(tmp_path, enabled=lambda: is_on) as rig:
        preparation = preparation_of(rig)
        lines = preparation.start(PreparationBody(announcements=announcements(3)), "vi")
        first = json.loads(await anext(lines))
        is_on = False
        rest = [json.loads(line) async for line in lines]
        with pytest.raises(InvalidRequestError, match=r"cache\.enabled: true"):
            preparation.start(PreparationBody(announcements=announcements(3)), "vi")

    assert first["outcome"] == "prepared"
    assert [line["outcome"] for line in rest] == ["untried"] * 2
    assert {line["problem"]["detail"] for line in rest} == {"Bộ nhớ đệm giọng đọc đang tắt."}


async def test_one_with_nothing_to_say_is_silent(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        lines = await prepared(rig, ["Xin chào.", "👍", ""])

    assert [line["outcome"] for line in lines] == ["prepared", "silent", "failed"]
    assert all(line["problem"]["detail"] for line in lines[1:])
