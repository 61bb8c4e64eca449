"""Pairing: a server sends its signed address to Home Assistant, so that nobody has to enter it."""

from vieneu_core.pairing.address_update import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.pairing.server_verification import verify_server
from vieneu_core.pairing.update_verification import MAX_BODY_BYTES, AddressUpdateInbox

__all__ = [
    "MAX_BODY_BYTES",
    "SIGNATURE_HEADER",
    "AddressUpdate",
    "AddressUpdateInbox",
    "signature",
    "verify_server",
]
