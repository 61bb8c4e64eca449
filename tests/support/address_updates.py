"""Address updates as a server sends them, and their token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from vieneu_core.pairing import AddressUpdate, AddressUpdateInbox, signature
from vieneu_core.wire.version import WIRE_VERSION

TOKEN = SecretStr("the-token-of-the-house-0123456789")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def said(**changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "endpoint_url": "https://abc.ngrok-free.app",
        "server_version": "0.1.0",
        "wire_version": WIRE_VERSION,
        "timestamp": NOW,
    }
    return AddressUpdate(**{**facts, **changes}).body()


def opened_update(
    inbox: AddressUpdateInbox, body: bytes, token: SecretStr = TOKEN
) -> AddressUpdate:
    return inbox.open(body, signature(body, token))
