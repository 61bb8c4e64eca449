"""Kinds of tunnels, for the server's command line, the notebook and Home Assistant."""

from __future__ import annotations

from enum import StrEnum


class TunnelKind(StrEnum):
    """Provider of the tunnel that makes a server public."""

    NONE = "none"
    """No tunnel: the server is reached on its own network."""
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"
    """ngrok, by its agent inside the server's process."""
    PYNGROK = "pyngrok"
    """ngrok, by its agent as a program that the package pyngrok runs."""

    @classmethod
    def with_domains(cls) -> tuple[TunnelKind, ...]:
        """Return the kinds with which a domain can be chosen."""
        return tuple(kind for kind in cls if kind.reserves_domains)

    @property
    def reserves_domains(self) -> bool:
        """Whether an account at the provider can reserve a domain."""
        return self.is_ngrok

    @property
    def is_ngrok(self) -> bool:
        """Whether it belongs to an ngrok account, with the limits of its plan."""
        return self in {TunnelKind.NGROK, TunnelKind.PYNGROK}

    @property
    def account_secret(self) -> str | None:
        """Name of the secret of an account at the provider; None if it needs no account."""
        return "NGROK_AUTHTOKEN" if self.is_ngrok else None

    @property
    def account_page(self) -> str | None:
        """Address of the provider's page that shows this secret."""
        if not self.is_ngrok:
            return None
        return "https://dashboard.ngrok.com/get-started/your-authtoken"
