"""Webhook for the server's address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import SetUp
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pydantic import SecretStr
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, Site, serving

from vieneu_core import __version__
from vieneu_core.pairing import (
    ACCEPTED_HEADER,
    SIGNATURE_HEADER,
    AddressUpdate,
    signature,
    verify_server,
)
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.version import WIRE_VERSION


def address_update(url: str) -> tuple[bytes, dict[str, str]]:
    """Return a signed message with an address, and its headers."""
    body = AddressUpdate(
        endpoint_url=url,
        server_version=__version__,
        wire_version=WIRE_VERSION,
        timestamp=datetime.now(UTC),
    ).body()
    return body, {SIGNATURE_HEADER: signature(body, SecretStr(TOKEN))}


async def test_an_update_may_come_in_pieces(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await set_up({**colab, "webhook_id": "a-webhook"}, mode="remote")
    client = await hass_client()
    async with serving(engine) as other:
        body, headers = address_update(other.url)

        async def pieces() -> AsyncGenerator[bytes]:
            for at in range(0, len(body), 20):
                yield body[at : at + 20]
                await asyncio.sleep(0.01)

        answer = await client.post("/api/webhook/a-webhook", data=pieces(), headers=headers)
        assert answer.status == 200
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["colab"]["url"] == other.url
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("change", ["removed", "replaced"])
async def test_colab_that_is_changed_during_the_verification_stays_changed(
    hass: HomeAssistant,
    set_up: SetUp,
    site: Site,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    server = {"url": site.url, "token": TOKEN}
    local = {"local": {"kind": "server", **server}}
    entry = await set_up({**local, "colab": server, "webhook_id": "a-webhook"})
    another = {"url": site.url, "token": "the-token-of-another-server-0123456789"}
    after = local if change == "removed" else {**local, "colab": another, "webhook_id": "another"}

    async def verify_slowly(*given: Any, **named: Any) -> object:
        health = await verify_server(*given, **named)
        hass.config_entries.async_update_entry(entry, data=after)
        return health

    monkeypatch.setattr("custom_components.vieneu.address_webhook.verify_server", verify_slowly)
    client = await hass_client()
    async with serving(ScriptedBackend()) as other:
        body, headers = address_update(other.url)
        answer = await client.post("/api/webhook/a-webhook", data=body, headers=headers)
    assert answer.status == 200
    assert entry.data == after
    assert "Error processing webhook" not in caplog.text


@pytest.mark.usefixtures("no_embedded_voice")
async def test_an_address_revives_an_entry_with_which_nothing_could_speak(
    hass: HomeAssistant,
    set_up: SetUp,
    engine: ScriptedBackend,
    hass_client: ClientSessionGenerator,
) -> None:
    gone = {"url": "http://127.0.0.1:9", "token": TOKEN}
    data = {"local": {"kind": "server", **gone}, "colab": gone, "webhook_id": "a-webhook"}
    entry = await set_up(data, mode="remote")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    client = await hass_client()
    async with serving(engine) as other:
        body, headers = address_update(other.url)
        answer = await client.post("/api/webhook/a-webhook", data=body, headers=headers)
        assert (answer.status, ACCEPTED_HEADER in answer.headers) == (200, True)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED
        assert entry.data["colab"]["url"] == other.url
        # The next address comes to the loaded entry.
        async with serving(engine) as third:
            body, headers = address_update(third.url)
            await client.post("/api/webhook/a-webhook", data=body, headers=headers)
            await hass.async_block_till_done(wait_background_tasks=True)
            assert entry.data["colab"]["url"] == third.url
            await hass.config_entries.async_unload(entry.entry_id)


async def test_a_server_that_does_not_answer_yet_is_asked_to_send_its_address_again(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await set_up({**colab, "webhook_id": "a-webhook"}, mode="remote")
    client = await hass_client()
    body, headers = address_update("http://127.0.0.1:9")
    answer = await client.post("/api/webhook/a-webhook", data=body, headers=headers)
    assert (answer.status, ACCEPTED_HEADER in answer.headers) == (503, False)
    await hass.config_entries.async_unload(entry.entry_id)
