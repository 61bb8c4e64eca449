"""A worker that died is started again."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from fake_clock import FakeClock, settle
from local_rig import TWO, Make, check_speaks, is_ready, say, state
from waiting import until

from vieneu_core.backends.base import BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotLoadedError,
    DeviceMemoryError,
    ModelLoadError,
    WorkerDiedError,
    WorkerStartError,
)
from vieneu_core.worker.process_handle import WorkerProcess
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes


async def test_while_it_is_started_again_requests_learn_when_to_come_back(
    make: Make, clock: FakeClock
) -> None:
    backend = make(
        clock=clock,
        restart=RestartPolicy(first_delay_s=4.0),
        times=WorkerTimes(start_wait_s=0.0),
    )
    await backend.load()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(BackendLoadingError) as caught:
        await say(backend, TWO[0])

    assert caught.value.retry_after_s == pytest.approx(4.0, abs=1.0)
    assert caught.value.backend == "local"
    assert await state(backend) is BackendState.LOADING
    assert (await backend.health()).uptime_s is None
    with pytest.raises(BackendLoadingError):
        await backend.voices()
    await clock.advance(4.1)
    await until(lambda: is_ready(backend))
    await check_speaks(backend)


async def test_the_delay_doubles_up_to_its_cap_and_is_short_again_after_a_healthy_while(
    make: Make, clock: FakeClock
) -> None:
    policy = RestartPolicy(first_delay_s=1.0, max_delay_s=3.0, healthy_after_s=60.0)
    backend = make(clock=clock, restart=policy, times=WorkerTimes(start_wait_s=0.0))
    await backend.load()

    assert (await backend.health()).worker_restarts == 0
    for delay_s in [1.0, 2.0, 3.0, 3.0]:
        await die_and_come_back(backend, clock, delay_s)
    await clock.advance(61.0)
    assert (await backend.health()).worker_restarts == 4
    for delay_s in [1.0, 2.0]:
        await die_and_come_back(backend, clock, delay_s)


async def die_and_come_back(backend: LocalBackend, clock: FakeClock, delay_s: float) -> None:
    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    await settle()
    await clock.advance(delay_s - 0.01)
    assert backend.worker_pid is None
    await clock.advance(0.02)
    await until(lambda: is_ready(backend))


async def test_a_request_waits_a_moment_for_a_worker_that_comes_back(make: Make) -> None:
    backend = make()
    await backend.load()
    old = backend.worker_pid
    assert old is not None

    os.kill(old, signal.SIGKILL)
    await until(lambda: backend.worker_pid != old)

    await check_speaks(backend)
    assert backend.worker_pid != old


async def test_a_death_while_it_loads_again_is_tried_once_more(make: Make, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    backend = make(crash_once_file=str(trap))
    await backend.load()
    trap.touch()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")

    await check_speaks(backend)
    assert not trap.exists()


async def loaded_before_memory_ran_out(
    make: Make, full: Path, policy: RestartPolicy, **options: object
) -> LocalBackend:
    """Return a backend whose engine does not load again while that file exists."""
    backend = make(restart=policy, fail_while_file=str(full), **options)
    await backend.load()
    await asyncio.to_thread(full.touch)
    return backend


async def test_a_model_that_was_loaded_before_and_does_not_load_now_is_tried_again(
    make: Make, tmp_path: Path
) -> None:
    """Another program may hold the memory for a while; meanwhile everyone hears the reason."""
    full = tmp_path / "full"
    policy = RestartPolicy(first_delay_s=0.0, max_failed_starts=2, again_after_s=0.3)
    backend = await loaded_before_memory_ran_out(make, full, policy, recovers=True)

    with pytest.raises(DeviceMemoryError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(DeviceMemoryError):
        await say(backend, TWO[0])
    full.unlink()

    await until(lambda: is_ready(backend))
    await check_speaks(backend)


async def test_loading_by_hand_does_not_wait_for_the_next_try(make: Make, tmp_path: Path) -> None:
    full = tmp_path / "full"
    policy = RestartPolicy(first_delay_s=0.0, max_failed_starts=1, again_after_s=3600.0)
    backend = await loaded_before_memory_ran_out(make, full, policy)
    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(DeviceMemoryError):
        await say(backend, TWO[0])
    full.unlink()

    await backend.load()
    await check_speaks(backend)


async def test_it_is_given_up_after_several_failed_starts(make: Make, tmp_path: Path) -> None:
    full = tmp_path / "full"
    policy = RestartPolicy(first_delay_s=0.0, max_failed_starts=2)
    backend = await loaded_before_memory_ran_out(make, full, policy)

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(DeviceMemoryError):
        await say(backend, TWO[0])
    assert await state(backend) is BackendState.FAILED


async def test_a_model_that_dies_again_and_again_is_given_up(make: Make, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    backend = make(
        restart=RestartPolicy(first_delay_s=0.0, max_failed_starts=1), crash_once_file=str(trap)
    )
    await backend.load()
    trap.touch()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(ModelLoadError, match="SIGKILL"):
        await say(backend, TWO[0])

    assert await state(backend) is BackendState.FAILED
    await backend.load()
    await check_speaks(backend)


async def test_unloading_while_it_is_being_started_again_ends_the_wait(
    make: Make, clock: FakeClock
) -> None:
    backend = make(clock=clock, restart=RestartPolicy(first_delay_s=5.0))
    await backend.load()
    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    waiting = asyncio.create_task(say(backend, TWO[0]))
    await settle()

    await backend.unload()

    with pytest.raises(BackendNotLoadedError):
        await waiting
    await backend.load()
    assert (await backend.health()).worker_restarts == 0, "the admin's start is none"


class Lack:
    """Lets the next starts of a process fail, as where the system has no descriptors left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_left = self.n_failed = 0
        really = WorkerProcess.spawn

        async def spawn() -> WorkerProcess:
            if not self.n_left:
                return await really()
            self.n_left -= 1
            self.n_failed += 1
            raise WorkerStartError("Too many open files.")

        monkeypatch.setattr(WorkerProcess, "spawn", spawn)


@pytest.fixture
def lack(monkeypatch: pytest.MonkeyPatch) -> Lack:
    return Lack(monkeypatch)


async def test_a_first_start_that_lacks_something_is_tried_again_with_the_usual_delays(
    make: Make, clock: FakeClock, lack: Lack
) -> None:
    lack.n_left = 2
    backend = make(clock=clock, restart=RestartPolicy(first_delay_s=1.0, max_delay_s=8.0))
    loading = asyncio.create_task(backend.load())
    await until(lambda: lack.n_failed == 1)
    await settle()
    assert await state(backend) is BackendState.LOADING

    await clock.advance(0.9)
    assert lack.n_failed == 1
    await clock.advance(0.2)
    assert lack.n_failed == 2
    await clock.advance(2.1)

    await loading
    assert not lack.n_left
    await check_speaks(backend)


async def test_a_start_that_lacks_something_for_long_is_named(make: Make, lack: Lack) -> None:
    lack.n_left = 100
    backend = make(restart=RestartPolicy(first_delay_s=0.0, max_failed_starts=3))

    with pytest.raises(WorkerStartError):
        await backend.load()
    assert lack.n_failed == 3
    assert await state(backend) is BackendState.FAILED

    lack.n_left = 0
    await backend.load()
    await check_speaks(backend)


async def test_a_restart_that_lacks_something_is_tried_again(make: Make, lack: Lack) -> None:
    backend = make()
    await backend.load()
    lack.n_left = 3

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")

    await check_speaks(backend)
    assert not lack.n_left
