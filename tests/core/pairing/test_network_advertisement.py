"""An advertisement in the network: what it says, who signed it, and which one is the newest."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from vieneu_core.errors import AddressUpdateError, AddressUpdateStaleError
from vieneu_core.pairing import FRESH, NetworkAdvertisement, UpdateRecord, advertised_id, signature

TOKEN, OTHER = SecretStr("a-token-of-the-server"), SecretStr("a-token-of-a-stranger")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LAN = [ipaddress.ip_address("192.168.1.5"), ipaddress.ip_address("fd00::5")]


def said(**changes: Any) -> NetworkAdvertisement:
    fields = {"name": "Nhà", "version": "0.1.0", "addresses": LAN, "port": 8000, "now": NOW}
    return NetworkAdvertisement.signed(changes.pop("token", TOKEN), **{**fields, **changes})


def test_what_is_advertised_is_read_again_and_is_signed() -> None:
    read = NetworkAdvertisement.read(said().properties(), 8000)

    assert read == said()
    assert read.is_signed_with(TOKEN)
    assert not read.is_signed_with(OTHER)
    assert read.url_at("192.168.1.5") == "http://192.168.1.5:8000"
    assert read.url_at("fd00::5") == "http://[fd00::5]:8000"
    assert read.url_at("192.168.1.6") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "0" * 32},
        {"name": "Máy khác"},
        {"version": "0.2.0"},
        {"name": "Nhà\n0.1.0", "version": ""},
        {"addresses": "192.168.1.66,fd00::5"},
        {"addresses": "192.168.1.5"},
        {"port": 8001},
        {"time": str(int(NOW.timestamp()) + 1)},
        {"signature": ""},
        {"signature": "v1=é"},
        {"signature": "v2" + said().signature[2:]},
    ],
)
def test_no_field_can_be_changed(changes: dict[str, Any]) -> None:
    assert not said().model_copy(update=changes).is_signed_with(TOKEN)


def test_it_holds_no_token_and_no_signature_of_another_purpose() -> None:
    reported = str(said().properties())

    assert TOKEN.get_secret_value() not in reported
    assert said().id == advertised_id(TOKEN) != advertised_id(OTHER)
    fields = said().model_dump(exclude={"signature"}).values()
    content = "\n".join(map(str, fields))
    assert signature(content.encode(), TOKEN) != said().signature


def test_many_addresses_fit_into_a_record_and_the_best_stay() -> None:
    many = [
        *LAN,
        *(ipaddress.ip_address(f"2001:db8:1111:2222:3333:4444:5555:{n}") for n in range(20)),
    ]
    advertisement = said(addresses=many)

    assert advertisement.addresses.startswith("192.168.1.5,fd00::5,2001:db8:")
    for key, value in advertisement.properties().items():
        assert len(f"{key}={value}".encode()) <= 255
    assert NetworkAdvertisement.read(advertisement.properties(), 8000).is_signed_with(TOKEN)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x" * 32},
        {"id": None},
        {"name": ""},
        {"name": "x" * 64},
        {"name": "a\nb"},
        {"name": "a\u202eb"},
        {"version": "\x1b[2J"},
        {"addresses": ""},
        {"addresses": "a b"},
        {"addresses": "1." * 200},
        {"time": "-1"},
        {"time": "1" * 12},
        {"time": b"\xff"},
        {"signature": "x" * 129},
        {"port": 0},
        {"port": None},
    ],
)
def test_what_is_no_advertisement_is_refused(changes: dict[str, Any]) -> None:
    port = changes.pop("port", 8000)
    with pytest.raises(AddressUpdateError, match="An advertisement in the network is invalid"):
        NetworkAdvertisement.read({**said().properties(), **changes}, port)


@given(st.dictionaries(st.text(max_size=10), st.text() | st.none() | st.binary()), st.integers())
def test_nothing_else_is_raised_by_what_strangers_say(
    properties: dict[str, str | bytes | None], port: int
) -> None:
    with pytest.raises(AddressUpdateError):
        NetworkAdvertisement.read(properties, port)


def test_an_older_one_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    said().check_new(UpdateRecord(path), now=NOW)
    said().check_new(UpdateRecord(path), now=NOW)  # the same is seen again and again
    with pytest.raises(AddressUpdateStaleError):
        said(now=NOW - timedelta(seconds=1)).check_new(UpdateRecord(path), now=NOW)
    said(now=NOW - timedelta(minutes=1), token=OTHER).check_new(UpdateRecord(path), now=NOW)
    said(now=NOW + timedelta(seconds=1)).check_new(UpdateRecord(path), now=NOW)


def test_the_first_one_must_be_fresh(tmp_path: Path) -> None:
    """Else whoever kept an old one decides where the token goes."""
    for age in (timedelta(days=400), FRESH + timedelta(seconds=1)):
        record = UpdateRecord(tmp_path / "record.json")
        with pytest.raises(AddressUpdateStaleError):
            said(now=NOW - age).check_new(record, now=NOW)
        assert record.last(said().id) is None
    said(now=NOW - FRESH).check_new(record, now=NOW)
    said(now=NOW - FRESH).check_new(record, now=NOW + timedelta(days=400))  # it is known now


def test_one_from_the_future_would_lock_out_all_later_ones(tmp_path: Path) -> None:
    record = UpdateRecord(tmp_path / "record.json")
    with pytest.raises(AddressUpdateStaleError):
        said(now=NOW + timedelta(days=2)).check_new(record, now=NOW)
    latest = said().model_copy(update={"time": "9" * 11})
    with pytest.raises(AddressUpdateStaleError):
        latest.check_new(record, now=NOW)
    said().check_new(record, now=NOW)
