"""Pairing: a server states its signed address, so that nobody has to enter it."""

from vieneu_core.pairing.address_update import (
    ACCEPTED_HEADER,
    SIGNATURE_HEADER,
    AddressUpdate,
    signature,
)
from vieneu_core.pairing.address_update_record import RECORD_FILE, UpdateRecord
from vieneu_core.pairing.address_update_verification import (
    LOCAL_UPDATES_VARIABLE,
    MAX_BODY_BYTES,
    AddressUpdateInbox,
    accepts_local,
)
from vieneu_core.pairing.network_advertisement import (
    ADVERTISED_TYPE,
    FRESH,
    NetworkAdvertisement,
    advertised_id,
)
from vieneu_core.pairing.server_verification import verify_server
from vieneu_core.pairing.token_rotation import rotate_saved_token

__all__ = [
    "ACCEPTED_HEADER",
    "ADVERTISED_TYPE",
    "FRESH",
    "LOCAL_UPDATES_VARIABLE",
    "MAX_BODY_BYTES",
    "RECORD_FILE",
    "SIGNATURE_HEADER",
    "AddressUpdate",
    "AddressUpdateInbox",
    "NetworkAdvertisement",
    "UpdateRecord",
    "accepts_local",
    "advertised_id",
    "rotate_saved_token",
    "signature",
    "verify_server",
]
