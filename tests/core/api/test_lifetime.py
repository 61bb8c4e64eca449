"""`async with`, and the end of a backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import psutil
import pytest
from backend_cases import CASES, BackendCase

from vieneu_core import (
    AudioChunk,
    Backend,
    BackendState,
    Health,
    LocalBackend,
    Router,
    ScriptedBackend,
    Speaker,
    SynthesisRequest,
    Voice,
    synthesize,
)
from vieneu_core.errors import BackendNotLoadedError, ModelLoadError

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_async_with_loads_and_closes_every_backend(case: BackendCase) -> None:
    async with case.make(0.0) as backend:
        async with backend as entered:
            assert entered is backend
            assert (await synthesize(backend, "Xin chào bạn.")).seconds > 0

        assert not (await backend.health()).ready
        with pytest.raises(BackendNotLoadedError, match="closed permanently"):
            await backend.load()
        with pytest.raises(BackendNotLoadedError):
            await synthesize(backend, "Xin chào bạn.")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_exception_passes_through_and_everything_is_closed(case: BackendCase) -> None:
    async with case.make(0.0) as backend:
        with pytest.raises(ZeroDivisionError):
            async with backend:
                raise ZeroDivisionError

        assert not (await backend.health()).ready


async def test_a_cancelled_task_closes_what_it_loaded() -> None:
    backend = LocalBackend("tone_engine:create")
    entered = asyncio.Event()

    async def use() -> None:
        async with Router(local=backend) as router:
            await synthesize(router, "Xin chào bạn.")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await entered.wait()
    pid = backend.worker_pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_load_that_is_cancelled_closes_what_it_began() -> None:
    local = ScriptedBackend(name="local")
    local.load_hold = asyncio.Event()
    router = Router(local=local)

    async def use() -> None:
        async with router:
            pytest.fail("it is never loaded")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(use(), 0.05)
    with pytest.raises(BackendNotLoadedError, match="closed permanently"):
        await router.load()


async def test_a_load_that_fails_raises_its_reason_and_closes() -> None:
    backend = LocalBackend("espaek")
    with pytest.raises(ModelLoadError, match="espaek"):
        async with backend:
            pytest.fail("it cannot be loaded")

    assert backend.worker_pid is None
    with pytest.raises(BackendNotLoadedError, match="closed permanently"):
        await backend.load()


async def test_one_backend_that_cannot_be_loaded_does_not_stop_the_router() -> None:
    broken = ScriptedBackend(name="local")
    broken.load_error = ModelLoadError("No model.")
    async with Router(local=broken, last_resort=ScriptedBackend(name="last_resort")) as router:
        speech = await synthesize(router, "Xin chào.")

    assert [speaker.backend for speaker in speech.speakers] == ["last_resort"]
    assert speech.fallback


async def test_a_router_of_which_nothing_loads_raises_the_cause() -> None:
    broken = ScriptedBackend(name="local")
    broken.load_error = ModelLoadError("No model.")
    with pytest.raises(ModelLoadError):
        async with Router(local=broken):
            pytest.fail("nothing can speak")


async def test_closing_within_the_block_may_be_repeated_by_its_end() -> None:
    async with Router(local=ScriptedBackend()) as router:
        await router.aclose()


async def test_a_closed_router_starts_nothing_any_more() -> None:
    local = ScriptedBackend(name="local")
    router = Router(local=local)
    async with router:
        pass

    for call in (
        router.load,
        lambda: router.load_backend("local"),
        lambda: router.set_remote(ScriptedBackend()),
        lambda: router.set_last_resort(ScriptedBackend()),
        lambda: router.probe("local"),
        lambda: router.check("local"),
        router.voices,
        lambda: synthesize(router, "Xin chào."),
    ):
        with pytest.raises(BackendNotLoadedError, match="closed permanently"):
            await call()
    assert local.record.loads == 1
    assert (await router.health()).state is BackendState.UNLOADED


class Beep(Backend):
    """A backend as a user would write it."""

    name = "beep"
    loaded = False

    async def load(self) -> None:
        self.loaded = True

    async def unload(self) -> None:
        self.loaded = False

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        speaker = Speaker(backend=self.name, engine="beep", voice=request.voice or "beep")
        yield AudioChunk(bytes(1_000), 8_000, 0, speaker, final=True)

    async def health(self) -> Health:
        return Health(state=BackendState.READY if self.loaded else BackendState.UNLOADED)

    async def voices(self) -> tuple[Voice, ...]:
        return (Voice(id="beep", name="Beep", language="vi"),)

    async def aclose(self) -> None:
        await self.unload()


async def test_a_backend_of_ones_own_gets_async_with_and_works_in_a_router() -> None:
    beep = Beep()
    async with beep:
        assert (await synthesize(beep, "Xin chào.")).seconds == 0.0625
    assert not beep.loaded

    async with Router(local=beep) as router:
        assert (await synthesize(router, "Xin chào.")).speakers[0].engine == "beep"
    assert not beep.loaded


async def test_a_backend_of_ones_own_that_gives_no_audio_is_replaced_by_a_fallback() -> None:
    class Wrong(Beep):
        async def stream(self, _: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            yield b"samples"  # type: ignore[misc]

    async with Router(local=Wrong(), last_resort=ScriptedBackend()) as router:
        speech = await synthesize(router, "Xin chào.")

    assert [speaker.backend for speaker in speech.speakers] == ["last_resort"]
