"""Kinds of tunnels, for the server's command line, the notebook and Home Assistant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class AccountSecret:
    """A secret of an account at a tunnel provider."""

    name: str
    """Name of its environment variable, and of its entry in Colab's Secrets."""
    page: str
    """URL of the provider's page that shows it."""


NGROK_AUTHTOKEN = AccountSecret(
    "NGROK_AUTHTOKEN", "https://dashboard.ngrok.com/get-started/your-authtoken"
)


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
    def label(self) -> str | None:
        """Name for people, equal in every language; None if there is no provider to name."""
        if self is TunnelKind.NONE:
            return None
        return {TunnelKind.CLOUDFLARED: "Cloudflare", TunnelKind.PYNGROK: "ngrok (pyngrok)"}.get(
            self, self.value
        )

    @property
    def reserves_domains(self) -> bool:
        """Whether an account at the provider can reserve a domain."""
        return self.is_ngrok

    @property
    def is_ngrok(self) -> bool:
        """Whether it belongs to an ngrok account, with the limits of its plan."""
        return self in {TunnelKind.NGROK, TunnelKind.PYNGROK}

    @property
    def account_secret(self) -> AccountSecret | None:
        """The secret of an account at the provider; None if it needs no account."""
        return NGROK_AUTHTOKEN if self.is_ngrok else None
