"""The command behind a tunnel: it speaks first, is reached, and sends its address."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import typer
from aiohttp import web
from guard import GUARD_S
from pydantic import SecretStr
from tunnel_programs import program
from typer.testing import CliRunner
from web_site import web_site

from vieneu_colab_server.cli import serve
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.pairing import ACCEPTED_HEADER, SIGNATURE_HEADER, AddressUpdate, AddressUpdateInbox
from vieneu_core.synthesis import SynthesisRequest

TOKEN = SecretStr("the-token-of-this-server-0123456789")
SUPPORT = Path(__file__).parents[1] / "support"


@dataclass
class WebhookReceiver:
    """Takes address updates as Home Assistant does."""

    inbox: AddressUpdateInbox = field(default_factory=lambda: AddressUpdateInbox(TOKEN, local=True))
    taken: asyncio.Queue[AddressUpdate] = field(default_factory=asyncio.Queue)
    url: str = ""
    status: int = 200

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.taken.put_nowait(self.inbox.open(body, request.headers.get(SIGNATURE_HEADER)))
        return web.Response(status=self.status, headers={ACCEPTED_HEADER: "1"})


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    app = web.Application()
    app.router.add_post("/secret-webhook", receiver.answer)
    async with web_site(app) as url:
        receiver.url = f"{url}/secret-webhook"
        yield receiver


@dataclass
class Running:
    """The command in a process of its own, and what it has printed."""

    process: asyncio.subprocess.Process
    printed: str = ""

    async def until(self, text: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            while text not in self.printed:
                line = await self.process.stdout.readline()
                assert line, self.printed
                self.printed += line.decode()

    async def rest(self) -> str:
        async with asyncio.timeout(GUARD_S):
            assert self.process.stdout is not None
            self.printed += (await self.process.stdout.read()).decode()
            await self.process.wait()
        return self.printed

    @property
    def url(self) -> str:
        lines = [line for line in self.printed.splitlines() if line.startswith("Public URL: ")]
        return lines[-1].removeprefix("Public URL: ")

    def agent(self) -> psutil.Process:
        mine = psutil.Process(self.process.pid).children(recursive=True)
        (found,) = [p for p in mine if "fakes" in " ".join(p.cmdline())]
        return found


@asynccontextmanager
async def server(*arguments: str, **environ: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "vieneu_colab_server", "--engine=espeak", "--port=0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "VIENEU_SERVER_TOKEN": TOKEN.get_secret_value(), **environ},
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await running.rest()


def by_ngrok(folder: Path) -> tuple[str, ...]:
    return ("--tunnel=pyngrok", f"--tunnel-program={program(folder, 'ngrok')}")


async def test_the_address_is_sent_speech_passes_also_a_new_tunnel_and_nothing_is_left(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    environ = {
        "NGROK_AUTHTOKEN": "good-token-2aBcDeF",
        "VIENEU_SERVER_CALLBACK_URL": receiver.url,
    }
    async with server(*by_ngrok(tmp_path), "--session-limit=43200", **environ) as running:
        await running.until("Home Assistant has the new address.")
        first = await receiver.taken.get()
        remote = RemoteBackend(first.endpoint_url, TOKEN)
        await remote.load()
        speech = await synthesize(remote, SynthesisRequest(text="Xin chào các bạn."))
        await remote.aclose()

        running.agent().send_signal(signal.SIGKILL)
        async with asyncio.timeout(GUARD_S):
            second = await receiver.taken.get()
        again = RemoteBackend(second.endpoint_url, TOKEN)
        await again.load()
        await again.aclose()
        family = psutil.Process(running.process.pid).children(recursive=True)

    assert speech.seconds > 0.5
    assert first.expires_at is not None
    assert (first.expires_at - first.timestamp).total_seconds() == pytest.approx(43_200, abs=60)
    assert second.endpoint_url != first.endpoint_url
    assert running.url == second.endpoint_url
    assert "is lost: The ngrok agent has ended" in running.printed
    for secret in ("2aBcDeF", TOKEN.get_secret_value(), "secret-webhook"):
        assert secret not in running.printed
    assert running.process.returncode == 0
    assert len(family) >= 2, "worker and agent"
    _, alive = psutil.wait_procs(family, timeout=GUARD_S)
    assert alive == []


async def test_after_a_new_token_the_address_is_still_accepted_and_so_after_a_restart(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN.get_secret_value())
    token_file.chmod(0o600)
    environ = {"NGROK_AUTHTOKEN": "good-token", "VIENEU_SERVER_CALLBACK_URL": receiver.url}
    arguments = (*by_ngrok(tmp_path), f"--token-file={token_file}")
    async with server(*arguments, **environ) as running:
        await running.until("Home Assistant has the new address.")
        first = await receiver.taken.get()
        remote = RemoteBackend(first.endpoint_url, TOKEN)
        token = await remote.rotate_token()
        await remote.aclose()
        receiver.inbox = AddressUpdateInbox(token, local=True)
        running.agent().send_signal(signal.SIGKILL)
        async with asyncio.timeout(GUARD_S):
            second = await receiver.taken.get()

    async with server(*arguments, **environ) as running:
        await running.until("Home Assistant has the new address.")
        third = await receiver.taken.get()
        again = RemoteBackend(third.endpoint_url, token)
        await again.load()
        await again.aclose()

    assert len({first.endpoint_url, second.endpoint_url}) == 2
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert token.get_secret_value() not in running.printed


async def test_a_refused_authtoken_ends_the_server_with_its_reason(tmp_path: Path) -> None:
    async with server(*by_ngrok(tmp_path), NGROK_AUTHTOKEN="bad-token-2aBcDeF") as running:
        printed = await running.rest()

    assert running.process.returncode == 5
    assert "ERR_NGROK_107" in printed
    assert "dashboard.ngrok.com" in printed
    assert "2aBcDeF" not in printed
    assert "Public URL" not in printed


MUTE = """
from tone_engine import ToneEngine
from vieneu_core.errors import SynthesisFailedError

class Mute(ToneEngine):
    def synthesize(self, utterance, cancelled):
        raise SynthesisFailedError("The model says nothing.")
        yield b""

def create(options):
    return Mute(options)
"""


async def test_a_server_whose_model_does_not_speak_is_never_public(tmp_path: Path) -> None:
    (tmp_path / "mute.py").write_text(MUTE)
    path = f"{tmp_path}:{SUPPORT}:{os.environ.get('PYTHONPATH', '')}".rstrip(":")
    environ = {"NGROK_AUTHTOKEN": "good-token", "PYTHONPATH": path}
    async with server(*by_ngrok(tmp_path), "--engine=mute:create", **environ) as running:
        printed = await running.rest()

    assert running.process.returncode == 4, printed
    assert "The model says nothing" in printed
    assert "Public URL" not in printed


async def test_a_webhook_that_refuses_leaves_the_server_running(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    receiver.status = 404
    environ = {"NGROK_AUTHTOKEN": "good-token", "VIENEU_SERVER_CALLBACK_URL": receiver.url}
    async with server(*by_ngrok(tmp_path), **environ) as running:
        await running.until("warning: Home Assistant at 127.0.0.1 answers with status 404.")

    assert running.url.startswith("http://127.0.0.1:")
    assert running.process.returncode == 0


async def test_a_tunnel_that_stays_refused_never_ends_the_server(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    held = tmp_path / "held"
    environ = {
        "NGROK_AUTHTOKEN": "good-token",
        "STAND_IN_HELD": str(held),
        "VIENEU_SERVER_CALLBACK_URL": receiver.url,
    }
    async with server(*by_ngrok(tmp_path), **environ) as running:
        await running.until("Home Assistant has the new address.")
        local = running.printed.split("Listening on ")[1].split()[0]
        held.touch()
        running.agent().send_signal(signal.SIGKILL)
        await running.until("Another session of your ngrok account holds this address")
        remote = RemoteBackend(local, TOKEN)
        await remote.load()
        speech = await synthesize(remote, SynthesisRequest(text="Xin chào."))
        await remote.aclose()
        held.unlink()
        await running.until("Public URL: " + running.url[:17])
        async with asyncio.timeout(GUARD_S):
            while receiver.taken.qsize() < 2:  # noqa: ASYNC110 - a queue of the receiver
                await asyncio.sleep(0.05)

    assert speech.seconds > 0.3
    reported = [
        line for line in running.printed.splitlines() if line.startswith("warning: The tunnel")
    ]
    assert len(reported) == 2, "that it was lost, and why it stays closed"
    assert "https://dashboard.ngrok.com/agents" in reported[1]
    assert running.process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (("--tunnel=ngrok",), {"NGROK_AUTHTOKEN": ""}, "NGROK_AUTHTOKEN"),
        (("--domain=a.ngrok.app",), {}, "The tunnel none has no reserved domains"),
        ((), {"VIENEU_SERVER_CALLBACK_URL": "https://home/hook"}, "needs a tunnel"),
        (
            ("--tunnel=cloudflared",),
            {"VIENEU_SERVER_CALLBACK_URL": "home/secret-hook"},
            "callback URL cannot be used: it has neither https",
        ),
        (
            ("--tunnel=cloudflared",),
            {"VIENEU_SERVER_CALLBACK_URL": "https://[bad/secret-hook"},
            "callback URL cannot be used: it cannot be read as a URL",
        ),
    ],
)
def test_options_that_exclude_each_other_are_an_error(
    arguments: tuple[str, ...], environ: dict[str, str], message: str
) -> None:
    app = typer.Typer()
    app.command()(serve)
    environ = {"VIENEU_SERVER_TOKEN": TOKEN.get_secret_value(), **environ}
    done = CliRunner().invoke(app, ["--engine=espeak", "--port=0", *arguments], env=environ)

    assert done.exit_code == 3
    assert message in done.output
    assert "secret-hook" not in done.output
