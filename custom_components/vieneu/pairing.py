"""Where the server announces its address: believed if it is signed, and after a look at it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, web
from homeassistant.components import webhook
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from pydantic import SecretStr

from vieneu_core.errors import VieneuError
from vieneu_core.pairing import SIGNATURE_HEADER, AddressUpdateInbox, verify_server
from vieneu_core.pairing.inbox import MAX_BODY_BYTES

from .const import CONF_COLAB, CONF_WEBHOOK, DOMAIN
from .coordinator import VieneuCoordinator

_LOGGER = logging.getLogger(__name__)


def webhook_key_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the webhook's id and the token that must have signed; None where nobody listens.

    An ear is kept while these stay: it remembers what it has heard, and believes nothing twice.
    """
    webhook_id, colab = data.get(CONF_WEBHOOK), data.get(CONF_COLAB)
    return (webhook_id, colab[CONF_TOKEN]) if webhook_id and colab else None


@callback
def async_listen(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Take announcements for a house from now on; the answer ends that."""
    entry = coordinator.config_entry
    webhook_key = webhook_key_of(entry.data)
    if webhook_key is None:
        return lambda: None
    webhook_id, token = webhook_key

    async def connect(url: str) -> None:
        data = {**entry.data, CONF_COLAB: {**entry.data[CONF_COLAB], CONF_URL: url}}
        if not hass.config_entries.async_update_entry(entry, data=data):
            coordinator.async_check_remote_now()  # the same address: it is back

    async_register(hass, webhook_id, SecretStr(token), connect)
    return lambda: webhook.async_unregister(hass, webhook_id)


async def _body_of(request: web.Request) -> bytes:
    """Read the body, of whatever pieces; no more than is of use."""
    body = b""
    while len(body) <= MAX_BODY_BYTES and (
        part := await request.content.read(MAX_BODY_BYTES + 1 - len(body))
    ):
        body += part
    return body


@callback
def async_register(
    hass: HomeAssistant,
    webhook_id: str,
    token: SecretStr,
    believed: Callable[[str], Awaitable[None]] | asyncio.Future[str],
) -> None:
    """Take announcements signed with a token.

    ``believed`` is called with each address that proved good; or is a future, for the first one.
    """
    inbox = AddressUpdateInbox(token)

    async def handle(hass: HomeAssistant, webhook_id: str, request: web.Request) -> web.Response:
        try:
            body = await _body_of(request)
        except (ClientError, ConnectionError) as error:
            _LOGGER.warning("An announcement broke off: %s", error)
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        try:
            heard = inbox.open(body, request.headers.get(SIGNATURE_HEADER))
            session = async_get_clientsession(hass)
            await verify_server(heard.endpoint_url, token, session=session)
        except VieneuError as error:
            _LOGGER.warning("An announced address was not taken: %s", error)
            return web.Response(status=HTTPStatus.FORBIDDEN)
        if not isinstance(believed, asyncio.Future):
            await believed(heard.endpoint_url)
        elif not believed.done():
            believed.set_result(heard.endpoint_url)
        return web.Response()

    webhook.async_register(
        hass, DOMAIN, "VieNeu Relay", webhook_id, handle, allowed_methods=("POST",)
    )
