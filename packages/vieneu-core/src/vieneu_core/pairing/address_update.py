"""Address update: its content and its signature. The token itself is never sent.

The key is derived from the token by HKDF with SHA-256 (RFC 5869), the signature is HMAC-SHA-256
(RFC 2104) over the body as it is sent: ``Vieneu-Signature: v1=<hexadecimal>``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from vieneu_core.credentials import MAX_URL_CHARS

SIGNATURE_HEADER = "Vieneu-Signature"
ACCEPTED_HEADER = "Vieneu-Accepted"
"""Of the answer of who took an update: Home Assistant answers 200 for unknown webhooks too."""
_VERSION = "v1="
_PURPOSE = b"vieneu-relay announcement v1"
_RECORD_PURPOSE = b"vieneu-relay record of announcements v1"
_HASH_BYTES = 32


def new_nonce() -> str:
    """Return a unique value of 128 random bits."""
    return secrets.token_urlsafe(16)


class AddressUpdate(BaseModel):
    """The current address of a server."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    endpoint_url: Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS)]
    server_version: Annotated[str, Field(max_length=64)]
    wire_version: Annotated[str, Field(max_length=16)]
    expires_at: AwareDatetime | None = None
    """End of its session; None if it has no end."""
    timestamp: AwareDatetime
    """Time of sending."""
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")] = Field(
        default_factory=new_nonce
    )

    def body(self) -> bytes:
        """Return the body to send and to sign."""
        return self.model_dump_json().encode()


def signature(body: bytes, token: SecretStr) -> str:
    """Return the value of `SIGNATURE_HEADER` for a body."""
    key = hkdf_sha256(token.get_secret_value().encode(), info=_PURPOSE)
    return _VERSION + hmac.new(key, body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, given: str | None, token: SecretStr) -> bool:
    """Return whether a signature was made with the token; compared in constant time."""
    # Bytes outside ASCII arrive as lone surrogates, which UTF-8 cannot encode.
    stated = (given or "").strip().encode(errors="replace")
    return hmac.compare_digest(stated, signature(body, token).encode())


def record_key(token: SecretStr) -> str:
    """Return the name under which what is known of updates signed with a token is recorded."""
    return hkdf_sha256(token.get_secret_value().encode(), info=_RECORD_PURPOSE).hex()[:32]


def hkdf_sha256(secret: bytes, *, info: bytes, salt: bytes = b"") -> bytes:
    """Return a key of 32 bytes for one purpose (RFC 5869, section 2; one step of expansion)."""
    pseudorandom = hmac.new(salt or bytes(_HASH_BYTES), secret, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b"\x01", hashlib.sha256).digest()
