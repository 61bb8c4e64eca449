"""Webhook that receives the server's address, checks its signature, and verifies the server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import ClientError, web
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey
from pydantic import SecretStr

from vieneu_core.errors import BackendError, VieneuError
from vieneu_core.pairing import (
    ACCEPTED_HEADER,
    MAX_BODY_BYTES,
    RECORD_FILE,
    SIGNATURE_HEADER,
    AddressUpdateInbox,
    UpdateRecord,
    accepts_local,
    verify_server,
)
from vieneu_core.router import Mode

from .const import CONF_COLAB, CONF_WEBHOOK, DOMAIN
from .runtime import VieneuConfigEntry

_LOGGER = logging.getLogger(__name__)
_UNTIL_SET_UP: HassKey[dict[str, Callable[[], None]]] = HassKey(f"{DOMAIN}_address_webhooks")
"""By entry: ends the webhook of one with which nothing can speak yet."""


def webhook_key_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the webhook's id and the signing token; None if there is no webhook.

    While both are unchanged the webhook stays registered, so its inbox accepts no message twice.
    """
    webhook_id, colab = data.get(CONF_WEBHOOK), data.get(CONF_COLAB)
    return (webhook_id, colab[CONF_TOKEN]) if webhook_id and colab else None


@callback
def async_listen(hass: HomeAssistant, entry: VieneuConfigEntry) -> Callable[[], None]:
    """Receive new addresses for an entry. Returns a function that unregisters the webhook."""
    webhook_key = webhook_key_of(entry.data)
    if webhook_key is None:
        return lambda: None
    webhook_id, token = webhook_key

    async def connect(url: str) -> None:
        if webhook_key_of(entry.data) != webhook_key:
            return  # the server was removed or replaced during the verification
        data = {**entry.data, CONF_COLAB: {**entry.data[CONF_COLAB], CONF_URL: url}}
        changed = hass.config_entries.async_update_entry(entry, data=data)
        if entry.state is not ConfigEntryState.LOADED:  # it does not follow its changes
            if entry.disabled_by is None:
                hass.config_entries.async_schedule_reload(entry.entry_id)
        elif not changed:
            entry.runtime_data.coordinator.async_check_now(Mode.REMOTE)  # the same: it is back

    url = entry.data[CONF_COLAB][CONF_URL]
    async_register(hass, webhook_id, SecretStr(token), connect, known_url=url)
    return lambda: webhook.async_unregister(hass, webhook_id)


@callback
def async_listen_until_set_up(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
    """Receive new addresses for an entry with which nothing can speak yet: one may end that."""
    async_stop_until_set_up(hass, entry)
    hass.data.setdefault(_UNTIL_SET_UP, {})[entry.entry_id] = async_listen(hass, entry)


@callback
def async_stop_until_set_up(hass: HomeAssistant, entry: VieneuConfigEntry) -> None:
    """End that; without effect if there is none."""
    if (stop := hass.data.get(_UNTIL_SET_UP, {}).pop(entry.entry_id, None)) is not None:
        stop()


async def _body_of(request: web.Request) -> bytes:
    """Read the body in pieces, up to one byte more than allowed."""
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
    on_verified: Callable[[str], Awaitable[None]] | asyncio.Future[str],
    *,
    known_url: str = "",
) -> None:
    """Register the webhook.

    Args:
        hass: Home Assistant.
        webhook_id: Secret part of the path.
        token: The server's token, with which each message is signed.
        on_verified: Called with each verified address, or a future for the first one.
        known_url: URL of the server in the settings; empty if there is none yet.
    """
    inbox = AddressUpdateInbox(
        token,
        record=UpdateRecord(Path(hass.config.path(DOMAIN)) / RECORD_FILE),
        local=accepts_local(os.environ, known_url),
    )

    async def handle(hass: HomeAssistant, webhook_id: str, request: web.Request) -> web.Response:
        try:
            body = await _body_of(request)
        except (ClientError, ConnectionError) as error:
            _LOGGER.warning("A message with a server's address broke off: %s", error)
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        try:
            update = await inbox.receive(body, request.headers.get(SIGNATURE_HEADER))
            session = async_get_clientsession(hass)
            await verify_server(update.endpoint_url, token, session=session)
        except VieneuError as error:
            _LOGGER.warning("A server's address was refused: %s", error)
            # Where the server may answer in a moment, as at a name that is new, it sends it again.
            later = isinstance(error, BackendError) and error.transient
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.FORBIDDEN
            )
        if not isinstance(on_verified, asyncio.Future):
            await on_verified(update.endpoint_url)
        elif not on_verified.done():
            on_verified.set_result(update.endpoint_url)
        return web.Response(headers={ACCEPTED_HEADER: "1"})

    webhook.async_register(
        hass, DOMAIN, "VieNeu Relay", webhook_id, handle, allowed_methods=("POST",)
    )
