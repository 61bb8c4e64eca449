"""Registry of tunnel providers, and creation of tunnels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from vieneu_colab_server.tunnels.base import NoTunnel, Tunnel
from vieneu_colab_server.tunnels.cloudflared import CloudflaredTunnel
from vieneu_colab_server.tunnels.ngrok import NgrokTunnel
from vieneu_colab_server.tunnels.pyngrok import PyngrokTunnel
from vieneu_core.config import NGROK_AUTHTOKEN, AccountSecret, TunnelKind
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelOptions:
    """Options of a tunnel."""

    domain: str | None = None
    """A reserved domain; None means the provider's choice."""
    program: Path | None = None
    """Path of the provider's program; None searches PATH, and else downloads it."""
    download_folder: Path
    """Folder for downloaded programs."""
    read_secret: Callable[[AccountSecret], SecretStr | None]
    """Returns a secret; None if there is none."""


def _cloudflared(options: TunnelOptions) -> Tunnel:
    return CloudflaredTunnel(program=options.program, fetch_to=options.download_folder)


def _ngrok(options: TunnelOptions) -> Tunnel:
    if options.program is not None:  # only the agent is a program
        return _pyngrok(options)
    return NgrokTunnel(_authtoken(options, "ngrok"), domain=options.domain)


def _pyngrok(options: TunnelOptions) -> Tunnel:
    authtoken = _authtoken(options, "pyngrok")
    return PyngrokTunnel(authtoken, domain=options.domain, program=options.program)


def _authtoken(options: TunnelOptions, kind: str) -> SecretStr:
    authtoken = options.read_secret(NGROK_AUTHTOKEN)
    if authtoken is None:
        raise ConfigurationError(
            Translatable("The tunnel {kind} needs the authtoken of an account.", kind=kind),
            remedy=Translatable(
                "Copy it from {page} into the variable {ngrok_authtoken}, or on Colab into a"
                " secret of that name.",
                page=NGROK_AUTHTOKEN.page,
                ngrok_authtoken=NGROK_AUTHTOKEN.name,
            ),
        )
    return authtoken


_PROVIDERS: Mapping[TunnelKind, Callable[[TunnelOptions], Tunnel]] = {
    TunnelKind.NONE: lambda _: NoTunnel(),
    TunnelKind.CLOUDFLARED: _cloudflared,
    TunnelKind.NGROK: _ngrok,
    TunnelKind.PYNGROK: _pyngrok,
}


def make_tunnel(kind: str, options: TunnelOptions) -> Tunnel:
    """Return a tunnel of a provider; it is not open yet.

    Args:
        kind: Value of a `TunnelKind`.
        options: Options of the tunnel.

    Raises:
        ConfigurationError: there is no such provider, or an option is missing or inapplicable.
        MissingExtraError: the provider needs a package that is not installed.
    """
    if kind not in set(TunnelKind):
        raise ConfigurationError(
            Translatable("There is no tunnel {kind!r}.", kind=kind),
            remedy=Translatable("Choose {kinds}.", kinds=", ".join(TunnelKind)),
        )
    if options.domain is not None and not TunnelKind(kind).reserves_domains:
        raise ConfigurationError(
            Translatable("The tunnel {kind} has no reserved domains.", kind=kind),
            remedy=Translatable(
                "Omit the domain, or choose the tunnel {others}.",
                others=", ".join(TunnelKind.with_domains()),
            ),
        )
    return _PROVIDERS[TunnelKind(kind)](options)
