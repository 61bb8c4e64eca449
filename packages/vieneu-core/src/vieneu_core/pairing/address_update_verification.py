"""Verification of received address updates: signature, age, repetition and address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import SecretStr, ValidationError
from yarl import URL

from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.credentials import is_loopback, is_public
from vieneu_core.errors import (
    AddressUpdateError,
    AddressUpdateForgedError,
    AddressUpdateStaleError,
    ConfigurationError,
    UnsafeEndpointError,
)
from vieneu_core.pairing.address_update import AddressUpdate, is_signed, record_key
from vieneu_core.pairing.address_update_record import UpdateRecord
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.wire.version import check_server

TOLERANCE = timedelta(minutes=5)
"""Largest difference of both machines' clocks, transmission included."""
MAX_BODY_BYTES = 8192
LOCAL_UPDATES_VARIABLE = "VIENEU_LOCAL_ADDRESS_UPDATES"
"""Environment variable: ``1`` accepts updates with an address of this machine or its network."""


def accepts_local(environ: Mapping[str, str], endpoint_url: str = "") -> bool:
    """Return whether an update may lead to this machine or its network: only if that is set up.

    Args:
        environ: Environment variables; `LOCAL_UPDATES_VARIABLE` allows it.
        endpoint_url: URL of the server in the settings; one in this network allows it too.
    """
    if environ.get(LOCAL_UPDATES_VARIABLE, "").strip() == "1":
        return True
    host = URL(endpoint_url).raw_host if endpoint_url else None
    return host is not None and not is_public(host)


class AddressUpdateInbox:
    """Verifies address updates; each must be newer than the one that was accepted before it.

    Args:
        token: The server's token.
        clock: Clock of this machine.
        record: Keeps the time of the last update over restarts, for `receive`; None keeps it in
            memory only.
        local: Whether the address may be on this machine or in its network: `accepts_local`.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        clock: Clock | None = None,
        record: UpdateRecord | None = None,
        local: bool = False,
    ) -> None:
        self._token = token
        self._clock = clock or SystemClock()
        self._record, self._local = record, local
        self._last: datetime | None = None

    async def receive(self, body: bytes, given_signature: str | None) -> AddressUpdate:
        """Check an address update as `open` does, and record its time.

        Raises:
            AddressUpdateError, WireVersionError: as `open`.
        """
        if self._record is None:
            return self.open(body, given_signature)
        key = record_key(self._token)
        known = await asyncio.to_thread(self._record.last, key)
        if known is not None and (self._last is None or known > self._last):
            self._last = known
        update = self.open(body, given_signature)
        await asyncio.to_thread(self._record.keep, key, update.timestamp)
        return update

    def open(self, body: bytes, given_signature: str | None) -> AddressUpdate:
        """Check an address update. Its server still has to be verified: `verify_server`.

        Args:
            body: The received body, not parsed.
            given_signature: Value of the header `SIGNATURE_HEADER`.

        Raises:
            AddressUpdateForgedError: it is not signed with the token.
            AddressUpdateError: it is signed, but is not an address update.
            AddressUpdateStaleError: its time differs by more than `TOLERANCE`, it is not newer than
                the one that was accepted before, or the session of its server has ended.
            UnsafeEndpointError: its address is not https, or is on this machine or in its network
                without ``local``.
            WireVersionError: the server is too old or too new; the remedy says what to upgrade.
        """
        if len(body) > MAX_BODY_BYTES or not is_signed(body, given_signature, self._token):
            raise AddressUpdateForgedError(
                "An address update is not signed with the server's token."
            )
        try:
            update = AddressUpdate.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise AddressUpdateError(
                Translatable(
                    "An address update is invalid: {where}: {first}.",
                    where=where,
                    first=reason_of(first),
                )
            ) from None
        self._check_new(update)
        self._check_endpoint(update.endpoint_url)
        check_server(update.wire_version)
        return update

    def _check_new(self, update: AddressUpdate) -> None:
        now = self._clock.now()
        age = now - update.timestamp
        if abs(age) > TOLERANCE:
            raise AddressUpdateStaleError(
                Translatable(
                    "An address update is {age:.0f} s old by this machine's clock.",
                    age=age.total_seconds(),
                )
            )
        if self._last is not None and update.timestamp <= self._last:
            raise AddressUpdateStaleError(
                "This address update was already received, or is older than the last one."
            )
        if update.expires_at is not None and update.expires_at <= now:
            raise AddressUpdateStaleError(
                "An address update is of a server whose session has ended.",
                remedy="Start the server again.",
            )
        self._last = update.timestamp

    def _check_endpoint(self, url: str) -> None:
        try:
            endpoint = Endpoint.of(url, self._token)
        except ConfigurationError as error:
            raise UnsafeEndpointError(
                Translatable("The address of an update is refused: {error}", error=error.detail)
            ) from None
        host = endpoint.base.raw_host or ""
        if not self._local and not is_public(host):
            raise UnsafeEndpointError(
                Translatable(
                    "The address of an update is refused: {host} is on this machine or in its"
                    " network.",
                    host=endpoint.host,
                ),
                remedy=Translatable(
                    "If your server is there, connect by hand: vieneu connect URL; or set"
                    " {variable}=1.",
                    variable=LOCAL_UPDATES_VARIABLE,
                ),
            )
        if endpoint.base.scheme != "https" and not is_loopback(host):
            raise UnsafeEndpointError(
                Translatable(
                    "The address of an update is refused: http:// to {host} would send the token"
                    " in clear.",
                    host=endpoint.host,
                )
            )
