"""JSON from elsewhere is read whole, or refused with one kind of error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_clock import FakeClock

from vieneu_core.engines.registry import SpeedRecord
from vieneu_core.router.monthly_tunnel_quota import TunnelQuota
from vieneu_core.untrusted_json import MAX_KEYS, has_too_many_keys, parse_json, read_json
from vieneu_core.voices import VoiceCatalogue

BAD = {
    "nothing": b"",
    "a list without end": b"[" * 200_000,
    "an object without end": b'{"a":' * 200_000,
    "both": b'[{"a":' * 200_000,
    "a number of a million digits": b"9" * 1_000_000,
    "no UTF-8": b'{"a": "\xff"}',
    "half a file": b'{"a": [1, 2',
    "two values": b"1 2",
    "too many keys": json.dumps({"a": dict.fromkeys(map(str, range(MAX_KEYS + 1)))}).encode(),
    "one key too often": b"{" + b'"a": 1, ' * 60_000 + b'"a": 1}',
}


@pytest.fixture(params=list(BAD.values()), ids=list(BAD))
def bad(request: pytest.FixtureRequest) -> bytes:
    content: bytes = request.param
    return content


def test_what_is_no_json_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(bad)


def test_as_many_keys_as_allowed_are_read() -> None:
    text = json.dumps([dict.fromkeys(map(str, range(MAX_KEYS)), ":")] * 2)

    assert len(parse_json(text)[1]) == MAX_KEYS
    assert not has_too_many_keys(text.encode())


def test_what_is_no_json_has_not_too_many_keys() -> None:
    assert has_too_many_keys(BAD["too many keys"])
    assert not has_too_many_keys(b":" * 2 * MAX_KEYS)
    assert not has_too_many_keys(b'{"a":' * 2 * MAX_KEYS)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b"[" + b" " * 98 + b"]")

    assert read_json(path, max_bytes=100) == []
    with pytest.raises(ValueError, match="more than 99 bytes"):
        read_json(path, max_bytes=99)


def test_a_bad_record_of_speeds_is_as_none(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "speed.json"
    path.write_bytes(bad)
    record = SpeedRecord(path)

    assert record.all() == {}
    record.put("gguf", "small", 0.5)
    assert record.get("gguf", "small") == 0.5


def test_a_bad_record_of_the_quota_is_as_none(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "budget.json"
    path.write_bytes(bad)
    quota = TunnelQuota(path, clock=FakeClock(), monthly_requests=100)

    quota.record(10, 0)

    assert quota.status().requests == 10


def test_a_bad_voice_is_left_out_alone(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "ba-ngoai").mkdir()
    (tmp_path / "ba-ngoai" / "voice.json").write_bytes(bad)

    assert VoiceCatalogue(tmp_path).voices() == ()
