"""`async with`, the end of a backend, and the one event loop that it lives on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import psutil
import pytest
from backend_cases import CASES, BackendCase
from guard import GUARD_S

from vieneu_core import (
    AudioChunk,
    Backend,
    BackendState,
    ConfigurationError,
    Health,
    LocalBackend,
    RemoteBackend,
    Router,
    RouterPolicy,
    ScriptedBackend,
    Speaker,
    SynthesisRequest,
    Voice,
    synthesize,
)
from vieneu_core.errors import BackendConnectionError, BackendNotLoadedError, ModelLoadError

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_async_with_loads_and_closes_every_backend(case: BackendCase) -> None:
    async with case.make(0.0) as backend:
        async with backend as entered:
            assert entered is backend
            assert (await synthesize(backend, "Xin chào bạn.")).seconds > 0

        assert not (await backend.health()).ready
        with pytest.raises(BackendNotLoadedError, match="closed for good"):
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
    with pytest.raises(BackendNotLoadedError, match="closed for good"):
        await router.load()


async def test_a_load_that_fails_raises_its_reason_and_closes() -> None:
    backend = LocalBackend("espaek")
    with pytest.raises(ModelLoadError, match="espaek"):
        async with backend:
            pytest.fail("it cannot be loaded")

    assert backend.worker_pid is None
    with pytest.raises(BackendNotLoadedError, match="closed for good"):
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
        lambda: router.probe("local"),
        lambda: router.check("local"),
        router.voices,
        lambda: synthesize(router, "Xin chào."),
    ):
        with pytest.raises(BackendNotLoadedError, match="closed for good"):
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


async def test_a_backend_of_ones_own_that_gives_no_audio_is_stood_in_for() -> None:
    class Wrong(Beep):
        async def stream(self, _: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            yield b"samples"  # type: ignore[misc]

    async with Router(local=Wrong(), last_resort=ScriptedBackend()) as router:
        speech = await synthesize(router, "Xin chào.")

    assert [speaker.backend for speaker in speech.speakers] == ["last_resort"]


# --- event loops ---------------------------------------------------------------------------


def in_another_loop(call: Callable[[], object]) -> BaseException | None:
    """Run a call on an event loop of another thread; return what it raised."""
    raised: list[BaseException] = []

    async def run() -> None:
        try:
            result = call()
            if asyncio.iscoroutine(result):
                await result
            elif hasattr(result, "__anext__"):
                await anext(result)
        except BaseException as error:  # noqa: BLE001 - it is what the test checks
            raised.append(error)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    thread.join(30)
    return raised[0] if raised else None


@pytest.mark.parametrize(
    "make",
    [
        ScriptedBackend,
        lambda: LocalBackend("tone_engine:create"),
        lambda: Router(local=ScriptedBackend(), policy=RouterPolicy(patience_s=0)),
    ],
    ids=["scripted", "local", "router"],
)
async def test_another_event_loop_is_named(make: Callable[[], Backend]) -> None:
    async with make() as backend:
        for call in (
            backend.load,
            backend.unload,
            backend.aclose,
            backend.voices,
            lambda: backend.stream(SynthesisRequest(text="Xin chào bạn.")),
        ):
            error = in_another_loop(call)
            assert isinstance(error, ConfigurationError), call
            assert "another event loop" in str(error)
        assert (await synthesize(backend, "Xin chào bạn.")).seconds > 0, "nothing has changed"


async def test_another_event_loop_is_named_by_what_an_admin_does() -> None:
    async with Router(local=ScriptedBackend(), remote=ScriptedBackend()) as router:
        for call in (
            lambda: router.set_mode("remote"),
            lambda: router.set_fallback(enabled=False),
            lambda: router.set_remote(None),
            lambda: router.load_backend("local"),
            lambda: router.unload_backend("local"),
            lambda: router.check("local"),
            lambda: router.probe("local"),
            router.listen,
        ):
            error = in_another_loop(call)
            assert isinstance(error, ConfigurationError), call
        assert router.mode == "local"


async def test_a_remote_backend_names_another_event_loop() -> None:
    remote = RemoteBackend("http://127.0.0.1:9", "token")
    with pytest.raises(BackendConnectionError):
        await remote.load()
    for call in (remote.load, remote.health, remote.voices, remote.rotate_token, remote.aclose):
        assert isinstance(in_another_loop(call), ConfigurationError), call
    await remote.aclose()


def run_program(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(program)],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )


def test_one_router_in_several_runs_is_a_named_error_and_leaves_no_process(tmp_path: Path) -> None:
    done = run_program(
        """
        import asyncio
        from vieneu_core import build_router, load_settings, synthesize

        router = build_router(load_settings())
        asyncio.run(router.load())
        asyncio.run(synthesize(router, "Xin chào."))
        """,
        tmp_path,
    )

    assert "ConfigurationError: The router belongs to another event loop" in done.stderr
    assert "one asyncio.run()" in done.stderr
    assert "never retrieved" not in done.stderr


def test_the_fallback_may_be_chosen_before_there_is_an_event_loop(tmp_path: Path) -> None:
    done = run_program(
        """
        import asyncio
        from vieneu_core import build_router, load_settings, synthesize

        router = build_router(load_settings())
        router.set_fallback(enabled=False)

        async def main() -> None:
            async with router:
                print(len((await synthesize(router, "Xin chào.")).speakers))

        asyncio.run(main())
        """,
        tmp_path,
    )

    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_mode_cannot_be_set_without_an_event_loop_and_that_is_named(tmp_path: Path) -> None:
    done = run_program(
        """
        import asyncio
        from vieneu_core import Router, ScriptedBackend, VieneuError

        router = Router(local=ScriptedBackend(), remote=ScriptedBackend())
        try:
            router.set_mode("remote")
        except VieneuError as error:
            print(type(error).__name__)
        asyncio.run(router.load())
        try:
            router.set_mode("remote")
        except VieneuError as error:
            print(type(error).__name__, error)
        """,
        tmp_path,
    )

    assert done.stdout.splitlines()[0] == "BackendNotLoadedError"
    assert "ConfigurationError The router was called while no event loop runs." in done.stdout
