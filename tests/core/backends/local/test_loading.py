"""Loading and unloading of an engine."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from local_rig import TWO, Make, check_speaks, say, state
from waiting import until

from vieneu_core.backends.base import BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    BackendNotLoadedError,
    DeviceMemoryError,
    ModelLoadError,
    VieneuError,
)
from vieneu_core.worker.process_handle import WorkerProcess
from vieneu_core.worker.spec import WorkerTimes


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("model", ModelLoadError, "The tuning fork is missing."),
        ("memory", DeviceMemoryError, "out of memory"),
        ("extra", ModelLoadError, "vieneu-core[tone]"),
        ("bug", ModelLoadError, "ZeroDivisionError: division by zero"),
        ("crash", ModelLoadError, "killed by SIGSEGV while it loaded"),
        ("voice", ModelLoadError, "No voice file."),
    ],
)
async def test_a_model_that_does_not_load_is_an_error_and_no_loop(
    make: Make, word: str, error: type[VieneuError], words: str
) -> None:
    backend = make(load_error=word)

    for _ in range(2):
        with pytest.raises(error) as caught:
            await backend.load()
        assert words in str(caught.value)
        assert type(caught.value) is error

    assert await state(backend) is BackendState.FAILED
    assert backend.worker_pid is None
    with pytest.raises(error):
        await say(backend, TWO[0])


async def test_an_engine_that_does_not_exist_is_named(no_leaks: None) -> None:  # noqa: ARG001 - it is checked afterwards
    backend = LocalBackend("gramophone")

    with pytest.raises(ModelLoadError, match=r"'gramophone'.*espeak"):
        await backend.load()
    await backend.aclose()


async def test_loading_that_takes_too_long_is_ended(make: Make) -> None:
    backend = make(times=WorkerTimes(load_s=0.2, stop_s=0.1), load_delay_s=100.0)

    with pytest.raises(ModelLoadError, match=r"0\.2 s"):
        await backend.load()

    assert backend.worker_pid is None


async def test_many_loads_at_once_start_one_worker(make: Make) -> None:
    backend = make(load_delay_s=0.1)
    loads = [asyncio.create_task(backend.load()) for _ in range(5)]
    await until(lambda: backend.worker_pid is not None)
    assert await state(backend) is BackendState.LOADING

    await asyncio.gather(*loads)

    assert len(psutil.Process().children()) == 1
    assert await state(backend) is BackendState.READY


async def test_unloading_while_it_loads_ends_both(make: Make) -> None:
    backend = make(load_delay_s=100.0)
    loading = asyncio.create_task(backend.load())
    await until(lambda: backend.worker_pid is not None)

    await backend.unload()

    with pytest.raises(BackendNotLoadedError):
        await loading
    assert backend.worker_pid is None


async def test_loading_while_it_unloads_waits_for_the_end_of_the_old_worker(make: Make) -> None:
    backend = make()
    await backend.load()
    old = backend.worker_pid
    assert old is not None

    unloading = asyncio.create_task(backend.unload())
    await asyncio.sleep(0)
    await asyncio.gather(backend.load(), backend.load())
    await unloading

    await check_speaks(backend)
    assert backend.worker_pid != old
    assert not psutil.pid_exists(old)


async def test_a_cancelled_load_goes_on_until_unloaded(make: Make) -> None:
    backend = make(load_delay_s=0.2)
    loading = asyncio.create_task(backend.load())
    await until(lambda: backend.worker_pid is not None)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading

    await backend.load()

    await check_speaks(backend)


async def test_unloading_gives_the_memory_back(make: Make) -> None:
    backend = make()
    await backend.load()
    await check_speaks(backend)
    pid = backend.worker_pid
    assert pid is not None
    assert backend.worker_rss_bytes == pytest.approx(psutil.Process(pid).memory_info().rss, rel=0.3)

    await backend.unload()

    assert not psutil.pid_exists(pid)
    assert backend.worker_rss_bytes is None
    assert backend.worker_pid is None


async def test_a_bug_in_the_supervision_leaves_nobody_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = make()

    async def broken() -> WorkerProcess:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcess, "spawn", broken)
        with pytest.raises(ModelLoadError, match="could not be kept running"):
            await backend.load()

    await backend.load()
    await check_speaks(backend)
