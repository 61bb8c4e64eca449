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

    @property
    def account_secret(self) -> str | None:
        """Name of the secret of an account at the provider; None if it needs no account."""
        return "NGROK_AUTHTOKEN" if self is TunnelKind.NGROK else None

    @property
    def account_page(self) -> str | None:
        """Address of the provider's page that shows this secret."""
        if self is not TunnelKind.NGROK:
            return None
        return "https://dashboard.ngrok.com/get-started/your-authtoken"
