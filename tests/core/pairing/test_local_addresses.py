"""No address update leads into the home network, unless that is set up."""

from __future__ import annotations

import pytest
from address_updates import TOKEN, opened_update, said
from fake_clock import FakeClock

from vieneu_core.errors import UnsafeEndpointError
from vieneu_core.pairing import (
    LOCAL_UPDATES_VARIABLE,
    AddressUpdateInbox,
    accepts_local,
)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]"])
def test_this_machine_needs_no_certificate_where_it_is_set_up(clock: FakeClock, url: str) -> None:
    inbox = AddressUpdateInbox(TOKEN, clock=clock, local=True)
    assert opened_update(inbox, said(endpoint_url=url)).endpoint_url == url


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8000", "127.8.9.1", "localhost", "a.localhost.", "[::1]", "0.0.0.0", "[::]"),  # noqa: S104 - refused
        *("169.254.169.254", "[fe80::1]", "[fe80::1%25eth0]", "224.0.0.1", "255.255.255.255"),
        *("10.1.2.3", "172.16.0.9", "192.168.1.5", "100.64.0.1", "[fd00::1]", "[ff02::1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[2002:7f00:1::]"),
        *("[64:ff9b::169.254.169.254]", "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]"),
        *("127.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "metadata.google.internal"),
        *("homeassistant.local", "nas", "box.lan", "１２７.0.0.1"),
    ],
)
def test_an_address_of_this_machine_or_its_network_is_refused_unless_it_is_set_up(
    inbox: AddressUpdateInbox, host: str
) -> None:
    with pytest.raises(UnsafeEndpointError):
        opened_update(inbox, said(endpoint_url=f"https://{host}/"))


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "a1.example.com:8443"])
def test_an_address_of_the_internet_is_accepted(inbox: AddressUpdateInbox, host: str) -> None:
    assert (
        opened_update(inbox, said(endpoint_url=f"https://{host}")).endpoint_url == f"https://{host}"
    )


@pytest.mark.parametrize(
    ("environ", "url", "accepted"),
    [
        ({}, "", False),
        ({}, "https://abc.ngrok-free.app", False),
        ({}, "http://127.0.0.1:8000", True),
        ({}, "http://192.168.1.5:8000", True),
        ({LOCAL_UPDATES_VARIABLE: "1"}, "", True),
        ({LOCAL_UPDATES_VARIABLE: "0"}, "", False),
    ],
)
def test_a_server_at_home_is_set_up_by_its_address_or_by_a_variable(
    environ: dict[str, str], url: str, *, accepted: bool
) -> None:
    assert accepts_local(environ, url) is accepted
