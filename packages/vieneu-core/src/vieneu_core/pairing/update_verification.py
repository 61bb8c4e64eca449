"""Verification of received address updates: signature, age, repetition and address."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import SecretStr, ValidationError

from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.credentials import is_loopback
from vieneu_core.errors import (
    AddressUpdateError,
    AddressUpdateForgedError,
    AddressUpdateStaleError,
    ConfigurationError,
    UnsafeEndpointError,
)
from vieneu_core.pairing.address_update import AddressUpdate, is_signed
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.wire.version import check_server

TOLERANCE = timedelta(minutes=5)
"""Largest difference of both machines' clocks, transmission included."""
MAX_BODY_BYTES = 8192


class AddressUpdateInbox:
    """Verifies address updates and remembers accepted ones, so that none is accepted twice.

    Args:
        token: The server's token.
        clock: Clock of this machine.
    """

    def __init__(self, token: SecretStr, *, clock: Clock | None = None) -> None:
        self._token = token
        self._clock = clock or SystemClock()
        self._taken: dict[str, datetime] = {}

    def open(self, body: bytes, given_signature: str | None) -> AddressUpdate:
        """Check an address update. Its server still has to be verified: `verify_server`.

        Args:
            body: The received body, not parsed.
            given_signature: Value of the header `SIGNATURE_HEADER`.

        Raises:
            AddressUpdateForgedError: it is not signed with the token.
            AddressUpdateError: it is signed, but is not an address update.
            AddressUpdateStaleError: its time differs by more than `TOLERANCE`, or it was
                accepted before.
            UnsafeEndpointError: its address is neither https nor this machine.
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
        # Longer than an address update stays valid, counted from its arrival.
        self._taken = {n: t for n, t in self._taken.items() if now - t <= 2 * TOLERANCE}
        if update.nonce in self._taken:
            raise AddressUpdateStaleError("This address update was already received.")
        self._taken[update.nonce] = now

    def _check_endpoint(self, url: str) -> None:
        try:
            endpoint = Endpoint.of(url, self._token)
        except ConfigurationError as error:
            raise UnsafeEndpointError(
                Translatable("The address of an update is refused: {error}", error=error.detail)
            ) from None
        if endpoint.base.scheme != "https" and not is_loopback(endpoint.base.host or ""):
            raise UnsafeEndpointError(
                Translatable(
                    "The address of an update is refused: http:// to {host} would send the token"
                    " in clear.",
                    host=endpoint.host,
                )
            )
