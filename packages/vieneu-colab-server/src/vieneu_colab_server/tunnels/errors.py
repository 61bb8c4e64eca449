"""Errors of opening a tunnel. A client's errors behind a tunnel are in `vieneu_core.errors`."""

from __future__ import annotations

from vieneu_core.errors import VieneuError


class TunnelOpenError(VieneuError):
    """A tunnel cannot be opened."""

    code = "tunnel_open"
    title = "No tunnel"
    default_remedy = "Try again, or choose another provider."
    transient = True


class AuthtokenRefusedError(TunnelOpenError):
    """The provider rejects the authtoken."""

    code = "tunnel_authtoken"
    title = "Authtoken refused"
    default_remedy = "Copy it again from https://dashboard.ngrok.com/get-started/your-authtoken"
    transient = False


class SecondAgentError(TunnelOpenError):
    """Another agent of the account is running elsewhere."""

    code = "tunnel_second_agent"
    title = "Another agent runs"
    default_remedy = (
        "Stop the other one: https://dashboard.ngrok.com/agents; or choose the tunnel cloudflared."
    )
    transient = False


class TunnelQuotaUsedError(TunnelOpenError):
    """The account's quota is used up."""

    code = "tunnel_allowance"
    title = "Account limit reached"
    default_remedy = "See https://dashboard.ngrok.com/usage; or choose the tunnel cloudflared."
    transient = False


class DomainRefusedError(TunnelOpenError):
    """The reserved domain belongs to another account, or is in use."""

    code = "tunnel_domain"
    title = "Domain not usable"
    default_remedy = "See https://dashboard.ngrok.com/domains, or leave the domain out."
    transient = False


class QuickTunnelRefusedError(TunnelOpenError):
    """Cloudflare refuses quick tunnels at the moment."""

    code = "quick_tunnel_refused"
    title = "Quick tunnel refused"
    default_remedy = "Wait some minutes, or choose the tunnel ngrok."


class TunnelProgramError(TunnelOpenError):
    """The provider's program is missing, cannot be downloaded, or does not run here."""

    code = "tunnel_program"
    title = "Tunnel program missing"
    default_remedy = "Install it, and name its path."
    transient = False


class TunnelNetworkError(TunnelOpenError):
    """The provider cannot be reached."""

    code = "tunnel_network"
    title = "Provider not reachable"
    default_remedy = "Check this machine's network."


class TunnelTimeoutError(TunnelOpenError):
    """The provider's program did not open the tunnel in time."""

    code = "tunnel_timeout"
    title = "Tunnel took too long"
