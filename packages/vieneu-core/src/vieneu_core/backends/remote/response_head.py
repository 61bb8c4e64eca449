"""Status, headers and first bytes of a response, as far as error mapping needs them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from vieneu_core.translatable import Translatable
from vieneu_core.wire.problem import LONGEST_RETRY_AFTER_S
from vieneu_core.wire.routes import WIRE_VERSION_HEADER

HEAD_BYTES = 64 * 1024
"""Largest part of a body that is read."""
HTML = re.compile(rb"\s*(?:\xef\xbb\xbf\s*)?<(?:!doctype|html|head|body|!--)", re.IGNORECASE)
"""The beginning of a web page."""
_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{1,1000})</title>", re.IGNORECASE)
_MAGIC = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a ZIP archive",
    b"RIFF": "a WAV file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """The part of a response that error mapping needs."""

    status: int
    headers: Mapping[str, str]
    """Looked up case-insensitively."""
    head: bytes
    """The first bytes of the body, at most `HEAD_BYTES`."""
    host: str
    """Host that sent it, for messages."""
    backend: str
    """Name of the backend, for the exception."""
    now: datetime
    """Calendar time in UTC; a monthly quota resets on the first."""

    @property
    def content_type(self) -> str:
        """Media type in small letters, without parameters."""
        return self.headers.get("Content-Type", "").split(";", 1)[0].strip().lower()

    @property
    def body(self) -> bytes:
        """The first bytes, decompressed: an edge may compress although that was not accepted."""
        if not self.head.startswith(b"\x1f\x8b"):
            return self.head
        try:
            return zlib.decompressobj(wbits=31).decompress(self.head, HEAD_BYTES)
        except zlib.error:
            return self.head

    @property
    def ours(self) -> bool:
        """True if the response has a VieNeu server's version header."""
        return WIRE_VERSION_HEADER in self.headers


def describe(head: bytes) -> str:
    """Describe in words what these bytes look like."""
    if HTML.match(head):
        title = _TITLE.search(head)
        words = (
            Translatable(" titled {title!r}", title=title[1].strip()[:200].decode(errors="replace"))
            if title
            else ""
        )
        return Translatable("a web page{words}", words=words)
    if not head:
        return "nothing"
    return next((words for magic, words in _MAGIC.items() if head.startswith(magic)), "other data")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Parse Retry-After, in seconds or as a date; None if it is absent or implausible.

    A date is compared with the sender's own one, if there is one: its clock may differ from ours.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_RETRY_AFTER_S)
    moment, sent_at = _date(value), _date(headers.get("Date", ""))
    if moment is None:
        return None
    return min(max(0.0, (moment - (sent_at or now)).total_seconds()), LONGEST_RETRY_AFTER_S)


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value.strip())
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def until_next_month_s(now: datetime) -> float:
    """Return the seconds until the first of the next month, when a monthly quota resets."""
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)  # noqa: PLR2004 - December
    return (datetime(year, month, 1, tzinfo=UTC) - now).total_seconds()
