"""Verification of a server before its address is stored."""

from __future__ import annotations

import aiohttp
from pydantic import SecretStr

from vieneu_core.backends.base import Health
from vieneu_core.backends.remote import RemoteBackend


async def verify_server(
    endpoint_url: str, token: SecretStr, *, session: aiohttp.ClientSession | None = None
) -> Health:
    """Connect to a server, and return its health.

    Raises:
        BackendError: it does not answer, refuses the token, or is not ready.
        ConfigurationError: URL or token cannot be used.
    """
    backend = RemoteBackend(endpoint_url, token, session=session)
    try:
        await backend.health()  # reports a wrong token at once, before waiting
        await backend.load()
        return await backend.health()
    finally:
        await backend.aclose()
