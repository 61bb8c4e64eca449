"""The announcement by which Home Assistant finds the server."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from guard import GUARD_S
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from vieneu_colab_server.relay.wyoming import zeroconf as announcing
from vieneu_colab_server.relay.wyoming.server import WyomingServer
from vieneu_colab_server.relay.wyoming.zeroconf import SERVICE_TYPE, Announcement
from vieneu_core.errors import ConfigurationError
from vieneu_core.testing.scripted import ScriptedBackend

LOOPBACK = ["127.0.0.1"]


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
        first = Announcement("Nhà. Tầng 1", "tcp://127.0.0.1:10200", interfaces=LOOPBACK)
        await first.publish()
        assert await browser.changes.get() == (ServiceStateChange.Added, "Nhà. Tầng 1")
        info = AsyncServiceInfo(SERVICE_TYPE, f"Nhà. Tầng 1.{SERVICE_TYPE}")
        assert await info.async_request(seeing.zeroconf, GUARD_S * 1000)
        assert (info.parsed_addresses(), info.port) == (["127.0.0.1"], 10200)

        second = Announcement("Nhà. Tầng 1", "tcp://127.0.0.1:10201", interfaces=LOOPBACK)
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
def test_a_name_that_cannot_be_announced_is_refused(name: str, backend: ScriptedBackend) -> None:
    with pytest.raises(ConfigurationError, match="announced name"):
        WyomingServer("tcp://127.0.0.1:0", backend.stream, backend.voices, announced_as=name)


async def test_what_only_this_machine_reaches_is_not_announced(backend: ScriptedBackend) -> None:
    server = WyomingServer("tcp://127.0.0.1:0", backend.stream, backend.voices, announced_as="Nhà")
    with pytest.raises(ConfigurationError, match="cannot reach tcp://127"):
        await server.start()
    assert server.n_connections == 0
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.url


async def test_a_network_that_takes_no_announcement_is_logged_and_speech_goes_on(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_network() -> str:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(announcing, "_outgoing_address", no_network)
    caplog.set_level(logging.WARNING)
    server = WyomingServer("tcp://0.0.0.0:0", backend.stream, backend.voices, announced_as="Nhà")
    await server.start()
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        pass
    await server.stop(0)

    assert "cannot be announced: [Errno 101] Network is unreachable" in caplog.text
