"""Only what the server itself has just said is believed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from address_updates import NOW, TOKEN, opened_update, said
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from vieneu_core.errors import (
    AddressUpdateError,
    AddressUpdateForgedError,
    AddressUpdateStaleError,
    ServerTooNewError,
    ServerTooOldError,
    UnsafeEndpointError,
    VieneuError,
)
from vieneu_core.pairing import AddressUpdateInbox, signature
from vieneu_core.pairing.address_update import hkdf_sha256
from vieneu_core.wire.version import WIRE_VERSION


def test_what_the_server_says_is_taken(inbox: AddressUpdateInbox) -> None:
    ends = NOW + timedelta(hours=12)
    heard = opened_update(inbox, said(expires_at=ends))

    assert heard.endpoint_url == "https://abc.ngrok-free.app"
    assert heard.expires_at == ends


# RFC 5869, appendix A, cases 1 and 3.
@pytest.mark.parametrize(
    ("salt", "info", "key"),
    [
        (
            bytes(range(13)),
            bytes(range(0xF0, 0xFA)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            b"",
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_the_key_is_derived_as_the_standard_says(salt: bytes, info: bytes, key: str) -> None:
    assert hkdf_sha256(b"\x0b" * 22, salt=salt, info=info).hex() == key[:64]


def test_a_signature_holds_neither_token_nor_key(inbox: AddressUpdateInbox) -> None:
    body = said()
    assert TOKEN.get_secret_value() not in signature(body, TOKEN)
    assert TOKEN.get_secret_value().encode() not in body
    assert TOKEN.get_secret_value() not in repr(inbox.__dict__)


@pytest.mark.parametrize(
    "given_signature", [None, "", "v1=", "v1=00", "v0=abc", "ÿ", "\udcff", "v1=\ud800"]
)
def test_what_is_not_signed_is_refused(
    inbox: AddressUpdateInbox, given_signature: str | None
) -> None:
    with pytest.raises(AddressUpdateForgedError):
        inbox.open(said(), given_signature)


def test_another_token_signs_for_another_house(inbox: AddressUpdateInbox) -> None:
    with pytest.raises(AddressUpdateForgedError) as caught:
        opened_update(inbox, said(), SecretStr("another-token-0123456789"))
    assert "another-token" not in str(caught.value)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_a_forgery(position: int, change: int) -> None:
    body = said()
    at = position % len(body)
    changed = body[:at] + bytes([body[at] ^ change]) + body[at + 1 :]

    with pytest.raises(AddressUpdateForgedError):
        AddressUpdateInbox(TOKEN, clock=FakeClock(NOW)).open(changed, signature(body, TOKEN))


def test_nothing_is_taken_twice_for_as_long_as_it_is_good(clock: FakeClock) -> None:
    inbox = AddressUpdateInbox(TOKEN, clock=clock)
    body = said(timestamp=NOW + timedelta(minutes=4))
    opened_update(inbox, body)

    with pytest.raises(AddressUpdateStaleError, match="already received"):
        opened_update(inbox, body)


async def test_a_replay_is_refused_first_as_such_and_later_as_stale(clock: FakeClock) -> None:
    inbox = AddressUpdateInbox(TOKEN, clock=clock)
    body = said(timestamp=NOW + timedelta(minutes=4, seconds=50))
    opened_update(inbox, body)
    for _ in range(9):
        await clock.advance(60)
        with pytest.raises(AddressUpdateStaleError, match="already received"):
            opened_update(inbox, body)
    await clock.advance(60)
    with pytest.raises(AddressUpdateStaleError, match="s old"):
        opened_update(inbox, body)


def test_each_update_is_newer_than_the_last_one(inbox: AddressUpdateInbox) -> None:
    opened_update(inbox, said(timestamp=NOW))
    for stamp in (NOW, NOW - timedelta(microseconds=1)):
        with pytest.raises(AddressUpdateStaleError, match="older than the last one"):
            opened_update(inbox, said(timestamp=stamp))
    opened_update(inbox, said(timestamp=NOW + timedelta(microseconds=1)))


@pytest.mark.parametrize("seconds", [0, -1, -86_400])
def test_a_server_whose_session_has_ended_is_refused(
    inbox: AddressUpdateInbox, seconds: float
) -> None:
    with pytest.raises(AddressUpdateStaleError, match="session has ended"):
        opened_update(inbox, said(expires_at=NOW + timedelta(seconds=seconds)))


_FIELDS = ("endpoint_url", "server_version", "wire_version", "expires_at", "timestamp", "nonce")


@given(
    st.dictionaries(
        st.sampled_from(_FIELDS),
        st.one_of(
            st.none(),
            st.integers(),
            st.floats(),
            st.text(max_size=40),
            st.datetimes().map(lambda time: f"{time.isoformat()}+14:00"),
            st.sampled_from(["https://[", "https://xn--", "https://a:99999", "9" * 16, "-1.0"]),
        ),
    ),
    st.one_of(st.none(), st.text(st.characters(codec=None), max_size=90)),
)
def test_any_content_is_accepted_or_refused_with_a_named_error(
    fields: dict[str, Any], other: str | None
) -> None:
    body = json.dumps(json.loads(said()) | fields).encode()
    inbox = AddressUpdateInbox(TOKEN, clock=FakeClock(NOW))
    with suppress(VieneuError):
        inbox.open(body, signature(body, TOKEN) if other is None else other)


@pytest.mark.parametrize("minutes", [-5.1, 5.1, -600, 600])
def test_what_is_old_or_from_the_future_is_refused(
    inbox: AddressUpdateInbox, minutes: float
) -> None:
    with pytest.raises(AddressUpdateStaleError, match="s old by this machine's clock"):
        opened_update(inbox, said(timestamp=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "url",
    [
        "http://abc.ngrok-free.app",
        "http://192.168.1.5:8000",
        "ftp://house",
        "https://user:secret@host.example",
        "https://",
        "javascript:alert(1)",
    ],
)
def test_an_address_to_which_no_token_may_go_is_refused(
    inbox: AddressUpdateInbox, url: str
) -> None:
    with pytest.raises(UnsafeEndpointError) as caught:
        opened_update(inbox, said(endpoint_url=url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "error"), [("0.9", ServerTooOldError), ("9.0", ServerTooNewError)]
)
def test_a_server_of_another_time_is_refused_with_a_remedy(
    inbox: AddressUpdateInbox, version: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        opened_update(inbox, said(wire_version=version))


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b'{"endpoint_url": "https://a.b"}'],
)
def test_what_is_signed_but_no_address_update_is_an_error(
    inbox: AddressUpdateInbox, body: bytes
) -> None:
    with pytest.raises(AddressUpdateError) as caught:
        opened_update(inbox, body)
    assert type(caught.value) is AddressUpdateError


def test_a_stamp_without_a_zone_is_refused(inbox: AddressUpdateInbox) -> None:
    facts = json.loads(said())
    facts["timestamp"] = "2026-11-01T00:00:00"
    with pytest.raises(AddressUpdateError, match="timestamp"):
        opened_update(inbox, json.dumps(facts).encode())


def test_a_huge_body_is_not_read(inbox: AddressUpdateInbox) -> None:
    with pytest.raises(AddressUpdateForgedError):
        opened_update(inbox, said(server_version="x") + b" " * 10_000)


def test_a_newer_server_may_say_more(inbox: AddressUpdateInbox) -> None:
    facts = json.loads(said()) | {"mood": "good"}
    assert opened_update(inbox, json.dumps(facts).encode()).wire_version == WIRE_VERSION
