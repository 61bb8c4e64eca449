"""The proxy that the environment names for a URL: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed

from pydantic import SecretStr
from yarl import URL

from vieneu_core.credentials import is_loopback
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

CHECK_PROXY = "Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or list the host in NO_PROXY."
"""What to do about a proxy that is away, or refuses."""
_SUFFIX = "_proxy"


class ProxyArguments(TypedDict, total=False):
    """Arguments for a request of aiohttp; empty for a direct connection."""

    proxy: URL
    proxy_headers: dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy, as aiohttp takes it. Its password is shown nowhere."""

    url: URL
    """Without user and password."""
    credentials: SecretStr | None
    """``USER:PASSWORD``; None where it wants none."""

    def __repr__(self) -> str:
        return f"Proxy({self.url.authority})"

    @property
    def authorization(self) -> str | None:
        """Value of ``Proxy-Authorization``, a secret; None where it wants none."""
        if self.credentials is None:
            return None
        return "Basic " + b64encode(self.credentials.get_secret_value().encode()).decode()


def proxy_arguments(url: URL) -> ProxyArguments:
    """Return what makes aiohttp send a request by the proxy of the environment, as `proxy_for`.

    Unlike aiohttp's own ``trust_env``, this knows ALL_PROXY, and takes nothing from ``.netrc``.
    """
    proxy = proxy_for(url)
    if proxy is None:
        return {}
    if proxy.authorization is None:
        return {"proxy": proxy.url}
    # aiohttp sends it as Proxy-Authorization, to the proxy alone.
    return {"proxy": proxy.url, "proxy_headers": {"Authorization": proxy.authorization}}


def proxy_for(url: URL, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for a URL; None: a direct connection, as always to this machine.

    Args:
        url: Where a request goes.
        environ: Environment; None means that of the process.

    Raises:
        ConfigurationError: the proxy is none that can be used, such as ``socks5://``.
    """
    by_scheme = _proxies_by_scheme(os.environ if environ is None else environ)
    scheme = url.scheme if by_scheme.get(url.scheme) else "all"
    value = by_scheme.get(scheme, "")
    if not value or is_loopback(url.host or "") or _is_excepted(url, by_scheme):
        return None
    return _parsed(value, variable=f"{scheme.upper()}_PROXY")


def proxy_unusable(host: str) -> Translatable:
    """Return what is wrong where a proxy is away, or refuses."""
    return Translatable("The proxy on the way to {host} cannot be used.", host=host)


def check_proxies(environ: Mapping[str, str] | None = None) -> None:
    """Check all proxies of the environment, whatever they are for.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    by_scheme = _proxies_by_scheme(os.environ if environ is None else environ)
    for scheme in ("http", "https", "all"):
        if by_scheme.get(scheme):
            _parsed(by_scheme[scheme], variable=f"{scheme.upper()}_PROXY")


def _proxies_by_scheme(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies by scheme, and the exceptions as ``no``; small letters win, as in curl."""
    items = [(key, value.strip()) for key, value in environ.items()]
    upper = {key[: -len(_SUFFIX)].lower(): v for key, v in items if key.lower().endswith(_SUFFIX)}
    if "REQUEST_METHOD" in environ:
        upper.pop("http", None)  # CGI: a client could set it by a header
    return upper | {key[: -len(_SUFFIX)]: v for key, v in items if key.endswith(_SUFFIX)}


def _is_excepted(url: URL, by_scheme: Mapping[str, str]) -> bool:
    """Return whether NO_PROXY lists a host, also with a port, or with the brackets of IPv6."""
    names = (url.host or "", f"{url.host_subcomponent}:{url.port}")
    return any(proxy_bypass_environment(name, by_scheme) for name in names)


def _parsed(value: str, *, variable: str) -> Proxy:
    try:
        url = URL(value if "://" in value else f"http://{value}")
        usable = url.scheme == "http" and bool(url.host)
    except ValueError:
        usable, url = False, URL()
    if not usable:
        raise ConfigurationError(
            Translatable("The proxy in {variable} cannot be used.", variable=variable),
            remedy=Translatable(
                "Name an HTTP proxy in {variable}, as http://HOST:PORT, or unset it."
                " NO_PROXY lists hosts that need none.",
                variable=variable,
            ),
        ) from None
    credentials = SecretStr(f"{url.user}:{url.password or ''}") if url.user else None
    return Proxy(url.origin(), credentials)
