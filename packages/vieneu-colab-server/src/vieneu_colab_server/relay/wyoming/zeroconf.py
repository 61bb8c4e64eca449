"""Announcement of a Wyoming server in the local network, where Home Assistant finds it.

The package ``wyoming`` has one of its own; that leaves a socket open, cannot be withdrawn, and
knows IPv4 only.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from zeroconf import Error, InterfaceChoice
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
SERVICE_TYPE = "_wyoming._tcp.local."
MAX_NAME_BYTES = 63
"""RFC 6763, 4.1.1."""
_MULTICAST = "224.0.0.251"


def check_announced_name(name: str) -> None:
    """Make sure that a server can be announced by a name.

    Raises:
        ConfigurationError: it is empty, too long, or has control characters.
    """
    if not (name.strip() and name.isprintable() and len(name.encode()) <= MAX_NAME_BYTES):
        raise ConfigurationError(
            Translatable("The announced name {name!r} cannot be used.", name=name[:100]),
            remedy=Translatable(
                "Choose a printable name of at most {max_bytes} bytes.", max_bytes=MAX_NAME_BYTES
            ),
        )


def check_reachable(url: str) -> None:
    """Make sure that other machines can reach a server.

    Raises:
        ConfigurationError: it listens for this machine only.
    """
    parts = urlsplit(url)
    if parts.scheme != "tcp" or ipaddress.ip_address(parts.hostname or "").is_loopback:
        raise ConfigurationError(
            Translatable("Other machines cannot reach {url}, so it cannot be announced.", url=url),
            remedy="Listen on the network (--wyoming tcp://0.0.0.0:10200), or do not announce it.",
        )


class Announcement:
    """Announces a server by multicast DNS until it is withdrawn.

    Args:
        name: By which people recognise it. Where it is taken, a number is added.
        url: ``tcp://ADDRESS:PORT`` at which the server listens.
        interfaces: By which it is announced.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        interfaces: Sequence[str] | InterfaceChoice = InterfaceChoice.All,
    ) -> None:
        parts = urlsplit(url)
        self._name = name
        self._port = parts.port
        self._host = ipaddress.ip_address(parts.hostname or "")
        self._interfaces = interfaces
        self._zeroconf: AsyncZeroconf | None = None

    async def publish(self) -> None:
        """Announce the server. A network that does not allow it is logged, and is no failure."""
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces)
            await self._zeroconf.async_register_service(self._service(), allow_name_change=True)
        except (Error, OSError) as error:
            _LOGGER.warning("The Wyoming server cannot be announced: %s", error)
            await self.withdraw()

    async def withdraw(self) -> None:
        """Withdraw the announcement. Withdrawing twice changes nothing."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            with suppress(Error, OSError):
                await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()

    def _service(self) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            addresses=[self._reachable().packed],
            port=self._port,
        )

    def _reachable(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """Return the address that others use.

        Raises:
            OSError: there is no network.
        """
        if not self._host.is_unspecified:
            return self._host
        return ipaddress.ip_address(_outgoing_address())


def _outgoing_address() -> str:
    """Return the address of the interface that reaches the local network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_MULTICAST, 1))
        return str(probe.getsockname()[0])
