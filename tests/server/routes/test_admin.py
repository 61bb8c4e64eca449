"""A new token without an interruption, and an end without one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fake_clock import FakeClock
from pydantic import SecretStr
from server_site import TOKEN, serving

from vieneu_core.backends.base import BackendState, synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import AuthenticationError, BackendDrainingError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.routes import DRAIN, HEALTH, ROTATE_TOKEN

HELLO = SynthesisRequest(text="Xin chào.")


async def test_the_client_goes_on_with_the_new_token(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(ScriptedBackend()) as site:
            backend = RemoteBackend(site.url, SecretStr(TOKEN))
            await backend.load()
            token = await backend.rotate_token()
            speech = await synthesize(backend, HELLO)
            newest = RemoteBackend(site.url, token)
            await newest.load()
            await newest.rotate_token()
            await synthesize(newest, HELLO)
            await synthesize(backend, HELLO)  # its token is the one before the newest
            for each in (backend, newest):
                await each.aclose()

    assert speech.seconds > 0
    assert len(token.get_secret_value()) >= 43, "256 bits"
    assert token.get_secret_value() not in caplog.text
    assert token.get_secret_value() not in repr(backend.__dict__)


async def test_the_old_token_is_good_for_ten_more_minutes_and_cannot_rotate() -> None:
    clock = FakeClock()
    async with serving(ScriptedBackend(), clock=clock) as site:
        async with site.post(ROTATE_TOKEN) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
            made = await answer.json()
        new = {"Authorization": f"Bearer {made['token']}"}
        for headers in (None, new):
            async with site.get(HEALTH, headers=headers) as answer:
                assert answer.status == 200
        for path in (ROTATE_TOKEN, DRAIN):
            async with site.post(path) as answer:
                assert (await site.problem(answer)).code == AuthenticationError.code
        await clock.advance(599)
        async with site.get(HEALTH) as answer:
            assert answer.status == 200
        await clock.advance(2)
        async with site.get(HEALTH) as answer:
            assert answer.status == 401
        async with site.get(HEALTH, headers=new) as answer:
            assert answer.status == 200
            health = await answer.json()

    assert made["old_valid_seconds"] == 600
    assert health["draining"] is False


async def test_nobody_without_a_token_rotates_or_drains() -> None:
    async with serving(ScriptedBackend()) as site:
        for path in (ROTATE_TOKEN, DRAIN):
            async with site.post(path, headers={"Authorization": "Bearer wrong"}) as answer:
                assert answer.status == 401


async def test_once_the_new_token_was_used_a_stolen_one_can_only_speak() -> None:
    async with serving(ScriptedBackend()) as site, RemoteBackend(site.url, SecretStr(TOKEN)) as own:
        await own.rotate_token()
        await own.health()
        async with site.post(ROTATE_TOKEN) as answer:  # with the previous one
            assert (await site.problem(answer)).code == AuthenticationError.code
        async with site.get(HEALTH) as answer:
            assert answer.status == 200
        await own.rotate_token()


async def test_a_token_that_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "token"
    async with serving(ScriptedBackend(), token_file=gone) as site:
        async with site.post(ROTATE_TOKEN) as answer:
            problem = await site.problem(answer)
        async with site.get(HEALTH) as answer:
            assert answer.status == 200, "the old token stays"
            assert site.service.tokens.current == SecretStr(TOKEN)

    assert (problem.status, problem.code) == (500, "token_not_kept")
    assert str(gone) in problem.detail


async def test_a_server_that_is_asked_to_drain_says_so_and_takes_nothing_new() -> None:
    async with serving(ScriptedBackend()) as site:
        backend = RemoteBackend(site.url, SecretStr(TOKEN))
        await backend.load()
        async with site.post(DRAIN) as answer:
            assert await answer.json() == {"draining": True}
        with pytest.raises(BackendDrainingError):
            await synthesize(backend, HELLO)
        health = await backend.health()
        await backend.aclose()

    assert health.state is BackendState.DRAINING


async def test_before_its_session_ends_the_server_drains_by_itself() -> None:
    clock = FakeClock()
    async with serving(ScriptedBackend(), clock=clock, session_limit_s=12 * 3600.0) as site:
        await clock.advance(12 * 3600.0 - 61)
        async with site.get(HEALTH) as answer:
            before = await answer.json()
        await clock.advance(2)
        async with site.get(HEALTH) as answer:
            after = await answer.json()

    assert (before["draining"], before["session_remaining_seconds"]) == (False, 61)
    assert (after["draining"], after["status"]) == (True, "draining")
    assert before["session_limit_seconds"] == 12 * 3600
    assert before["session_started_at"] == "2026-11-01T00:00:00Z"
