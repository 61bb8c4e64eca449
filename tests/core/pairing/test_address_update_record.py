"""A restart forgets no address update."""

from __future__ import annotations

import logging
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from address_updates import NOW, TOKEN, said
from fake_clock import FakeClock
from pydantic import SecretStr

from vieneu_core.errors import AddressUpdateStaleError
from vieneu_core.pairing import AddressUpdate, AddressUpdateInbox, UpdateRecord, signature
from vieneu_core.pairing.address_update import record_key


async def test_a_restart_forgets_no_update(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "state" / "updates.json"

    async def receive(body: bytes, token: SecretStr = TOKEN) -> AddressUpdate:
        started = AddressUpdateInbox(token, clock=clock, record=UpdateRecord(path))
        return await started.receive(body, signature(body, token))

    first = said(timestamp=NOW)
    await receive(first)
    for late in (first, said(timestamp=NOW - timedelta(minutes=1))):
        with pytest.raises(AddressUpdateStaleError):
            await receive(late)
    await receive(said(timestamp=NOW + timedelta(seconds=1)))
    await receive(first, SecretStr("another-token-0123456789"))  # of another server
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TOKEN.get_secret_value() not in path.read_text("utf-8")


async def test_two_receivers_of_one_token_share_what_was_received(
    tmp_path: Path, clock: FakeClock
) -> None:
    record = UpdateRecord(tmp_path / "updates.json")
    inboxes = [AddressUpdateInbox(TOKEN, clock=clock, record=record) for _ in range(2)]
    body = said()
    await inboxes[0].receive(body, signature(body, TOKEN))
    with pytest.raises(AddressUpdateStaleError):
        await inboxes[1].receive(body, signature(body, TOKEN))


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 9_000, '{"a": 1}', '{"%s": "2026-11-01"}', '{"%s": 5}']
)
async def test_a_damaged_record_is_none(tmp_path: Path, clock: FakeClock, content: str) -> None:
    path = tmp_path / "updates.json"
    key = record_key(TOKEN)
    path.write_text(content.replace("%s", key), "utf-8")
    inbox = AddressUpdateInbox(TOKEN, clock=clock, record=UpdateRecord(path))
    body = said()
    await inbox.receive(body, signature(body, TOKEN))
    assert UpdateRecord(path).last(key) == NOW


async def test_a_record_that_cannot_be_written_is_logged(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    record = UpdateRecord(tmp_path / "file" / "updates.json")
    inbox = AddressUpdateInbox(TOKEN, clock=clock, record=record)
    body = said()
    with caplog.at_level(logging.WARNING):
        await inbox.receive(body, signature(body, TOKEN))
    assert "cannot be kept" in caplog.text
    with pytest.raises(AddressUpdateStaleError):
        await inbox.receive(body, signature(body, TOKEN))
