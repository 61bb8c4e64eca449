"""An address update: sent over real HTTP, verified, and the server behind it checked."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from fake_clock import FakeClock
from http_proxy import forget_proxies
from pydantic import SecretStr
from server_site import TOKEN, serving
from web_site import web_site

from vieneu_colab_server.address_callback import (
    BACKOFF,
    MAX_TRIES,
    AddressCallback,
    AddressCallbackError,
)
from vieneu_core.backends.base import BackendState
from vieneu_core.clock import SystemClock
from vieneu_core.errors import (
    AddressUpdateForgedError,
    AuthenticationError,
    BackendConnectionError,
    ConfigurationError,
    VieneuError,
)
from vieneu_core.pairing import (
    ACCEPTED_HEADER,
    SIGNATURE_HEADER,
    AddressUpdate,
    AddressUpdateInbox,
    verify_server,
)
from vieneu_core.testing.scripted import ScriptedBackend

SECRET = SecretStr(TOKEN)


@dataclass
class WebhookReceiver:
    """A webhook of Home Assistant; it takes what its inbox accepts."""

    inbox: AddressUpdateInbox
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    """The next updates are answered with these, unread."""
    taken: list[AddressUpdate] = field(default_factory=list)
    refused: list[VieneuError] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        if self.statuses:
            status = self.statuses.pop(0)
            elsewhere = {"Location": "https://evil.example"} if status in {302, 307} else {}
            return web.Response(status=status, headers=elsewhere)
        try:
            self.taken.append(self.inbox.open(body, request.headers.get(SIGNATURE_HEADER)))
        except VieneuError as error:
            self.refused.append(error)
            return web.Response(status=403)
        return web.Response(headers={ACCEPTED_HEADER: "1"})


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver(AddressUpdateInbox(SECRET, local=True))
    app = web.Application()
    app.router.add_post("/api/webhook/secret-hook", receiver.answer)
    async with web_site(app) as url:
        receiver.url = f"{url}/api/webhook/secret-hook"
        yield receiver


async def test_home_assistant_gets_the_address_and_verifies_the_server(
    receiver: WebhookReceiver,
) -> None:
    async with serving(ScriptedBackend()) as site:
        await AddressCallback(receiver.url, lambda: SECRET).send(site.url, None)
        (heard,) = receiver.taken
        health = await verify_server(heard.endpoint_url, SECRET)
        with pytest.raises(AuthenticationError):
            await verify_server(heard.endpoint_url, SecretStr("another-token-0123456789"))

    assert heard.endpoint_url == site.url
    assert health.state is BackendState.READY
    assert all(TOKEN.encode() not in body for body in receiver.bodies)
    with pytest.raises(BackendConnectionError):
        await verify_server(heard.endpoint_url, SECRET)


async def test_an_update_signed_with_another_token_is_refused(receiver: WebhookReceiver) -> None:
    callback = AddressCallback(receiver.url, lambda: SecretStr("another-token-0123456789"))

    with pytest.raises(AddressCallbackError, match="status 403"):
        await callback.send("https://abc.ngrok.app", None)
    assert [type(error) for error in receiver.refused] == [AddressUpdateForgedError]
    assert len(receiver.bodies) == 1, "a refusal is final"


async def moved(clock: FakeClock, task: asyncio.Future[None]) -> None:
    while not task.done():
        await clock.advance(1)
        await asyncio.sleep(0.01)


async def test_a_busy_webhook_gets_further_updates_each_signed_again(
    receiver: WebhookReceiver,
) -> None:
    clock = FakeClock(SystemClock().now())
    receiver.statuses = [502, 503]
    callback = AddressCallback(receiver.url, lambda: SECRET, clock=clock)

    await moved(clock, asyncio.ensure_future(callback.send("https://abc.ngrok.app", None)))

    assert len(receiver.taken) == 1
    assert len({AddressUpdate.model_validate_json(body).nonce for body in receiver.bodies}) == 3


@pytest.mark.parametrize("n_unknown", [2, MAX_TRIES])
async def test_an_answer_alone_is_no_acceptance(receiver: WebhookReceiver, n_unknown: int) -> None:
    """Home Assistant answers 200 for a webhook that nobody has registered, too."""
    clock = FakeClock(SystemClock().now())
    receiver.statuses = [200] * n_unknown
    callback = AddressCallback(receiver.url, lambda: SECRET, clock=clock)
    sending = asyncio.ensure_future(callback.send("https://abc.ngrok.app", None))

    await moved(clock, sending)

    assert len(receiver.taken) == (n_unknown < MAX_TRIES)
    if not receiver.taken:
        with pytest.raises(AddressCallbackError, match="does not wait for an address"):
            await sending


async def test_an_unreachable_webhook_is_named_without_its_secret_path() -> None:
    clock = FakeClock()
    callback = AddressCallback(
        "http://127.0.0.1:9/api/webhook/secret-hook", lambda: SECRET, clock=clock
    )
    sending = asyncio.ensure_future(callback.send("https://abc.ngrok.app", None))
    began = clock.monotonic()
    await moved(clock, sending)

    with pytest.raises(AddressCallbackError, match=r"127\.0\.0\.1 cannot be reached") as caught:
        await sending
    assert clock.monotonic() - began >= sum(BACKOFF.pause_s(n) for n in range(1, MAX_TRIES))
    assert "secret-hook" not in f"{caught.value} {callback!r}"


async def test_a_redirect_is_not_followed(receiver: WebhookReceiver) -> None:
    receiver.statuses = [307]

    with pytest.raises(AddressCallbackError, match="status 307"):
        await AddressCallback(receiver.url, lambda: SECRET).send("https://abc.ngrok.app", None)


@pytest.mark.parametrize("url", ["", "house.example/hook", "ftp://house/hook", "https://"])
def test_a_callback_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="callback URL"):
        AddressCallback(url, lambda: SECRET)


async def test_a_proxy_that_is_away_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)
    monkeypatch.setenv("ALL_PROXY", "http://me:password-of-the-proxy@127.0.0.1:9")
    clock = FakeClock()
    callback = AddressCallback("https://home.example/api/webhook/h", lambda: SECRET, clock=clock)
    task = asyncio.ensure_future(callback.send("https://tts.example", None))
    while not task.done():
        await asyncio.sleep(0.01)
        await clock.advance(1.0)

    with pytest.raises(AddressCallbackError, match="the proxy on the way") as caught:
        task.result()
    assert "password-of-the-proxy" not in "".join(traceback.format_exception(caught.value))
