"""Supervisor that is away, fails or refuses: each has its error, and none quotes a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fake_clock import FakeClock
from free_port import free_port
from pydantic import SecretStr
from supervisor_site import APP_TOKEN, Supervisor, supervising

from vieneu_colab_server.relay.home_assistant.supervisor import (
    NotDiscoveredError,
    SupervisorAccess,
    SupervisorDiscovery,
    SupervisorSilentError,
)
from vieneu_core.errors import ConfigurationError

TOKEN = SecretStr("a-token-for-speech-0123")


def discovery(url: str, token: str = APP_TOKEN) -> SupervisorDiscovery:
    access = SupervisorAccess(token=SecretStr(token), url=url)
    return SupervisorDiscovery(access, port=8000, clock=FakeClock())


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    async with supervising() as supervisor:
        yield supervisor


async def failure(of: SupervisorDiscovery) -> NotDiscoveredError:
    with pytest.raises(NotDiscoveredError) as caught:
        await of.publish(TOKEN)
    for secret in (TOKEN.get_secret_value(), APP_TOKEN):
        assert secret not in f"{caught.value} {caught.value!r} {of!r}"
    return caught.value


async def test_what_is_accepted_is_kept(supervisor: Supervisor) -> None:
    await discovery(supervisor.url).publish(TOKEN)
    assert [config["token"] for config in supervisor.passed_on] == [TOKEN.get_secret_value()]


@pytest.mark.parametrize(("token", "status"), [("b" * 64, 403), ("", 401)])
async def test_a_wrong_token_of_the_app_is_refused(
    supervisor: Supervisor, token: str, status: int
) -> None:
    error = await failure(discovery(supervisor.url, token))
    assert not isinstance(error, SupervisorSilentError)
    assert f"status {status}" in str(error)


async def test_a_service_that_the_app_does_not_state_is_refused() -> None:
    async with supervising(services=["mqtt"]) as supervisor:
        assert "status 403" in str(await failure(discovery(supervisor.url)))


async def test_one_that_fails_or_is_away_is_tried_again(supervisor: Supervisor) -> None:
    supervisor.fails = 1
    assert isinstance(await failure(discovery(supervisor.url)), SupervisorSilentError)
    away = await failure(discovery(f"http://127.0.0.1:{free_port()}"))
    assert isinstance(away, SupervisorSilentError)


async def test_a_redirect_is_not_followed(supervisor: Supervisor) -> None:
    elsewhere = web.HTTPTemporaryRedirect(f"{supervisor.url}/discovery")
    assert "status 307" in str(await _answered(elsewhere))
    assert supervisor.passed_on == []


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_one_that_is_not_ready_is_tried_again(status: int) -> None:
    """While it starts, it answers 400: "System is not ready with state: startup"."""

    class NotReady(web.HTTPException):
        status_code = status

    error = await _answered(NotReady())
    assert isinstance(error, SupervisorSilentError)
    assert f"status {status}" in str(error)


async def _answered(answer: web.HTTPException) -> NotDiscoveredError:
    """Return the error for an answer."""

    async def discover(_: web.Request) -> web.Response:
        raise answer

    app = web.Application()
    app.router.add_post("/discovery", discover)
    async with TestServer(app) as server:
        return await failure(discovery(str(server.make_url("")).rstrip("/")))


async def test_a_relay_that_cannot_be_loaded_is_not_handed_over(supervisor: Supervisor) -> None:
    class Lifecycle:
        load_failure = ConfigurationError("x")

        async def loaded(self) -> None:
            """It has ended."""

    class Broken:
        lifecycle = Lifecycle()

    async with discovery(supervisor.url).running(Broken()):  # type: ignore[arg-type]  # stands for one
        tasks = [each for each in asyncio.all_tasks() if each.get_name() == "supervisor-discovery"]
        await asyncio.wait(tasks)
    assert supervisor.statuses == []
