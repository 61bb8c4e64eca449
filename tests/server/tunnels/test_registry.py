"""Every provider is made by its name; what is missing or not for it is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from vieneu_colab_server.tunnels.registry import TunnelOptions, make_tunnel
from vieneu_core.config import TunnelKind
from vieneu_core.config.tunnel_kind import AccountSecret
from vieneu_core.errors import ConfigurationError


def options(*, has_secret: bool = True, domain: str | None = None) -> TunnelOptions:
    def read_secret(_: AccountSecret) -> SecretStr | None:
        return SecretStr("good-token") if has_secret else None

    return TunnelOptions(domain=domain, download_folder=Path("unused"), read_secret=read_secret)


@pytest.mark.parametrize("kind", TunnelKind)
def test_every_kind_has_a_provider(kind: TunnelKind) -> None:
    assert make_tunnel(kind.value, options()).name == kind.value


def test_an_unknown_kind_is_an_error_that_lists_the_others() -> None:
    with pytest.raises(ConfigurationError, match="no tunnel 'pigeon'") as caught:
        make_tunnel("pigeon", options())
    assert all(kind.value in caught.value.remedy for kind in TunnelKind)


@pytest.mark.parametrize("kind", ["none", "cloudflared"])
def test_a_domain_is_an_error_where_the_provider_reserves_none(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="reserved domains") as caught:
        make_tunnel(kind, options(domain="home.ngrok.app"))
    assert "ngrok" in caught.value.remedy


def test_a_secret_that_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigurationError, match="authtoken of an account") as caught:
        make_tunnel("ngrok", options(has_secret=False))
    assert "NGROK_AUTHTOKEN" in caught.value.remedy
