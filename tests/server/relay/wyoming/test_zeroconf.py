"""The advertisement by which Home Assistant finds the server."""

from __future__ import annotations

import asyncio
import logging
import socket

import ifaddr
import pytest
from fake_clock import FakeClock
from guard import GUARD_S
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from vieneu_colab_server.advertisement import multicast as advertising
from vieneu_colab_server.advertisement.multicast import CHECK_S, AdvertisedService
from vieneu_colab_server.relay.wyoming.server import WyomingServer
from vieneu_colab_server.relay.wyoming.zeroconf import SERVICE_TYPE
from vieneu_core.errors import ConfigurationError
from vieneu_core.testing.scripted import ScriptedBackend

LOOPBACK = ["127.0.0.1"]


def Advertisement(  # noqa: N802 - stands for the class
    name: str, url: str, *, interfaces: list[str], clock: FakeClock | None = None
) -> advertising.Advertisement:
    service = AdvertisedService(type=SERVICE_TYPE, name=name, url=url)
    return advertising.Advertisement(service, interfaces=interfaces, clock=clock)


class OnlyIpv4:
    """In place of `IPVersion`: the machine that runs the tests may have no IPv6."""

    V4Only = All = IPVersion.V4Only


class Browser:
    """What a Home Assistant in the network sees."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self.changes: asyncio.Queue[tuple[ServiceStateChange, str]] = asyncio.Queue()
        self.browser = AsyncServiceBrowser(
            zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._changed]
        )

    def _changed(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002 - the names are the library's
        service_type: str,  # noqa: ARG002 - as above
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        self.changes.put_nowait((state_change, name.removesuffix(f".{SERVICE_TYPE}")))


async def test_the_server_is_found_until_it_is_withdrawn() -> None:
    seeing = AsyncZeroconf(interfaces=LOOPBACK)
    async with asyncio.timeout(GUARD_S):
        browser = Browser(seeing)
        first = Advertisement("Nhà. Tầng 1", "tcp://127.0.0.1:10200", interfaces=LOOPBACK)
        await first.publish()
        assert await browser.changes.get() == (ServiceStateChange.Added, "Nhà. Tầng 1")
        info = AsyncServiceInfo(SERVICE_TYPE, f"Nhà. Tầng 1.{SERVICE_TYPE}")
        assert await info.async_request(seeing.zeroconf, GUARD_S * 1000)
        assert (info.parsed_addresses(), info.port) == (["127.0.0.1"], 10200)

        second = Advertisement("Nhà. Tầng 1", "tcp://127.0.0.1:10201", interfaces=LOOPBACK)
        await second.publish()
        change, name = await browser.changes.get()
        assert change is ServiceStateChange.Added
        assert name.startswith("Nhà. Tầng 1-"), "the name of the first is taken"
        await second.withdraw()
        assert await browser.changes.get() == (ServiceStateChange.Removed, name)

        await first.withdraw()
        await first.withdraw()
        assert await browser.changes.get() == (ServiceStateChange.Removed, "Nhà. Tầng 1")
        await browser.browser.async_cancel()
        await seeing.async_close()


@pytest.mark.parametrize("name", ["", " ", "x" * 64, "ế" * 32, "a\nb"])
def test_a_name_that_cannot_be_advertised_is_refused(name: str, backend: ScriptedBackend) -> None:
    with pytest.raises(ConfigurationError, match="advertised name"):
        WyomingServer("tcp://127.0.0.1:0", backend.stream, backend.voices, advertised_as=name)


async def test_what_only_this_machine_reaches_is_not_advertised(backend: ScriptedBackend) -> None:
    server = WyomingServer("tcp://127.0.0.1:0", backend.stream, backend.voices, advertised_as="Nhà")
    with pytest.raises(ConfigurationError, match="cannot reach tcp://127"):
        await server.start()
    assert server.n_connections == 0
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.url


def machine_with(monkeypatch: pytest.MonkeyPatch, *ips: str, **more: str) -> None:
    """Let the machine have these addresses, and one at each of more interfaces."""
    adapters = [
        ifaddr.Adapter(name, name, [ifaddr.IP((ip, 0, 0) if ":" in ip else ip, 24, name)], index=1)
        for name, ip in [*(("eth0", ip) for ip in ips), *more.items()]
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)


async def test_without_a_network_speech_goes_on(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine_with(monkeypatch, "127.0.0.1", "::1", "fe80::1")
    caplog.set_level(logging.WARNING)
    server = WyomingServer("tcp://0.0.0.0:0", backend.stream, backend.voices, advertised_as="Nhà")
    await server.start()
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        pass
    await server.stop(0)

    assert "cannot be advertised: [Errno 101] The machine has no address" in caplog.text


async def test_a_network_that_comes_later_or_changes_is_advertised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    machine_with(monkeypatch)
    caplog.set_level(logging.INFO)
    advertisement = Advertisement("Nhà", "tcp://0.0.0.0:10200", interfaces=LOOPBACK, clock=clock)

    async def until_logged(words: str) -> None:
        while words not in caplog.text:
            await clock.advance(CHECK_S)
            await asyncio.sleep(0.01)

    async with asyncio.timeout(GUARD_S):
        await advertisement.publish()
        await clock.advance(3 * CHECK_S)
        assert caplog.text.count("cannot be advertised") == 1
        machine_with(monkeypatch, "192.0.2.7", "fd00::7")
        await until_logged("advertised at 192.0.2.7.")
        machine_with(monkeypatch, "198.51.100.7", "192.0.2.7", "fd00::7")
        await until_logged("advertised at 192.0.2.7, 198.51.100.7.")
        await advertisement.withdraw()


async def test_an_interface_that_is_lost_meanwhile_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    """The package zeroconf raises a RuntimeError for an address that no interface has."""

    def lost(**_: object) -> AsyncZeroconf:
        raise RuntimeError("No adapter found for IP address")

    machine_with(monkeypatch, "192.0.2.7")
    caplog.set_level(logging.INFO)
    advertisement = Advertisement("Nhà", "tcp://0.0.0.0:10200", interfaces=LOOPBACK, clock=clock)
    async with asyncio.timeout(GUARD_S):
        with monkeypatch.context() as lacking:
            lacking.setattr(advertising, "AsyncZeroconf", lost)
            await advertisement.publish()
        assert "cannot be advertised: No adapter found" in caplog.text
        while "advertised at 192.0.2.7." not in caplog.text:
            await clock.advance(CHECK_S)
            await asyncio.sleep(0.01)
        await advertisement.withdraw()


async def test_addresses_of_containers_and_tunnels_are_not_advertised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are the same on many machines, and come before those of the network."""
    names = ("docker0", "hassio", "br-0123456789ab", "veth1a2b", "tun0", "wg0", "tailscale0")
    virtual = {name: f"172.17.{n}.1" for n, name in enumerate(names)}
    machine_with(monkeypatch, "192.0.2.7", **virtual, **{"br-lan": "192.0.2.8"})
    caplog.set_level(logging.INFO)
    advertisement = Advertisement("Nhà", "tcp://0.0.0.0:10200", interfaces=LOOPBACK)
    await advertisement.publish()
    await advertisement.withdraw()

    assert "advertised at 192.0.2.7, 192.0.2.8." in caplog.text


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("[::]", ["10.0.0.7", "192.0.2.7", "fd00::7"]),
        ("0.0.0.0", ["10.0.0.7", "192.0.2.7"]),  # noqa: S104 - advertised, not bound
        ("192.0.2.7", ["192.0.2.7"]),
    ],
)
async def test_all_addresses_that_clients_reach_are_advertised(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str]
) -> None:
    advertised: list[AsyncServiceInfo] = []

    async def register(
        _: AsyncZeroconf, info: AsyncServiceInfo, *, allow_name_change: bool
    ) -> None:
        assert allow_name_change
        advertised.append(info)

    machine_with(monkeypatch, "127.0.0.1", "192.0.2.7", "fd00::7", "fe80::7", "10.0.0.7")
    monkeypatch.setattr(AsyncZeroconf, "async_register_service", register)
    monkeypatch.setattr(advertising, "IPVersion", OnlyIpv4)
    advertisement = Advertisement("Nhà", f"tcp://{host}:10200", interfaces=LOOPBACK)
    await advertisement.publish()
    await advertisement.withdraw()

    assert [info.parsed_addresses() for info in advertised] == [addresses]
