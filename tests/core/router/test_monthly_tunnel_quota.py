"""The tunnel's monthly quota."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_clock import FakeClock

from vieneu_core.router.monthly_tunnel_quota import TunnelQuota


def budget(path: Path | None, clock: FakeClock | None = None) -> TunnelQuota:
    return TunnelQuota(
        path, clock=clock or FakeClock(), monthly_requests=1000, monthly_bytes=1_000_000
    )


def test_requests_and_bytes_are_counted_and_the_nearer_end_rules() -> None:
    one = budget(None)
    one.record(100, 5)
    assert one.status().used == pytest.approx(0.1)
    one.record(0, 500_000)
    assert one.status().used == pytest.approx(0.500005)
    assert (one.status().requests, one.status().bytes) == (100, 500_005)


def test_it_warns_once_at_70_and_once_at_90_percent() -> None:
    one = budget(None)
    warned = []
    for _ in range(1000):
        one.record(1, 0)
        mark = one.due()
        if mark is not None:
            warned.append((one.status().requests, mark))
    assert warned == [(700, 0.7), (900, 0.9)]


def test_one_large_step_gives_one_warning() -> None:
    one = budget(None)
    one.record(950, 0)
    assert one.due() == 0.9
    assert one.due() is None


async def test_a_new_month_begins_at_zero() -> None:
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    one = budget(None, clock)
    one.record(900, 0)
    assert one.due() == 0.9
    await clock.advance(120)
    assert one.status().month == "2026-12"
    assert one.status().requests == 0
    one.record(1, 10)
    assert one.status().requests == 1
    one.record(800, 0)
    assert one.due() == 0.7


async def test_counts_and_warnings_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "budget.json"
    one = budget(path)
    one.record(750, 123)
    assert one.due() == 0.7
    await one.flush()
    again = budget(path)
    again.record(1, 1)  # traffic before the file was read is not lost either
    await again.load()
    assert (again.status().requests, again.status().bytes) == (751, 124)
    assert again.due() is None


async def test_last_months_file_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    one = budget(path)
    one.record(500, 0)
    await one.flush()
    later = budget(path, FakeClock(datetime(2026, 12, 1, tzinfo=UTC)))
    await later.load()
    assert later.status().requests == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"month": 3}', '{"month":"2026-11"}', "\xff"])
async def test_a_damaged_file_is_reported_and_counting_goes_on(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "budget.json"
    path.write_text(text, "latin-1")
    one = budget(path)
    await one.load()
    assert "not readable" in caplog.text
    one.record(1, 1)
    await one.flush()
    assert json.loads(path.read_text())["requests"] == 1


async def test_a_write_that_is_cancelled_is_still_waited_for_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    one = budget(path)
    for n in range(20):
        one.record(1, 0)
        first = asyncio.ensure_future(one.flush())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await one.flush()
        assert json.loads(path.read_text())["requests"] == n + 1
    assert os.listdir(tmp_path) == ["budget.json"]  # noqa: PTH208 - a name is all that counts


async def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    one = budget(path)
    await one.flush()
    assert not path.exists()
    await budget(None).flush()
    await budget(None).load()


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs /proc")
async def test_a_folder_that_cannot_be_written_costs_only_the_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = budget(Path("/proc/self/vieneu/budget.json"))
    one.record(1, 1)
    await one.flush()
    assert "cannot be kept" in caplog.text
    assert one.status().requests == 1


async def test_reading_the_file_again_counts_nothing_twice(tmp_path: Path) -> None:
    one = budget(tmp_path / "budget.json")
    for _ in range(3):  # a router that is loaded, unloaded, loaded again
        await one.load()
        one.record(10, 100)
        await one.flush()
    assert (one.status().requests, one.status().bytes) == (30, 300)
