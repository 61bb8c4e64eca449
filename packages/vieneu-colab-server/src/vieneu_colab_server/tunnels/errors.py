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
    """The account already runs as many agents as its plan allows."""

    code = "tunnel_second_agent"
    title = "Too many agents"
    default_remedy = (
        "Stop one of the others: https://dashboard.ngrok.com/agents; or choose the tunnel"
        " cloudflared."
    )
    transient = False


class AddressHeldError(TunnelOpenError):
    """Another session of the account holds the address, and an address has one session."""

    code = "tunnel_address_held"
    title = "Another session holds your address"
    default_remedy = (
        "Stop it: https://dashboard.ngrok.com/agents. If it has just ended, try again in a minute."
    )
    transient = False


class TunnelQuotaUsedError(TunnelOpenError):
    """The account's quota is used up."""

    code = "tunnel_allowance"
    title = "Account limit reached"
    default_remedy = "See https://dashboard.ngrok.com/usage; or choose the tunnel cloudflared."
    transient = False


class TunnelRateError(TunnelOpenError):
    """The account has opened sessions or endpoints too often in a short time."""

    code = "tunnel_rate"
    title = "Opened too often"
    default_remedy = "Wait some minutes."


class DomainRefusedError(TunnelOpenError):
    """The account may not use the domain."""

    code = "tunnel_domain"
    title = "Domain not usable"
    default_remedy = (
        "Leave the domain out: your account's own dev domain is then used. Others are for paid"
        " plans: https://dashboard.ngrok.com/domains"
    )
    transient = False


class DevDomainMissingError(TunnelOpenError):
    """The account has no dev domain yet, the only domain of a free plan."""

    code = "tunnel_dev_domain"
    title = "Your account has no dev domain"
    default_remedy = "Request it once: https://dashboard.ngrok.com/domains"
    transient = False


class AgentTooOldError(TunnelOpenError):
    """The provider no longer serves this version of its program or package."""

    code = "tunnel_agent_too_old"
    title = "Tunnel program too old"
    default_remedy = (
        "Install a newer one: pip install --upgrade ngrok pyngrok; or choose cloudflared."
    )
    transient = False


class EmailUnverifiedError(TunnelOpenError):
    """The e-mail address of the account is not verified."""

    code = "tunnel_email"
    title = "E-mail address not verified"
    default_remedy = "Verify it: https://dashboard.ngrok.com/user/settings"
    transient = False


class MachineRefusedError(TunnelOpenError):
    """The provider accepts no agent from the internet address of this machine."""

    code = "tunnel_machine"
    title = "Internet address refused"
    default_remedy = (
        "Restart the runtime for another one, or choose the tunnel cloudflared. Your own rules:"
        " https://dashboard.ngrok.com/ip-restrictions"
    )
    transient = False


class AccountSuspendedError(TunnelOpenError):
    """The account is suspended, or blocked."""

    code = "tunnel_account"
    title = "Account suspended"
    default_remedy = "See https://dashboard.ngrok.com; or choose the tunnel cloudflared."
    transient = False


class TunnelPlanError(TunnelOpenError):
    """The plan of the account does not include what this machine needs."""

    code = "tunnel_plan"
    title = "Not in your plan"
    default_remedy = (
        "Remove the variables http_proxy and https_proxy, or choose the tunnel cloudflared."
    )
    transient = False


class TunnelStoppedError(TunnelOpenError):
    """The tunnel was stopped on the provider's dashboard, and stays closed for a while."""

    code = "tunnel_stopped"
    title = "Stopped on the dashboard"
    default_remedy = "It is opened again automatically."


class AddressUnreachableError(TunnelOpenError):
    """The tunnel is open, but this server does not answer at its public address."""

    code = "tunnel_unreachable"
    title = "Address not reachable"
    default_remedy = "Try again, or choose another provider."


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
