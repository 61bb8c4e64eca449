"""How a server is reached from outside, for its command line, the notebook and the house alike."""

from __future__ import annotations

from enum import StrEnum


class TunnelKind(StrEnum):
    """Who makes a server reachable from outside."""

    NONE = "none"
    """Nobody: it is reached on the network that it is in."""
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"

    @property
    def reserves_domains(self) -> bool:
        """Whether an account at the provider may have a domain that stays the same."""
        return self is TunnelKind.NGROK
