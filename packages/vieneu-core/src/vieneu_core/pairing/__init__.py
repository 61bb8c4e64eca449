"""Pairing: a server sends its signed address to Home Assistant, so that nobody has to enter it."""

from vieneu_core.pairing.address_update import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.pairing.server_verification import verify_server
from vieneu_core.pairing.token_rotation import rotate_saved_token
from vieneu_core.pairing.update_record import RECORD_FILE, UpdateRecord
from vieneu_core.pairing.update_verification import (
    LOCAL_UPDATES_VARIABLE,
    MAX_BODY_BYTES,
    AddressUpdateInbox,
    accepts_local,
)

__all__ = [
    "LOCAL_UPDATES_VARIABLE",
    "MAX_BODY_BYTES",
    "RECORD_FILE",
    "SIGNATURE_HEADER",
    "AddressUpdate",
    "AddressUpdateInbox",
    "UpdateRecord",
    "accepts_local",
    "rotate_saved_token",
    "signature",
    "verify_server",
]
