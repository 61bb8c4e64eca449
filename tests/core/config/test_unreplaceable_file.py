"""Settings file that is mounted by itself, or in a read-only folder: it is written over."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from guard import GUARD_S

from vieneu_core.config import load_settings, save_settings
from vieneu_core.config.overwriting import overwrite, whole
from vieneu_core.errors import SettingsFileError

OLD = "# kept\nlocal:\n  voice: a # here\ncolab:\n  auth_token: a0\n"
NEW = {"local.voice": "b" * 300, "colab.auth_token": "b1"}
SAVE = """
import sys
from pathlib import Path
from vieneu_core.config import save_settings
save_settings({"local.voice": sys.argv[2]}, Path(sys.argv[1]))
"""
MAX_BYTES = 1 << 20


@cache
def _can_mount() -> bool:
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False)
    return done.returncode == 0


def in_mounts(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of sh in a folder, with mounts of its own."""
    if not _can_mount():
        pytest.skip("this system lets a user mount nothing")
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-euc", script],
        cwd=folder,
        env={**os.environ, "PY": sys.executable, "SAVE": SAVE},
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The file outside the container."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("", "utf-8")
    path = tmp_path / "host.yaml"
    path.write_text(OLD, "utf-8")
    return path


@pytest.fixture
def unreplaceable(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that answers as a mounted one does."""
    path.write_text(OLD, "utf-8")
    replace = Path.replace

    def refused(self: Path, target: Path) -> Path:
        if Path(target) == path:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refused)
    return path


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_mounted_by_itself_is_changed(host: Path, *, read_only: bool) -> None:
    lock = "mount --bind -o ro config config\n" if read_only else ""
    inode = host.stat().st_ino

    done = in_mounts(
        f"{lock}mount --bind host.yaml config/config.yaml\n"
        '"$PY" -c "$SAVE" config/config.yaml vi-south\n',
        host.parent,
    )

    assert done.returncode == 0, done.stderr
    assert host.read_text("utf-8") == OLD.replace("a # here", '"vi-south" # here')
    assert host.stat().st_ino == inode
    left = {each.name for each in (host.parent / "config").iterdir()}
    assert left == ({"config.yaml"} if read_only else {"config.yaml", ".config.yaml.lock"})


def test_a_folder_and_a_file_that_are_read_only_are_named(host: Path) -> None:
    done = in_mounts(
        "mount --bind host.yaml config/config.yaml\n"
        "mount -o remount,bind,ro config/config.yaml\n"
        "mount --rbind config config && mount -o remount,bind,ro config\n"
        '"$PY" -c "$SAVE" config/config.yaml vi-south\n',
        host.parent,
    )

    assert done.returncode == 1
    assert "it cannot be written (Read-only file system)" in done.stderr
    assert host.read_text("utf-8") == OLD


def test_a_file_that_was_replaced_outside_is_not_written_for_nobody(host: Path) -> None:
    done = in_mounts(
        "mount --bind host.yaml config/config.yaml\n"
        "cp host.yaml other.yaml && mv other.yaml host.yaml\n"
        '"$PY" -c "$SAVE" config/config.yaml vi-south\n',
        host.parent,
    )

    assert done.returncode == 1
    assert "it was replaced outside this container" in done.stderr
    assert host.read_text("utf-8") == OLD


def test_it_is_written_over_where_it_cannot_be_replaced(unreplaceable: Path) -> None:
    unreplaceable.chmod(0o644)
    inode = unreplaceable.stat().st_ino
    for voice in ("b" * 300, "c", "vi-south"):
        save_settings({"local.voice": voice}, unreplaceable)
        assert load_settings(unreplaceable).local.voice == voice
    assert unreplaceable.stat().st_ino == inode
    assert stat.S_IMODE(unreplaceable.stat().st_mode) == 0o600
    assert unreplaceable.read_text("utf-8").startswith("# kept\nlocal:\n")
    assert list(unreplaceable.parent.glob(".*.tmp")) == []


@pytest.mark.parametrize("content", [b"short", b"", b"as long!", b"longer than before\n" * 9])
def test_at_every_byte_the_file_holds_the_old_or_the_new_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"as long.")
    states = _record_states(path, monkeypatch, lambda: _write(path, content))

    reported = [whole(state) for state in states]
    switch = reported.index(content)
    assert {_said(each) for each in reported[:switch]} == {b"as long."}
    assert set(reported[switch:]) == {content}
    assert states[-1] == content


@pytest.mark.parametrize("content", [b"a: 1\n", b"a: 1234567\nb: 2\n" * 4])
def test_the_next_writer_finishes_what_a_killed_one_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a: 0\n# c\n")
    begun = _record_states(path, monkeypatch, lambda: _write(path, content))
    for state in begun[:: len(begun) // 40 or 1]:
        path.write_bytes(state)
        states = _record_states(path, monkeypatch, lambda: _write(path, b"a: 2\n"))
        assert {_said(whole(each)) for each in states} == {_said(whole(state)), b"a: 2"}
        assert states[-1] == b"a: 2\n"


def test_zeros_that_a_power_cut_left_are_no_content() -> None:
    assert whole(b"a: 0\n" + bytes(200)) == b"a: 0\n"


def test_a_full_disk_leaves_the_old_content(
    unreplaceable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", no_space)
    with pytest.raises(SettingsFileError, match="No space left"):
        save_settings(NEW, unreplaceable)
    assert unreplaceable.read_text("utf-8") == OLD


def test_a_content_that_has_no_room_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a: 0\n")
    with pytest.raises(OSError, match="too large"):
        overwrite(path, b"x" * 100, mode=0o600, max_bytes=200)
    assert path.read_bytes() == b"a: 0\n"


def test_readers_meanwhile_see_one_of_both_contents(unreplaceable: Path) -> None:
    def write() -> None:
        for number in range(60):
            name = "a" if number % 2 else "b" * 4000
            save_settings({"local.voice": name, "colab.auth_token": name[0]}, unreplaceable)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            seen = load_settings(unreplaceable)
            assert seen.colab.auth_token.get_secret_value()[0] == (seen.local.voice or "")[0]
        writing.result()


def test_writers_at_the_same_time_lose_nothing(unreplaceable: Path) -> None:
    names = ["quota.monthly_requests", "quota.monthly_bytes"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: save_settings({names[n % 2]: 100 + n}, unreplaceable), range(20)))
    quota = load_settings(unreplaceable).quota
    assert quota.monthly_requests >= 100
    assert quota.monthly_bytes >= 101


def _said(content: bytes) -> bytes:
    """Return the content without what is left of a comment that was cut off before its mark."""
    return content.split(b"\n#")[0].rstrip(b"\n")


def _write(path: Path, content: bytes) -> None:
    overwrite(path, content, mode=0o600, max_bytes=MAX_BYTES)


def _record_states(
    path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]
) -> list[bytes]:
    """Do something that writes a byte at a time; return what the file held after each."""
    states = [path.read_bytes()]
    pwrite, truncate = os.pwrite, os.ftruncate

    def one_byte(descriptor: int, data: memoryview, offset: int) -> int:
        written = pwrite(descriptor, data[:1], offset)
        states.append(path.read_bytes())
        return written

    def cut(descriptor: int, size: int) -> None:
        truncate(descriptor, size)
        states.append(path.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", one_byte)
        patch.setattr(os, "ftruncate", cut)
        work()
    return states
