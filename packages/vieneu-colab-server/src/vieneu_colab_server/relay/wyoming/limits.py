"""Bounds of what a client may send, and of how long it may take. Needs no package of the extra."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WyomingLimits:
    """Bounds of one Wyoming server."""

    max_text_chars: int = 4_096
    """Longest text of one request, all its pieces together."""
    max_connections: int = 32
    """Clients that are connected at once."""
    max_pending: int = 8
    """Requests of one client that wait for their turn; the next one is not read before."""
    event_timeout_s: float = 30.0
    """Longest time for an event to arrive, from its first byte to its last."""
    text_timeout_s: float = 60.0
    """Longest pause between two pieces of a text whose speech has begun. Others are spoken
    meanwhile, but a text that does not go on must not be kept for ever."""
    idle_timeout_s: float = 300.0
    """A connection on which nothing happens for so long is closed; so long a text may take to
    begin, as that of a language model does."""
    send_timeout_s: float = 30.0
    """A client that reads nothing for so long counts as disconnected."""

    @property
    def max_event_bytes(self) -> int:
        """Longest header, and longest data, of one event.

        JSON writes a character in at most 12 bytes, as two escapes.
        """
        return max(1 << 16, 12 * self.max_text_chars + 4_096)
