"""A local backend whose worker starts with the first request."""

from __future__ import annotations

import asyncio

import pytest
from fake_clock import FakeClock
from local_rig import Make, check_speaks, is_ready, state
from waiting import until

from vieneu_core.backends.base import BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import BackendNotLoadedError, ModelLoadError
from vieneu_core.worker.spec import WorkerTimes

IMPATIENT = WorkerTimes(start_wait_s=0.0)


async def test_the_first_request_starts_the_worker_and_waits_for_it(make: Make) -> None:
    backend = make(on_demand=True, times=IMPATIENT, clock=FakeClock())

    await backend.load()
    assert (await state(backend), backend.worker_pid) == (BackendState.READY, None)

    await check_speaks(backend)
    assert await state(backend) is BackendState.READY
    assert backend.worker_pid is not None


async def test_it_starts_a_second_later_in_any_case(make: Make) -> None:
    clock = FakeClock()
    backend = make(on_demand=True, clock=clock)
    await backend.load()

    await clock.advance(0.9)
    assert backend.worker_pid is None
    await clock.advance(0.2)
    await until(lambda: backend.worker_pid is not None)
    await until(lambda: is_ready(backend))


async def test_unloaded_before_that_it_never_starts(make: Make) -> None:
    clock = FakeClock()
    backend = make(on_demand=True, clock=clock)
    await backend.load()
    await backend.unload()

    await clock.advance(5.0)
    assert (await state(backend), backend.worker_pid) == (BackendState.UNLOADED, None)


async def test_requests_that_come_together_start_one_worker(make: Make) -> None:
    backend = make(on_demand=True, times=IMPATIENT)
    await backend.load()

    await asyncio.gather(*(check_speaks(backend) for _ in range(5)))

    assert (await backend.health()).worker_restarts == 0


async def test_its_voices_start_it_too(make: Make) -> None:
    backend = make(on_demand=True, times=IMPATIENT)
    await backend.load()

    assert len(await backend.voices()) > 0
    assert backend.worker_pid is not None


async def test_an_engine_that_cannot_be_loaded_is_told_to_each_request(make: Make) -> None:
    backend = make(on_demand=True, times=IMPATIENT, load_error="model")
    await backend.load()

    for _ in range(2):
        with pytest.raises(ModelLoadError, match="The tuning fork is missing"):
            await check_speaks(backend)
        assert await state(backend) is BackendState.FAILED


async def test_unloaded_it_starts_no_worker(make: Make) -> None:
    backend = make(on_demand=True)
    with pytest.raises(BackendNotLoadedError):
        await check_speaks(backend)

    await backend.load()
    await check_speaks(backend)
    await backend.unload()
    assert await state(backend) is BackendState.UNLOADED
    with pytest.raises(BackendNotLoadedError):
        await check_speaks(backend)
    await until(lambda: backend.worker_pid is None)


async def test_loaded_again_after_a_start_that_failed_it_starts_again(make: Make) -> None:
    clock = FakeClock()
    backend = make(on_demand=True, clock=clock, load_error="model")
    await backend.load()
    await clock.advance(1.1)
    await until(lambda: is_failed(backend))

    await backend.load()
    await clock.advance(1.1)
    await until(lambda: backend.worker_pid is not None)


async def is_failed(backend: LocalBackend) -> bool:
    return await state(backend) is BackendState.FAILED
