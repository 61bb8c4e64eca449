"""Advertisement of a server in the local network by multicast DNS, where Home Assistant finds it.

The package ``wyoming`` has one of its own; that leaves a socket open, cannot be withdrawn, and
knows IPv4 only.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import ifaddr
from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from vieneu_colab_server.companion_task import begun, ended
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
MAX_NAME_BYTES = 63
"""RFC 6763, 4.1.1."""
CHECK_S = 30.0
"""Between two checks of the machine's addresses, which cost no request."""
_FAILURES = (Error, OSError, RuntimeError)
"""Of the package zeroconf; a RuntimeError where the machine has lost an address meanwhile."""
_VIRTUAL = re.compile(r"docker|hassio|podman|veth|virbr|br-[0-9a-f]{12}$|u?tun|tap|wg|tailscale")
"""Names of the interfaces of containers, virtual machines and tunnels."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_advertised_name(name: str) -> None:
    """Make sure that a server can be advertised by a name.

    Raises:
        ConfigurationError: it is empty, too long, or has control characters.
    """
    if not (name.strip() and name.isprintable() and len(name.encode()) <= MAX_NAME_BYTES):
        raise ConfigurationError(
            Translatable("The advertised name {name!r} cannot be used.", name=name[:100]),
            remedy=Translatable(
                "Choose a printable name of at most {max_bytes} bytes.", max_bytes=MAX_NAME_BYTES
            ),
        )


def is_reachable(url: str) -> bool:
    """Return whether other machines can reach a server, which listens at an address.

    An address of one link has a scope, which is another one on each machine.
    """
    host = urlsplit(url).hostname or ""
    address = ipaddress.ip_address(host)
    return not (address.is_loopback or address.is_link_local or "%" in host)


def _says_nothing(_: Sequence[Address]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvertisedService:
    """What is advertised."""

    type: str
    """Type of the service, such as ``_wyoming._tcp.local.``."""
    name: str
    """By which people recognise it. Where it is taken, a number is added."""
    url: str
    """``tcp://ADDRESS:PORT`` or ``http://ADDRESS:PORT`` at which the server listens."""
    describe: Callable[[Sequence[Address]], Mapping[str, str]] = _says_nothing
    """Returns the strings of its TXT record for its addresses."""
    is_outdated: Callable[[], bool] = lambda: False
    """Whether its description has to be made anew."""


class Advertisement:
    """Advertises a server by multicast DNS until it is withdrawn, whatever the network does.

    Args:
        service: What is advertised.
        interfaces: Addresses of those by which it is advertised; None takes the advertised ones.
        clock: Of the checks whether the machine has other addresses now.
    """

    def __init__(
        self,
        service: AdvertisedService,
        *,
        interfaces: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        parts = urlsplit(service.url)
        self._service = service
        self._port = parts.port
        self._host = ipaddress.ip_address(parts.hostname or "")
        self._interfaces = interfaces
        self._clock = SystemClock() if clock is None else clock
        self._zeroconf: AsyncZeroconf | None = None
        self._advertised: list[Address] = []
        self._name = ""
        self._problem = ""
        self._following: asyncio.Task[None] | None = None

    async def publish(self) -> None:
        """Advertise the server, and advertise it anew whenever the machine's addresses change.

        A network that does not allow it is logged, tried again, and is no failure.
        """
        await self._update()
        self._following = begun(self._follow(), name="advertise")

    async def withdraw(self) -> None:
        """Withdraw the advertisement. Withdrawing twice changes nothing."""
        following, self._following = self._following, None
        if following is not None:
            await ended(following)
        await self._withdraw()

    async def _follow(self) -> None:
        while True:
            await self._clock.sleep(CHECK_S)
            await self._update()

    async def _update(self) -> None:
        try:
            addresses = self._addresses()
            if addresses != self._advertised:
                await self._withdraw()
                await self._advertise(addresses)
            elif self._zeroconf is not None and self._service.is_outdated():
                # Withdrawn meanwhile, it would be gone from the dialogs of who has found it.
                service = self._described(self._name, addresses)
                service.set_server_if_missing()  # as a registration does
                await self._zeroconf.async_update_service(service)
        except _FAILURES as error:
            await self._withdraw()
            if str(error) != self._problem:  # not at each try
                _LOGGER.warning("%s cannot be advertised: %s", self._service.type, error)
            self._problem = str(error)

    async def _advertise(self, addresses: list[Address]) -> None:
        versions = {address.version for address in addresses}
        self._zeroconf = AsyncZeroconf(
            interfaces=self._interfaces or [str(address) for address in addresses],
            ip_version=IPVersion.V4Only if versions == {4} else IPVersion.All,
        )
        service = self._described(f"{self._service.name}.{self._service.type}", addresses)
        await self._zeroconf.async_register_service(service, allow_name_change=True)
        self._advertised, self._name = addresses, service.name
        self._problem = ""
        shown = ", ".join(map(str, addresses))
        _LOGGER.info("%s is advertised at %s.", self._service.type, shown)

    def _described(self, name: str, addresses: list[Address]) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            self._service.type,
            name,
            addresses=[address.packed for address in addresses],
            port=self._port,
            properties=dict(self._service.describe(addresses)),
        )

    async def _withdraw(self) -> None:
        zeroconf, self._zeroconf = self._zeroconf, None
        self._advertised = []
        if zeroconf is not None:
            with suppress(*_FAILURES):
                await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()

    def _addresses(self) -> list[Address]:
        """Return the addresses that others use.

        Raises:
            OSError: there is no network.
        """
        if not self._host.is_unspecified:
            return [self._host]
        found = [each for each in _machine_addresses() if self._host.version in {6, each.version}]
        if not found:
            raise OSError(errno.ENETUNREACH, "The machine has no address in a network")
        return found


def _machine_addresses() -> list[Address]:
    """Return the machine's addresses in networks that others share.

    Those of this machine or of one link alone are left out, and those of virtual interfaces, which
    are the same on many machines.
    """
    found = []
    for adapter in ifaddr.get_adapters():
        if _VIRTUAL.match(adapter.nice_name):
            continue
        for each in adapter.ips:
            address = ipaddress.ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                found.append(address)
    return sorted(found, key=lambda address: (address.version, address.packed))
