"""A backend belongs to the one event loop on which it was first used."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from guard import GUARD_S

from vieneu_core import (
    Backend,
    ConfigurationError,
    LocalBackend,
    RemoteBackend,
    Router,
    RouterPolicy,
    ScriptedBackend,
    SynthesisRequest,
    synthesize,
)
from vieneu_core.errors import BackendConnectionError

pytestmark = pytest.mark.usefixtures("no_leaks")


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
        lambda: Router(local=ScriptedBackend(), policy=RouterPolicy(retry_for_s=0)),
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
            lambda: router.set_policy(RouterPolicy()),
            lambda: router.set_last_resort(None),
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
