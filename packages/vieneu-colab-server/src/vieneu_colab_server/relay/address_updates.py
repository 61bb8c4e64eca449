"""Address updates of a restarted server: verified, and used as the remote from then on."""

from __future__ import annotations

import os

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendNotConfiguredError, InvalidRequestError
from vieneu_core.pairing import (
    ACCEPTED_HEADER,
    MAX_BODY_BYTES,
    RECORD_FILE,
    SIGNATURE_HEADER,
    AddressUpdateInbox,
    UpdateRecord,
    accepts_local,
)
from vieneu_core.router import Mode

ADDRESS = "/address"
"""Open: what it takes is signed."""


class RelayInbox:
    """Takes address updates that are signed with the token of the settings.

    Args:
        administration: Connects to the new address.
        clock: Time.
    """

    def __init__(self, administration: Administration, *, clock: Clock) -> None:
        self._administration = administration
        self._clock = clock
        self._record = UpdateRecord(administration.state_dir / RECORD_FILE)
        self._inbox: tuple[str, bool, AddressUpdateInbox] | None = None

    async def accept(self, body: bytes, signature: str | None) -> None:
        """Take the new address that a restarted server sent.

        Raises:
            AddressUpdateError: it is not signed with the token of the settings, not new or unsafe.
            BackendError: the server does not answer at the address; nothing has changed.
            BackendNotConfiguredError: the settings have no token that could sign.
        """
        colab = self._administration.settings.colab
        if not colab.auth_token.get_secret_value():
            raise BackendNotConfiguredError("No server is connected.", backend=Mode.REMOTE.value)
        inbox = self._inbox_of(
            colab.auth_token, local=accepts_local(os.environ, colab.endpoint_url)
        )
        update = await inbox.receive(body, signature)
        await self._administration.connect(update.endpoint_url, colab.auth_token)

    def _inbox_of(self, token: SecretStr, *, local: bool) -> AddressUpdateInbox:
        key = token.get_secret_value(), local
        if self._inbox is None or self._inbox[:2] != key:
            inbox = AddressUpdateInbox(token, clock=self._clock, record=self._record, local=local)
            self._inbox = *key, inbox
        return self._inbox[2]


def address_routes(inbox: RelayInbox) -> APIRouter:
    """Return the route that takes address updates."""
    api = APIRouter(tags=["relay"], prefix=ADMIN_API)

    @api.post(ADDRESS)
    async def accept_address(request: Request, response: Response) -> dict[str, bool]:
        """Take the signed new address of a server that was restarted."""
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequestError("The address update is too large.")
        await inbox.accept(body, request.headers.get(SIGNATURE_HEADER))
        response.headers[ACCEPTED_HEADER] = "1"
        return {"accepted": True}

    return api
