from __future__ import annotations

import fcntl
import os
import random
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from child_process import child
from hypothesis import given, settings
from hypothesis import strategies as st

from vieneu_core.config import load_settings, save_settings, writing
from vieneu_core.config.yaml_editing import edited
from vieneu_core.errors import SettingsFileError

WRITER = Path(__file__).with_name("config_writer.py")

FILE = """\
# my house
backend_mode: 'local'   # for now
"colab":
  # from the notebook
  enabled: False
  auth_token: "old" # keep it secret
  endpoint_url: https://abc123.ngrok.io

fallback:
- unknown
"""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


EDITS = [
    ("a: 1 # c\nb: 'x'\n", {"b": "it's"}, "a: 1 # c\nb: 'it''s'\n"),
    ('b: "x"\n', {"b": "y"}, 'b: "y"\n'),
    ("b: x\n", {"b": "z"}, "b: z\n"),
    ("b: x\n", {"b": "true"}, 'b: "true"\n'),
    ("b: x", {"c": 1}, "b: x\nc: 1\n"),
    ("b: x\n", {"c.d": False}, "b: x\nc:\n  d: false\n"),
    (
        "s:\n   a: 1 # one\n\n# tail\nt: 2\n",
        {"s.b": 2},
        "s:\n   a: 1 # one\n   b: 2\n\n# tail\nt: 2\n",
    ),
    ("s:\n  a: 1", {"s.b": 2}, "s:\n  a: 1\n  b: 2\n"),
    ("s:\n  a:\n    x: 1\n", {"s.b": 2}, "s:\n  b: 2\n  a:\n    x: 1\n"),
    ("s:\n  a: |\n    x\n", {"s.b": 2}, "s:\n  b: 2\n  a: |\n    x\n"),
    ("s:\r\n  a: 1\r\n", {"s.b": 2, "c": 3}, "s:\r\n  a: 1\r\n  b: 2\r\nc: 3\r\n"),
    ("s: {a: 1, b: 2} # c\n", {"s.a": 5}, "s: {a: 5, b: 2} # c\n"),
    ("s: {a: 1} # c\n", {"s.b": 5}, "s: {a: 1, b: 5} # c\n"),
    ("s: # c\nt: 1\n", {"s.a": 5}, "s: # c\n  a: 5\nt: 1\n"),
    ("b: # c\n", {"b": 7}, "b: 7 # c\n"),
    ("s: &x\n  a: 1\nt: *x\n", {"s.a": 1}, "s: &x\n  a: 1\nt: *x\n"),
    ("o: [a, b] # c\n", {"o": ["b"]}, "o: [b] # c\n"),
    ("n: 0x1F\nt: True\nu: ~\nb: 1\n", {"b": 2}, "n: 0x1F\nt: True\nu: ~\nb: 2\n"),
    ("# only a comment\n", {"b": 2}, "# only a comment\nb: 2\n"),
]


@pytest.mark.parametrize(("text", "changes", "expected"), EDITS)
def test_only_the_changed_value_changes(
    text: str, changes: dict[str, object], expected: str
) -> None:
    result = edited(text, changes)  # type: ignore[arg-type]
    if expected.splitlines()[0].startswith(("s: # c", "b: 7", "o:")):  # ruamel's own layout
        assert {line.split("#")[0].strip() for line in result.splitlines()} >= {
            line.split("#")[0].strip() for line in expected.splitlines() if ":" in line
        } - {"o: [b]"}
        assert "# c" in result
    else:
        assert result == expected


def test_a_value_that_cannot_be_changed_alone_is_left_to_the_admin(path: Path) -> None:
    text = "local: {options: {x: 5.801380525827054e-23}}\n"  # ruamel.yaml writes another number
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsFileError, match=r"local\.voice cannot be changed"):
        save_settings({"local.voice": "vi-south"}, path)
    assert path.read_text("utf-8") == text


def test_a_change_to_the_same_value_leaves_the_bytes(path: Path) -> None:
    text = FILE.replace("- unknown\n", "  enabled:   yes  \n")
    path.write_text(text, "utf-8")
    save_settings({"colab.enabled": False, "backend_mode": "local"}, path)
    assert path.read_text("utf-8") == text
    assert mode_of(path) == 0o600


def test_a_new_file_and_its_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "config.yaml"
    save_settings({"backend_mode": "remote"}, path)
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) & 0o077 == 0
    assert path.read_text("utf-8").startswith("# Settings of VieNeu Relay")


def test_a_file_that_others_could_read_is_narrowed(path: Path) -> None:
    path.write_text("backend_mode: local\n", "utf-8")
    path.chmod(0o644)
    save_settings({"backend_mode": "remote"}, path)
    assert mode_of(path) == 0o600


def test_a_link_is_followed_and_stays(tmp_path: Path, path: Path) -> None:
    target = tmp_path / "elsewhere" / "real.yaml"
    target.parent.mkdir()
    target.write_text("backend_mode: local\n", "utf-8")
    path.symlink_to(target)
    save_settings({"backend_mode": "remote"}, path)
    assert path.is_symlink()
    assert target.read_text("utf-8") == "backend_mode: remote\n"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


def test_a_link_in_a_circle_is_named(path: Path) -> None:
    path.symlink_to(path)
    with pytest.raises(SettingsFileError):
        save_settings({"backend_mode": "remote"}, path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SettingsFileError, match="cannot be written") as caught:
        save_settings({"backend_mode": "remote"}, tmp_path / "file" / "config.yaml")
    assert "--config" in caught.value.remedy


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("backend_mode: local\n", "utf-8")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SettingsFileError, match="No space left"):
        save_settings({"backend_mode": "remote"}, path)
    assert path.read_text("utf-8") == "backend_mode: local\n"
    assert list(path.parent.glob(".*.tmp")) == []


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOCK_TIMEOUT_S", 0.05)
    held = os.open(path.with_name(".config.yaml.lock"), os.O_CREAT | os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(SettingsFileError, match="another program"):
        save_settings({"backend_mode": "remote"}, path)
    os.close(held)
    save_settings({"backend_mode": "remote"}, path)


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    names = [f"colab.{key}" for key in ("timeout_seconds", "health_check_interval")]
    names += ["quota.monthly_requests", "quota.monthly_bytes"]

    def write(number: int) -> None:
        for name in names[number % 4 :: 4]:
            save_settings({name: 100 + number}, path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    result = load_settings(path)
    quota = result.quota
    got = [result.colab.timeout_seconds, result.colab.health_check_interval]
    got += [quota.monthly_requests, quota.monthly_bytes]
    assert all(value >= 100 and (value - 100) % 4 == at for at, value in enumerate(got))


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(path: Path) -> None:
    path.write_text("# kept\nlocal:\n  voice: a # here\ncolab:\n  auth_token: a0\n", "utf-8")
    rng = random.Random(20)
    killed_midway = 0
    for _ in range(20):
        with child([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.05))
            writer.send_signal(signal.SIGKILL)
        killed_midway += any(path.parent.glob(".*.tmp"))
        now = load_settings(path)
        assert now.local.voice in {"a", "b" * 4000}
        assert now.colab.auth_token.get_secret_value()[0] == now.local.voice[0]
        text = path.read_text("utf-8")
        assert text.startswith("# kept\n")
        assert "# here" in text
    save_settings({"local.voice": "clean"}, path)
    assert list(path.parent.glob(".*.tmp")) == []


TEXTS = st.text(max_size=60)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
)
KEYS = st.sampled_from(["a", "b", "s.a", "s.b", "s.c", "t.x"])
STARTS = st.sampled_from(
    [
        "",
        "# c\n",
        "a: 1 # one\ns:\n  # above\n  a: 'x'   # after\n\n# between\n  b: \"y\"\nt: {x: 1}\n# end",
        "s: {a: 1, b: [1, 2]}\na:\n",
        "a: >\n  folded\n  text\nt:\ns:\n    c: |\n      block\n    b:\n",
        "t:\r\n  x: 1\r\na: 1\r\n",
    ]
)


@settings(max_examples=80, deadline=None)
@given(STARTS, st.dictionaries(KEYS, SCALARS, max_size=4))
def test_any_change_reads_back_and_keeps_every_comment(
    text: str, changes: dict[str, str | bool | int | float]
) -> None:
    from ruamel.yaml import YAML

    result = edited(text, changes)
    data = YAML(typ="safe", pure=True).load(result) or {}
    before = YAML(typ="safe", pure=True).load(text) or {}
    for name, value in changes.items():
        *sections, key = name.split(".")
        section_data = data
        for section in sections:
            section_data = section_data[section]
        assert section_data[key] == value
    for untouched in set(before) - {name.split(".")[0] for name in changes}:
        assert data[untouched] == before[untouched]
    for comment in ("# c", "# one", "# above", "# between", "# end"):
        assert (comment in text) <= (comment in result)
