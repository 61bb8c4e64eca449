"""Advertisement of a server in its local network, and its signature. The token is never in it.

Anybody in the network can advertise anything. So whoever has the token sends it only to an address
that was signed with it: HMAC-SHA-256 (RFC 2104) by a key derived from the token (`hkdf_sha256`),
over all that it says. The fields are those of a TXT record (RFC 6763, 6): ``id``,
``name``, ``version``, ``addresses``, ``time``, ``signature``; the port is that of the SRV record.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from vieneu_core.credentials import host_in_url
from vieneu_core.errors import AddressUpdateError, AddressUpdateStaleError
from vieneu_core.pairing.address_update import hkdf_sha256
from vieneu_core.pairing.address_update_record import UpdateRecord
from vieneu_core.translatable import Translatable
from vieneu_core.validation import field_of, invalid, reason_of

ADVERTISED_TYPE = "_vieneu._tcp.local."
"""Type of the service (RFC 6763, 4.1.2)."""
MAX_ADDRESSES_CHARS = 200
"""Of all addresses together: a string of a TXT record has 255 bytes (RFC 6763, 6.1)."""
FRESH = timedelta(minutes=15)
"""An older one is refused by who knows none of the server: a server signs anew more often."""
FUTURE = timedelta(days=1)
"""An advertisement from further ahead was signed by a clock that is wrong."""
_PURPOSE = b"vieneu-relay network announcement v1"  # its former name is in each signature
_ID_PURPOSE = b"vieneu-relay id in the network v1"
_VERSION = "v1="

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _printable(text: str) -> str:
    """Refuse control characters: people read it, and a line break separates what is signed."""
    if not text.isprintable():
        raise invalid("unprintable", "it has not the right form")
    return text


class NetworkAdvertisement(BaseModel):
    """What a server says of itself in its network."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Of the server's token: the same until that is replaced."""
    name: Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_printable)]
    """For people."""
    version: Annotated[str, Field(max_length=64), AfterValidator(_printable)]
    """Of the server."""
    addresses: Annotated[str, Field(pattern=r"^[0-9a-f:.,]+$", max_length=MAX_ADDRESSES_CHARS)]
    """Separated by commas."""
    port: Annotated[int, Field(ge=1, le=65535)]
    time: Annotated[str, Field(pattern=r"^\d{1,11}$")]
    """Of the signature, in seconds of Unix."""
    signature: Annotated[str, Field(max_length=128)]

    @classmethod
    def signed(  # noqa: PLR0913 - its fields, by keyword
        cls,
        token: SecretStr,
        *,
        name: str,
        version: str,
        addresses: Sequence[Address],
        port: int,
        now: datetime,
    ) -> Self:
        """Return the advertisement of a server; addresses that have no room are left out.

        Args:
            token: The server's token.
            name: For people.
            version: Of the server.
            addresses: At which others reach it, the best ones first.
            port: At which they reach it.
            now: Calendar time.
        """
        listed = ""
        for address in addresses:
            longer = ",".join(filter(None, (listed, str(address))))
            listed = longer if len(longer) <= MAX_ADDRESSES_CHARS else listed
        unsigned = cls(
            id=advertised_id(token),
            name=name,
            version=version,
            addresses=listed,
            port=port,
            time=str(int(now.timestamp())),
            signature="",
        )
        return unsigned.model_copy(update={"signature": unsigned._signature(token)})

    @classmethod
    def read(cls, properties: Mapping[str, Any], port: int | None) -> Self:
        """Return the advertisement in a TXT record; anybody may have made it.

        Args:
            properties: The strings of the record.
            port: The port of the SRV record.

        Raises:
            AddressUpdateError: it is none.
        """
        try:
            return cls.model_validate({**properties, "port": port})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
        raise AddressUpdateError(
            Translatable(
                "An advertisement in the network is invalid: {where}: {first}.",
                where=field_of(first),
                first=reason_of(first),
            )
        )

    def properties(self) -> dict[str, str]:
        """Return the strings of the TXT record."""
        return self.model_dump(exclude={"port"})

    def is_signed_with(self, token: SecretStr) -> bool:
        """Return whether it was signed with a token; compared in constant time."""
        stated = self.signature.encode(errors="replace")
        return hmac.compare_digest(stated, self._signature(token).encode())

    def url_at(self, address: str) -> str | None:
        """Return the server's URL at one of its addresses; None: it did not advertise that one."""
        if address not in self.addresses.split(","):
            return None
        return f"http://{host_in_url(address)}:{self.port}"

    def check_new(self, record: UpdateRecord, *, now: datetime) -> None:
        """Check that it is not an old one that somebody sends again, and record its time. Blocking.

        Only for one that is signed with the right token.

        Raises:
            AddressUpdateStaleError: it is older than the last one, or than `FRESH` where none is
                known; or it is from the future.
        """
        signed_at = datetime.fromtimestamp(int(self.time), UTC)
        last = record.last(self.id)
        oldest = now - FRESH if last is None else last
        if not oldest <= signed_at <= now + FUTURE:
            raise AddressUpdateStaleError(
                "An advertisement in the network is too old, or from the future."
            )
        if signed_at != last:
            record.keep(self.id, signed_at)

    def _signature(self, token: SecretStr) -> str:
        key = hkdf_sha256(token.get_secret_value().encode(), info=_PURPOSE)
        said = (self.id, self.name, self.version, self.addresses, str(self.port), self.time)
        content = "\n".join(said)
        return _VERSION + hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def advertised_id(token: SecretStr) -> str:
    """Return the id of the server with a token, which reveals nothing of the token."""
    return hkdf_sha256(token.get_secret_value().encode(), info=_ID_PURPOSE).hex()[:32]
