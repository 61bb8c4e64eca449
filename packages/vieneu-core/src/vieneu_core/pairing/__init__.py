"""A server tells the house where it is, so that nobody has to paste an address."""

from vieneu_core.pairing.address_update import SIGNATURE_HEADER, Announcement, signature
from vieneu_core.pairing.inbox import AnnouncementInbox
from vieneu_core.pairing.verify import look_at

__all__ = [
    "SIGNATURE_HEADER",
    "Announcement",
    "AnnouncementInbox",
    "look_at",
    "signature",
]
