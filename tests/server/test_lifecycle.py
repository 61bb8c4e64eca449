"""From loading to draining."""

from __future__ import annotations

import asyncio
import socket

import pytest
from server_site import decode_frames, serving
from tone_engine import expected, heard, same
from waiting import until

from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_core.backends.base import BackendState
from vieneu_core.clock import SystemClock
from vieneu_core.errors import InternalServerError, ModelLoadError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import FRAMES_PCM

PCM = {"Accept": FRAMES_PCM}


async def test_while_the_model_is_loaded_the_server_says_so() -> None:
    backend = ScriptedBackend()
    backend.load_hold = asyncio.Event()

    async with serving(backend, until_loaded=False, loading_retry_after_s=7) as site:
        for path in ("/tts/stream", "/tts/synthesize"):
            async with site.post(path, json={"text": "Một."}) as response:
                assert (await site.problem(response)).code == "loading"
                assert (response.status, response.headers["Retry-After"]) == (503, "7")
        async with site.get("/voices") as response:
            assert response.status == 503
        async with site.get("/health") as response:
            answer = await response.json()
        async with site.get("/readyz", headers={"Authorization": ""}) as response:
            assert (response.status, await response.json()) == (503, {"status": "not ready"})
        async with site.get("/livez") as response:
            assert response.status == 200
        backend.load_hold.set()
        await until(lambda: not site.service.lifecycle.loading)
        async with site.post("/tts/stream", json={"text": "Một."}) as response:
            assert response.status == 200

    assert (answer["status"], answer["state"], answer["model_loaded"]) == (
        "loading",
        "loading",
        False,
    )


async def test_a_server_that_is_stopped_while_it_loads_stops(no_leaks: None) -> None:  # noqa: ARG001 - a check
    backend = ScriptedBackend()
    backend.load_hold = asyncio.Event()

    async with serving(backend, until_loaded=False):
        pass

    assert backend.record.loads == 0


async def test_a_model_that_cannot_be_loaded_ends_the_server() -> None:
    backend = ScriptedBackend()
    backend.load_error = ModelLoadError("The file is missing.")

    async with serving(backend) as site:
        await site.task

        assert site.service.lifecycle.load_failure is backend.load_error


async def test_who_runs_the_app_otherwise_is_told_why_it_cannot_speak() -> None:
    backend = ScriptedBackend()
    backend.load_error = ModelLoadError("The file is missing.")
    lifecycle = Lifecycle(backend, SystemClock(), session_limit_s=None, loading_retry_after_s=1.0)
    lifecycle.start()
    await until(lambda: lifecycle.load_failure)

    with pytest.raises(ModelLoadError, match="missing"):
        lifecycle.check_accepting()
    assert (await lifecycle.health()).state == BackendState.FAILED
    await lifecycle.aclose()


async def test_an_odd_failure_to_load_is_a_named_one(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedBackend):
        async def load(self) -> None:
            raise ZeroDivisionError

    lifecycle = Lifecycle(Broken(), SystemClock(), session_limit_s=None, loading_retry_after_s=1.0)
    lifecycle.start()
    await until(lambda: lifecycle.load_failure)

    with pytest.raises(InternalServerError):
        lifecycle.check_accepting()
    assert "ZeroDivisionError" in caplog.text
    await lifecycle.aclose()


async def test_draining_finishes_what_is_spoken_and_takes_nothing_new() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(at_sentence=1, hold=hold)])
    sentences = ["Đây là câu 2.", "Và đây là câu 33."]

    async with serving(backend) as site:
        response = await site.session.post(
            site.url + "/tts/stream", json={"text": sentences}, headers=PCM
        )
        site.server.stop()
        await until(lambda: site.service.lifecycle.draining)
        async with site.post("/tts/stream", json={"text": "Ba."}) as refused:
            assert (await site.problem(refused)).code == "draining"
            assert refused.status == 503
            assert "Retry-After" in refused.headers
        async with site.get("/health") as health:
            answer = await health.json()
        async with site.get("/readyz") as ready:
            assert ready.status == 503
        hold.set()
        got = decode_frames(await response.read(), opus=False)
        await site.task

    assert (answer["status"], answer["draining"], answer["model_loaded"]) == (
        "draining",
        True,
        True,
    )
    assert same(heard(got.pcm, 24_000), [expected(sentence) for sentence in sentences])
    assert backend.record.unloads == 1


async def test_what_takes_longer_than_the_drain_ends_with_an_error() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, hold=asyncio.Event())])

    async with serving(backend, drain_timeout_s=0.1) as site:
        response = await site.session.post(
            site.url + "/tts/stream", json={"text": ["Một.", "Hai."]}, headers=PCM
        )
        site.server.stop()
        got = decode_frames(await response.read(), opus=False)

    assert got.problem is not None
    assert got.problem.code == "draining"
    assert backend.record.closed_early == 1


async def test_small_writes_are_sent_at_once() -> None:
    async with serving(ScriptedBackend()) as site, site.get("/livez") as response:
        assert response.status == 200
        (connection,) = site.server.server_state.connections
        peer = connection.transport.get_extra_info("socket")

        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
