"""Advertisement of a Wyoming server: its type of service, and what others cannot reach."""

from __future__ import annotations

from urllib.parse import urlsplit

from vieneu_colab_server.advertisement.multicast import AdvertisedService, is_reachable
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

SERVICE_TYPE = "_wyoming._tcp.local."


def advertised_server(name: str, url: str) -> AdvertisedService:
    """Return what is advertised of a Wyoming server.

    Args:
        name: By which people recognise it.
        url: ``tcp://ADDRESS:PORT`` at which it listens.

    Raises:
        ConfigurationError: it listens for this machine only.
    """
    if urlsplit(url).scheme != "tcp" or not is_reachable(url):
        raise ConfigurationError(
            Translatable("Other machines cannot reach {url}, so it cannot be advertised.", url=url),
            remedy="Listen on the network (--wyoming tcp://0.0.0.0:10200), or do not advertise it.",
        )
    return AdvertisedService(type=SERVICE_TYPE, name=name, url=url)
