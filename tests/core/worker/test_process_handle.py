from __future__ import annotations

import asyncio
import errno
import gc
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from child_process import child
from fake_clock import FakeClock, settle
from guard import GUARD_S

from vieneu_core.errors import ModelLoadError, WorkerStartError
from vieneu_core.voices import Voice
from vieneu_core.worker.engine_lookup import find_factory
from vieneu_core.worker.messages import Cancel, Finished, Load, Loaded, Message, Speak
from vieneu_core.worker.process_handle import WorkerProcess, within

VOICE = Voice(id="vi-low", name="", language="vi")
SUPPORT = Path(__file__).parents[2] / "support"

pytestmark = pytest.mark.usefixtures("no_leaks")


async def receive(process: WorkerProcess) -> Message | None:
    async with asyncio.timeout(GUARD_S):
        return await process.receive()


async def started() -> WorkerProcess:
    process = await WorkerProcess.spawn()
    process.send(Load("tone_engine:create"))
    while not isinstance(message := await receive(process), Loaded):
        assert message is not None
    return process


async def hanging() -> WorkerProcess:
    """Return a worker whose engine will never come back from a sentence."""
    process = await started()
    process.send(Speak(1, "Đây là câu 1 hangforever.", VOICE))
    async with asyncio.timeout(GUARD_S):
        while process.last_line() != "hangs now":  # noqa: ASYNC110 - another process sets it
            await asyncio.sleep(0.01)
    return process


async def until_gone(process: WorkerProcess) -> None:
    async with asyncio.timeout(GUARD_S):
        await process._process.wait()


async def test_the_process_ends_when_the_channel_does_even_while_the_engine_hangs() -> None:
    process = await hanging()

    process._writer.close()

    await until_gone(process)
    await process.close(0.0)
    assert process.how_it_ended() == "ended with exit status 0"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_to_all_of_a_service_is_not_for_the_worker(sent: signal.Signals) -> None:
    process = await started()

    os.kill(process.pid, sent)
    process.send(Speak(1, "Đây là câu 1.", VOICE))

    while not isinstance(message := await receive(process), Finished):
        assert message is not None
    await process.close(2.0)
    assert process.how_it_ended() == "ended with exit status 0"


@pytest.mark.parametrize("grace_s", [0.0, 0.2])
async def test_a_worker_that_hangs_is_ended_all_the_same(grace_s: float) -> None:
    process = await hanging()

    async with asyncio.timeout(GUARD_S):
        await process.close(grace_s)

    assert not psutil.pid_exists(process.pid)
    assert process.was_killed


async def test_a_worker_that_is_stopped_by_the_system_is_ended_by_force() -> None:
    process = await started()
    os.kill(process.pid, signal.SIGSTOP)

    async with asyncio.timeout(GUARD_S):
        await process.close(0.1)

    assert process.how_it_ended() == "was killed by SIGKILL (out of memory?)"


async def test_a_worker_in_the_middle_of_much_audio_ends_when_asked() -> None:
    process = await started()
    process.send(Speak(1, "Đây là câu 1. " * 2_000, VOICE))  # more than a socket's buffer holds
    await receive(process)

    async with asyncio.timeout(GUARD_S):
        await process.close(GUARD_S)

    assert process.how_it_ended() == "ended with exit status 0"


async def test_what_it_writes_is_kept_in_part(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="vieneu_core.worker")
    process = await started()
    process.send(Speak(1, "Đây là câu 1 printnoise nhé.", VOICE))
    while not isinstance(await receive(process), Finished):
        pass

    await process.close(2.0)

    assert process.last_line() == "noise on stderr"
    assert "noise on stdout" in caplog.text


async def test_the_first_order_must_be_to_load() -> None:
    process = await WorkerProcess.spawn()
    process.send(Speak(1, "Đây là câu 1.", VOICE))

    assert await receive(process) is None
    await process.close(2.0)


async def test_an_interpreter_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(ModelLoadError, match="cannot start: /no/such/python: No such file"):
        await WorkerProcess.spawn()


@pytest.mark.parametrize("lacking", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN])
@pytest.mark.parametrize("step", ["socketpair", "open_unix_connection", "create_subprocess_exec"])
async def test_a_lack_that_may_pass_has_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, step: str, lacking: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(lacking, os.strerror(lacking))

    with monkeypatch.context() as patch:
        patch.setattr(socket if step == "socketpair" else asyncio, step, fail)
        with pytest.raises(WorkerStartError) as caught:
            await WorkerProcess.spawn()

    assert os.strerror(lacking) in caught.value.detail
    assert caught.value.transient
    gc.collect()  # a socket left open would speak up here


async def test_too_few_descriptors_of_this_process_have_a_name_of_their_own() -> None:
    process = await started()  # what is loaded by then opens no more files
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(lowest_free := os.dup(1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 2, hard))
    try:
        with pytest.raises(WorkerStartError, match="Too many open files"):
            await WorkerProcess.spawn()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await process.close(2.0)


async def test_a_signal_without_a_name_is_described_by_its_number() -> None:
    process = await started()
    os.kill(process.pid, 40)

    await until_gone(process)
    await process.close(2.0)

    assert process.how_it_ended() == "was killed by signal 40"


def test_a_worker_whose_parent_is_gone_ends_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ran = subprocess.run(
            [sys.executable, "-m", "vieneu_core.worker.child", str(theirs.fileno()), "1"],
            pass_fds=(theirs.fileno(),),
            timeout=GUARD_S,
            check=False,
            capture_output=True,
        )

    assert ran.returncode == 0


PARENT = """
import asyncio, sys
from vieneu_core.backends.local import LocalBackend
from vieneu_core.synthesis import SynthesisRequest

async def main():
    backend = LocalBackend("tone_engine:create")
    await backend.load()
    print(backend.worker_pid, flush=True)
    async for chunk in backend.stream(SynthesisRequest(text=sys.argv[1])):
        print("chunk", flush=True)
    print("done", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("text", ["Đây là câu 1.", "Đây là câu 1 hangforever."])
def test_no_worker_outlives_a_parent_that_is_killed(text: str) -> None:
    with child(
        [sys.executable, "-c", PARENT, text],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
        text=True,
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        wanted = "chunk" if "hang" in text else "done"
        while parent.stdout.readline().strip() != wanted:
            pass

        parent.kill()

        psutil.wait_procs([worker], timeout=GUARD_S)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


async def test_waiting_has_an_end(clock: FakeClock) -> None:
    waiting = asyncio.ensure_future(within(clock, 5.0, asyncio.Event().wait()))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.2)
    with pytest.raises(TimeoutError):
        await waiting


async def test_what_is_waited_for_comes_back_with_its_value_or_its_error(clock: FakeClock) -> None:
    async def value() -> int:
        return 7

    async def failure() -> int:
        raise ModelLoadError("no")

    assert await within(clock, 5.0, value()) == 7
    with pytest.raises(ModelLoadError):
        await within(clock, 5.0, failure())


def test_an_engine_is_found_by_name_or_place_or_the_error_says_what_there_is() -> None:
    assert callable(find_factory("espeak"))
    assert callable(find_factory("tone_engine:create"))
    with pytest.raises(ModelLoadError, match=r"'nope'.*espeak"):
        find_factory("nope")
    with pytest.raises(ModelLoadError, match="no_such_module"):
        find_factory("no_such_module:create")
    with pytest.raises(ModelLoadError, match="no_such_thing"):
        find_factory("tone_engine:no_such_thing")


@pytest.mark.parametrize("n_turns", range(8))
async def test_a_start_that_is_cancelled_at_any_moment_leaves_nothing(n_turns: int) -> None:
    starting = asyncio.create_task(WorkerProcess.spawn())
    await settle(n_turns)

    starting.cancel()

    with suppress(asyncio.CancelledError):
        await (await starting).close(0.0)
    gc.collect()  # a socket left open would speak up here
    assert psutil.Process().children() == []


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_worker_killed_with_orders_unread_is_closed_like_any_other(
    *,
    stopped: bool,
    no_leaks: None,  # noqa: ARG001 - checked at the end
) -> None:
    for _ in range(3):
        process = await WorkerProcess.spawn()
        if stopped:  # so that what is sent stays unread, and the socket is reset by the death
            os.kill(process.pid, signal.SIGSTOP)
        for number in range(50):
            process.send(Cancel(number))
        os.kill(process.pid, signal.SIGKILL)
        await process.close(2.0)
        assert not psutil.pid_exists(process.pid)
        assert process.how_it_ended() == "was killed by SIGKILL (out of memory?)"
