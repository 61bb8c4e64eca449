"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from vieneu_core.files import PRIVATE, remove_drafts, replace_durably, write_atomic


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.json"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files and folders that reached the disk, in order."""
    names: list[str] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


@pytest.mark.parametrize(
    ("data", "content"), [("Bà Ngoại\r\n", "Bà Ngoại\r\n".encode()), (b"\0", b"\0")]
)
def test_text_and_bytes_are_written_as_they_are(
    path: Path, data: str | bytes, content: bytes
) -> None:
    write_atomic(path, "old")
    write_atomic(path, data)

    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_the_file_reaches_the_disk_before_its_name_does(path: Path, synced: list[str]) -> None:
    write_atomic(path, "x")

    draft, folder = synced
    assert draft.startswith(f".{path.name}.")
    assert folder == path.parent.name


def test_what_can_be_made_again_waits_for_no_disk(path: Path, synced: list[str]) -> None:
    write_atomic(path, "x", durable=False)

    assert path.read_text() == "x"
    assert synced == []


def test_a_finished_draft_reaches_the_disk_before_it_gets_its_name(
    path: Path, synced: list[str]
) -> None:
    draft = path.with_name("draft")
    draft.write_text("x")
    replace_durably(draft, path)

    assert synced == ["draft", path.parent.name]
    assert list(path.parent.iterdir()) == [path]


def test_a_private_file_is_private_whatever_it_was_and_whatever_the_umask(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o644)
    before = os.umask(0o777)
    try:
        write_atomic(path, "new", mode=PRIVATE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_mode_the_umask_decides(path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(path, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_a_file_to_its_owner(path: Path) -> None:
    path.write_text("old")
    os.chown(path, 12_345, 23_456)
    write_atomic(path, "new", mode=PRIVATE)

    assert (path.stat().st_uid, path.stat().st_gid) == (12_345, 23_456)


def _full(_: object) -> None:
    raise OSError(28, "No space left on device")


def _interrupted(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("fault", [_full, _interrupted])
def test_a_write_that_fails_leaves_the_old_file_and_no_draft(
    path: Path, fault: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", fault)
    with pytest.raises((OSError, KeyboardInterrupt)):
        write_atomic(path, "new")

    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_drafts_of_this_file_alone_are_removed(path: Path) -> None:
    kept = {path, path.with_name(".other.json.0.tmp"), path.with_name(f".{path.name}.lock")}
    for each in (*kept, path.with_name(f".{path.name}.0123456789abcdef.tmp")):
        each.write_text("x")
    remove_drafts(path)

    assert set(path.parent.iterdir()) == kept


def test_what_is_no_ordinary_file_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no ordinary file"):
        write_atomic(pipe, "new")
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
