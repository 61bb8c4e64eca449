"""A server tells the house where it is, so that nobody has to paste an address."""

from vieneu_core.pairing.address_update import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.pairing.inbox import AddressUpdateInbox
from vieneu_core.pairing.verify import verify_server

__all__ = [
    "SIGNATURE_HEADER",
    "AddressUpdate",
    "AddressUpdateInbox",
    "signature",
    "verify_server",
]
