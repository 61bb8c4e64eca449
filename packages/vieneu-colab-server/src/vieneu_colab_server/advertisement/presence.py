"""Presence of a VieNeu server in its network: advertised once it can speak, signed by its token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from pydantic import SecretStr

from vieneu_colab_server import __version__
from vieneu_colab_server.advertisement.multicast import (
    Address,
    AdvertisedService,
    Advertisement,
    check_advertised_name,
    is_reachable,
)
from vieneu_colab_server.app import Service
from vieneu_colab_server.companion_task import running_beside
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import ConfigurationError
from vieneu_core.pairing import ADVERTISED_TYPE, FRESH, NetworkAdvertisement
from vieneu_core.translatable import Translatable

CLOCK_STEP_S = 60.0
"""A calendar clock that moves by so much against the monotonic one was set: sign anew."""
SIGN_ANEW_S = FRESH.total_seconds() / 3
"""Age of a signature that is replaced, so that what is advertised is always fresh."""


class NetworkPresence:
    """Advertises a server, with its signed addresses, while it runs; a `Companion`.

    Args:
        name: For people.
        interfaces: Addresses of those by which it is advertised; None takes the advertised ones.
        clock: Time.

    Raises:
        ConfigurationError: the name cannot be advertised.
    """

    def __init__(
        self, name: str, *, interfaces: Sequence[str] | None = None, clock: Clock | None = None
    ) -> None:
        check_advertised_name(name)
        self._name = name
        self._interfaces = interfaces
        self._clock = SystemClock() if clock is None else clock
        self._url = ""

    def listen_at(self, url: str) -> None:
        """State where the server listens, before it runs.

        Raises:
            ConfigurationError: other machines cannot reach it.
        """
        if not is_reachable(url):
            raise ConfigurationError(
                Translatable(
                    "Other machines cannot reach {url}, so it cannot be advertised.", url=url
                ),
                remedy="Listen on the network (--host 0.0.0.0), or leave out --announce.",
            )
        self._url = url

    @asynccontextmanager
    async def running(self, service: Service) -> AsyncIterator[None]:
        """Advertise the server meanwhile, from when it is loaded."""
        async with running_beside(self._advertise(service), name="advertise-server"):
            yield

    async def _advertise(self, service: Service) -> None:
        await service.lifecycle.loaded()
        if service.lifecycle.load_failure is not None:
            return
        signing = _Signing(self._name, urlsplit(self._url).port or 0, service, self._clock)
        advertisement = Advertisement(
            AdvertisedService(
                type=ADVERTISED_TYPE,
                name=self._name,
                url=self._url,
                describe=signing.described,
                is_outdated=signing.is_outdated,
            ),
            interfaces=self._interfaces,
            clock=self._clock,
        )
        try:
            await advertisement.publish()
            await asyncio.Event().wait()
        finally:
            await advertisement.withdraw()


class _Signing:
    """Signs advertisements, anew for each token, after a clock was set, and before they are old."""

    def __init__(self, name: str, port: int, service: Service, clock: Clock) -> None:
        self._name, self._port = name, port
        self._tokens, self._clock = service.tokens, clock
        self._signed: tuple[SecretStr, float, float] | None = None

    def described(self, addresses: Sequence[Address]) -> Mapping[str, str]:
        """Return the signed TXT record for the addresses."""
        token = self._tokens.current
        self._signed = token, self._offset_s(), self._clock.monotonic()
        return NetworkAdvertisement.signed(
            token,
            name=self._name,
            version=__version__,
            addresses=addresses,
            port=self._port,
            now=self._clock.now(),
        ).properties()

    def is_outdated(self) -> bool:
        """Return whether there is another token, the clock was set, or it becomes old."""
        if self._signed is None:
            return False
        token, offset_s, signed_s = self._signed
        was_set = abs(self._offset_s() - offset_s) > CLOCK_STEP_S
        is_old = self._clock.monotonic() - signed_s >= SIGN_ANEW_S
        return token is not self._tokens.current or was_set or is_old

    def _offset_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()
