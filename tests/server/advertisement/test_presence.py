"""A server in the network: found by a browser of multicast DNS, signed, and opt-in."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import ifaddr
import pytest
from fake_clock import FakeClock
from guard import GUARD_S
from pydantic import SecretStr
from server_site import TOKEN
from waiting import until
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from vieneu_colab_server import advertisement as advertising
from vieneu_colab_server.advertisement.multicast import CHECK_S
from vieneu_colab_server.advertisement.presence import SIGN_ANEW_S, NetworkPresence
from vieneu_colab_server.app import Service, create_app
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.clock import Clock
from vieneu_core.errors import ConfigurationError, MissingExtraError
from vieneu_core.pairing import ADVERTISED_TYPE, FRESH, NetworkAdvertisement
from vieneu_core.testing.scripted import ScriptedBackend

LOOPBACK = ["127.0.0.1"]
ADDRESS = "192.168.77.5"


@dataclass
class Network:
    """What a Home Assistant in the network sees."""

    zeroconf: AsyncZeroconf
    names: list[str] = field(default_factory=list)
    changes: list[ServiceStateChange] = field(default_factory=list)

    def changed(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002 - the names are the library's
        service_type: str,  # noqa: ARG002 - as above
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        self.changes.append(state_change)
        if state_change is ServiceStateChange.Removed:
            self.names.remove(name)
        elif name not in self.names:
            self.names.append(name)

    async def seen(self) -> tuple[NetworkAdvertisement, list[str]]:
        """Return what the one server says, and its addresses."""
        await until(lambda: self.names)
        info = AsyncServiceInfo(ADVERTISED_TYPE, self.names[0])
        assert await info.async_request(self.zeroconf.zeroconf, GUARD_S * 1000)
        said = NetworkAdvertisement.read(info.decoded_properties, info.port)
        return said, info.parsed_addresses()


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """A browser on this machine."""
    try:
        zeroconf = AsyncZeroconf(interfaces=LOOPBACK, ip_version=IPVersion.V4Only)
    except OSError as error:
        pytest.skip(f"this machine allows no multicast: {error}")
    network = Network(zeroconf)
    browser = AsyncServiceBrowser(zeroconf.zeroconf, ADVERTISED_TYPE, handlers=[network.changed])
    try:
        yield network
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the machine one address in a network; what is sent stays on the loopback."""
    adapter = ifaddr.Adapter("eth0", "eth0", [ifaddr.IP(ADDRESS, 24, "eth0")], index=1)
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [adapter])


@asynccontextmanager
async def advertised(
    clock: Clock | None = None, backend: ScriptedBackend | None = None
) -> AsyncIterator[Service]:
    """Run the app of a server that is advertised."""
    presence = NetworkPresence("Nhà", interfaces=LOOPBACK, clock=clock)
    presence.listen_at("http://0.0.0.0:8123")
    app = create_app(
        ServerSettings(token=SecretStr(TOKEN)),
        backend or ScriptedBackend(name="local"),
        companions=[presence.running],
    )
    async with app.router.lifespan_context(app):
        yield app.state.service


async def test_a_server_is_found_with_its_signed_address_until_it_ends(network: Network) -> None:
    async with asyncio.timeout(GUARD_S):
        async with advertised():
            said, addresses = await network.seen()
            assert addresses == [ADDRESS]
            assert said.url_at(ADDRESS) == f"http://{ADDRESS}:8123"
            assert said.name == "Nhà"
            assert said.is_signed_with(SecretStr(TOKEN))
            assert TOKEN not in str(said)
        await until(lambda: not network.names)


async def test_a_new_token_signs_anew(network: Network) -> None:
    clock = FakeClock()
    async with asyncio.timeout(GUARD_S), advertised(clock) as service:
        await _advanced_until(clock, lambda: network.names)
        before, _ = await network.seen()
        token = await asyncio.to_thread(service.tokens.rotate)

        async def is_signed_anew() -> bool:
            await clock.advance(CHECK_S)
            return bool(network.names) and (await network.seen())[0].is_signed_with(token)

        await until(is_signed_anew)
        after, _ = await network.seen()
        assert after.id != before.id
        assert not after.is_signed_with(SecretStr(TOKEN))


async def test_a_clock_that_is_set_signs_anew(network: Network) -> None:
    """A machine without a battery starts in the past: its signature would be the oldest."""
    clock = FakeClock()
    async with asyncio.timeout(GUARD_S), advertised(clock):
        await _advanced_until(clock, lambda: network.names)
        before, _ = await network.seen()
        clock._start += timedelta(days=400)

        async def is_signed_anew() -> bool:
            await clock.advance(CHECK_S)
            return bool(network.names) and (await _time(network)) > int(before.time) + 86_400

        await until(is_signed_anew)


async def test_what_is_advertised_stays_fresh_and_is_not_withdrawn_for_it(network: Network) -> None:
    """Home Assistant closes the dialog of a server that is withdrawn."""
    clock = FakeClock()
    async with asyncio.timeout(GUARD_S), advertised(clock):
        await _advanced_until(clock, lambda: network.names)
        before, _ = await network.seen()
        await clock.advance(FRESH.total_seconds())

        async def is_fresh() -> bool:
            age_s = clock.now().timestamp() - await _time(network)
            return age_s <= SIGN_ANEW_S + CHECK_S < FRESH.total_seconds()

        await until(is_fresh)
        after, _ = await network.seen()
        assert after.id == before.id
        assert ServiceStateChange.Removed not in network.changes


async def test_a_server_that_cannot_be_loaded_is_not_advertised() -> None:
    presence = NetworkPresence("Nhà", interfaces=LOOPBACK)
    presence.listen_at("http://0.0.0.0:8123")

    class Lifecycle:
        load_failure = ConfigurationError("x")

        async def loaded(self) -> None:
            """It has ended."""

    class Broken:
        lifecycle = Lifecycle()

    async with presence.running(Broken()):  # type: ignore[arg-type]  # stands for a service
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "advertise-server"]
        await asyncio.wait(tasks)
        assert tasks[0].exception() is None


@pytest.mark.parametrize("name", ["", " ", "x" * 64, "a\nb"])
def test_a_name_that_cannot_be_advertised_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="advertised name"):
        advertising.network_presence(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://[fe80::1%eth0]:8000",
        "http://[fd00::1%2]:8000",
    ],
)
def test_what_only_this_machine_reaches_is_not_advertised(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--host 0\.0\.0\.0"):
        NetworkPresence("Nhà").listen_at(url)


def test_without_its_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vieneu_colab_server.advertisement.presence", None)
    with pytest.raises(MissingExtraError, match="extra zeroconf of vieneu-colab-server"):
        advertising.network_presence("Nhà")
    assert advertising.network_presence(None) is None


@pytest.mark.parametrize("module", ["vieneu_colab_server", "vieneu_colab_server.relay"])
def test_both_commands_refuse_to_advertise_what_nobody_reaches(module: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", module, "--port=0", "--announce=Nhà"],
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert ended.returncode == 3, ended.stderr
    assert "Listen on the network (--host 0.0.0.0), or leave out --announce." in ended.stderr


@pytest.mark.parametrize("module", ["vieneu_colab_server", "vieneu_colab_server.relay"])
def test_neither_command_loads_the_package_unless_it_is_asked_to(module: str) -> None:
    code = f"import sys, {module}.cli; sys.exit('zeroconf' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=GUARD_S)


async def _time(network: Network) -> int:
    said, _ = await network.seen()
    return int(said.time)


async def _advanced_until(clock: FakeClock, condition: Any) -> None:
    while not condition():
        await clock.advance(CHECK_S)
        await asyncio.sleep(0.01)
