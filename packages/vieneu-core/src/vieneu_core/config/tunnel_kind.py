"""Kinds of tunnels, for the server's command line, the notebook and Home Assistant."""

from __future__ import annotations

from enum import StrEnum


class TunnelKind(StrEnum):
    """Provider of the tunnel that makes a server public."""

    NONE = "none"
    """No tunnel: the server is reached on its own network."""
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"

    @property
    def reserves_domains(self) -> bool:
        """Whether an account at the provider can reserve a domain."""
        return self is TunnelKind.NGROK
