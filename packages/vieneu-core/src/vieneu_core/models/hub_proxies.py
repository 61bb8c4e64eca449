"""The way to a model hub by the proxy that the environment names, and its faults."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from yarl import URL

from vieneu_core.errors import ConfigurationError, ModelLoadError
from vieneu_core.proxies import CHECK_PROXY, check_proxies, proxy_for, proxy_unusable
from vieneu_core.translatable import Translatable

TUNNEL_FAILED = "Tunnel connection failed"
"""How `http.client` begins its message about a refused CONNECT; its status follows."""


class EnvironmentProxies(urllib.request.ProxyHandler):
    """Sends each request, also a redirected one, by the proxy that `proxy_for` names for its URL.

    Unlike urllib's own, this knows ALL_PROXY, reaches this machine directly, and does not send the
    proxy's password on when a redirection leads past the proxy.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.used = False
        """Whether the last request went by a proxy."""

    def http_open(self, request: urllib.request.Request) -> None:
        """Name the proxy; the next handler opens the connection."""
        proxy = proxy_for(URL(request.full_url))
        self.used = proxy is not None
        if proxy is None:
            return
        if proxy.authorization is not None:
            request.add_unredirected_header("Proxy-authorization", proxy.authorization)
        request.set_proxy(proxy.url.authority, "http")

    https_open = http_open


def is_behind_proxy(url: str) -> bool:
    """Return whether a proxy is on the way to a hub.

    Raises:
        ModelLoadError: the environment names one that cannot be used.
    """
    with translate_proxy_errors():
        return proxy_for(URL(url)) is not None


@contextmanager
def translate_proxy_errors() -> Iterator[None]:
    """Translate the refusal of a proxy of the environment, of ours or of a library's client."""
    try:
        try:
            yield
        except (ImportError, ValueError):
            check_proxies()
            raise
    except ConfigurationError as error:
        raise ModelLoadError(error.detail, remedy=error.remedy) from None


def proxy_refusal(host: str) -> ModelLoadError:
    """Return the error for a proxy that does not accept its user and password."""
    return ModelLoadError(proxy_unusable(host), remedy=CHECK_PROXY)


def proxy_away(host: str) -> Translatable:
    """Return why a transfer through a proxy was interrupted."""
    return Translatable("the proxy on the way to {host} cannot be used", host=host)
