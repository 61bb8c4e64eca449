"""Webhook for the server's address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from conftest import SetUp
from homeassistant.core import HomeAssistant
from pydantic import SecretStr
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from server_site import TOKEN, serving

from vieneu_core import __version__
from vieneu_core.pairing import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.version import WIRE_VERSION


async def test_an_announcement_may_come_in_pieces(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await set_up({**colab, "webhook_id": "a-webhook"}, mode="remote")
    client = await hass_client()
    async with serving(engine) as other:
        body = AddressUpdate(
            endpoint_url=other.url,
            server_version=__version__,
            wire_version=WIRE_VERSION,
            timestamp=datetime.now(UTC),
        ).body()
        headers = {SIGNATURE_HEADER: signature(body, SecretStr(TOKEN))}

        async def pieces() -> AsyncGenerator[bytes]:
            for at in range(0, len(body), 20):
                yield body[at : at + 20]
                await asyncio.sleep(0.01)

        answer = await client.post("/api/webhook/a-webhook", data=pieces(), headers=headers)
        assert answer.status == 200
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["colab"]["url"] == other.url
        await hass.config_entries.async_unload(entry.entry_id)
