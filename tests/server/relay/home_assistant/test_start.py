"""The app, started for real: with Supervisor's options, its discovery, and speech by its token."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import psutil
import pytest
import yaml
from app_process import AppProcess, app_process
from guard import GUARD_S
from supervisor_site import APP_TOKEN, Supervisor, supervising
from waiting import until

from vieneu_colab_server.relay.login import AdminAccount
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.clock import SystemClock
from vieneu_core.synthesis import SynthesisRequest, collect

CONFIG = Path(__file__).parents[4] / "apps/vieneu/config.yaml"
OPTIONS = yaml.safe_load(CONFIG.read_text("utf-8"))["options"]
TONES = "local:\n  engine: tone_engine:create\nfallback:\n  enabled: false\n"


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    services = yaml.safe_load(CONFIG.read_text("utf-8"))["discovery"]
    async with supervising(services) as supervisor:
        yield supervisor


@pytest.fixture
async def app(tmp_path: Path, supervisor: Supervisor) -> AsyncIterator[AppProcess]:
    (tmp_path / "vieneu").mkdir()
    (tmp_path / "vieneu/config.yaml").write_text(TONES, "utf-8")
    given = {"SUPERVISOR_TOKEN": APP_TOKEN, "VIENEU_APP_SUPERVISOR": supervisor.url}
    async with app_process(tmp_path, **given) as app:
        yield app


async def spoken(app: AppProcess, token: str) -> float:
    """Return the seconds of a sentence that is spoken over HTTP, once the voice is loaded."""
    async with aiohttp.ClientSession() as session:

        async def is_ready() -> bool:
            async with session.get(f"{app.url}/readyz") as answer:
                return answer.status == HTTPStatus.OK

        await until(is_ready)
    async with RemoteBackend(app.url, token) as backend:
        return (await collect(backend.stream(SynthesisRequest(text="Xin chào.")))).seconds


async def test_what_supervisor_hands_over_lets_home_assistant_speak(
    app: AppProcess, supervisor: Supervisor
) -> None:
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)

    (reported,) = supervisor.passed_on
    assert reported["host"] == socket.gethostname()
    assert reported["port"] == app.port
    assert await spoken(app, reported["token"]) > 0
    assert await app.stop() == 0
    assert supervisor.statuses == [200]
    for secret in (reported["token"], APP_TOKEN):
        assert secret not in app.log


async def test_the_token_is_made_once_and_kept_in_the_data(
    app: AppProcess, supervisor: Supervisor
) -> None:
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)
    await app.stop()
    await app.start()
    await until(lambda: len(supervisor.statuses) == 2)

    assert len(supervisor.passed_on) == 1, "the same is not passed on again"
    kept = app.data / "vieneu/state/relay-token"
    assert kept.read_text().strip() == supervisor.passed_on[0]["token"]
    assert kept.stat().st_mode & 0o077 == 0


async def test_a_new_token_is_handed_over_while_it_runs(
    app: AppProcess, supervisor: Supervisor
) -> None:
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)
    admin = await _admin_token(app)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {admin}"}) as session,
        session.post(f"{app.url}/admin/rotate-token") as answer,
    ):
        assert answer.status == 200, await answer.text()
        new = (await answer.json())["token"]
    await until(lambda: len(supervisor.passed_on) == 2)

    assert supervisor.passed_on[-1]["token"] == new
    assert await spoken(app, new) > 0
    assert new not in app.log


async def test_supervisor_that_fails_is_asked_again(
    app: AppProcess, supervisor: Supervisor
) -> None:
    supervisor.fails = 1
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)

    assert supervisor.statuses == [502, 200]
    assert app.log.count("status 502") == 1


@pytest.mark.parametrize("token", ["b" * 64, ""])
async def test_without_the_right_token_it_speaks_and_is_not_discovered(
    tmp_path: Path, supervisor: Supervisor, token: str
) -> None:
    (tmp_path / "vieneu").mkdir()
    (tmp_path / "vieneu/config.yaml").write_text(TONES, "utf-8")
    given = {"SUPERVISOR_TOKEN": token, "VIENEU_APP_SUPERVISOR": supervisor.url}
    async with app_process(tmp_path, **given) as app:
        await app.start(OPTIONS)
        said = "status 403" if token else "There is no SUPERVISOR_TOKEN"
        await until(lambda: said in app.log)
        kept = app.data / "vieneu/state/relay-token"
        await until(lambda: "Listening on" in app.log)
        assert await spoken(app, kept.read_text().strip()) > 0
        assert supervisor.passed_on == []
        assert await app.stop() == 0


async def test_nobody_but_supervisor_passes_its_port_of_ingress(
    app: AppProcess, supervisor: Supervisor
) -> None:
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)
    claims = {"X-Ingress-Path": "/api/hassio_ingress/x", "X-Forwarded-For": "172.30.32.2"}
    async with aiohttp.ClientSession(headers=claims) as session:
        for url in (f"http://127.0.0.1:{app.ingress_port}", app.url):
            async with session.get(f"{url}/relay/api/status") as answer:
                assert answer.status == 401


async def test_no_other_process_inherits_the_token_of_supervisor(
    app: AppProcess, supervisor: Supervisor
) -> None:
    await app.start(OPTIONS)
    await until(lambda: supervisor.passed_on)
    workers = psutil.Process(app.pid).children(recursive=True)
    assert workers, "the voice has a process of its own"
    assert [worker for worker in workers if APP_TOKEN in worker.environ().values()] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"log_level": "loud"}', "log_level"),
        ("[1", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (None, "options.json"),
    ],
)
async def test_wrong_options_end_it_and_say_what_to_do(
    app: AppProcess, content: str | None, said: str
) -> None:
    if content is not None:
        (app.data / "options.json").write_text(content, "utf-8")
    await app.start()
    assert await app.ended() == 3
    assert said in app.log
    assert "Save the app's configuration in Home Assistant" in app.log
    assert "Traceback" not in app.log


async def _admin_token(app: AppProcess) -> str:
    """Return a token of the admin, made on the machine, as the app itself prints none."""
    await app.stop()
    account = AdminAccount(app.data / "vieneu/state/relay-admin.json", clock=SystemClock())
    token = account.new_token().get_secret_value()
    await app.start()
    await until(lambda: app.log.count("Home Assistant has the address") == 2, within_s=GUARD_S)
    return token
