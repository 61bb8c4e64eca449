"""The file of the cache: bounded, private, whole after a kill, and never a way to run code."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from child_process import child, without_coverage
from guard import GUARD_S

from vieneu_core.errors import ConfigurationError
from vieneu_core.speech_cache.database import Database

MAX_BYTES = 10_000_000
WRITER = """
import sys
from pathlib import Path
from vieneu_core.speech_cache.database import Database

folder, name, n_entries, n_bytes = sys.argv[1:]
database = Database(Path(folder), 10_000_000)
for number in range(int(n_entries)):
    database.put("shared", name.encode() * int(n_bytes))
    database.put(f"{name}-{number % 40}", name.encode() * int(n_bytes))
    print(number, flush=True)
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "speech", MAX_BYTES)) as made:
        yield made


def put_row(database: Database, key: str, **columns: object) -> None:
    """Write a row as somebody else could who can write the file."""
    with sqlite3.connect(database.folder / "cache.db") as connection:
        named = {"key": key, "raw": 1, "size": 0, **columns}
        marks = ", ".join("?" * len(named))
        statement = f"INSERT INTO Cache({', '.join(named)}) VALUES ({marks})"  # noqa: S608 - ours
        connection.execute(statement, tuple(named.values()))
    connection.close()


def test_what_is_stored_is_found_by_another_one(database: Database) -> None:
    assert database.get("a") is None
    database.put("a", b"first")
    database.put("a", b"second")
    database.close()

    with closing(Database(database.folder, MAX_BYTES)) as another:
        assert another.get("a") == b"second"
    database.remove("a")
    assert database.get("a") is None


def test_nothing_is_made_before_it_is_used(database: Database) -> None:
    assert database.count() == (0, 0, 0)
    database.clear()
    assert database.n_bytes == 0
    assert not database.folder.exists()


@pytest.mark.parametrize("n_bytes", [20_000, 200_000])
def test_the_disk_holds_no_more_than_was_allowed(database: Database, n_bytes: int) -> None:
    for number in range(round(1.2 * MAX_BYTES / n_bytes)):
        database.put(str(number), os.urandom(n_bytes))
        assert database.n_bytes <= MAX_BYTES
    assert database.n_bytes == sum(path.stat().st_size for path in database.folder.iterdir()), (
        "nothing lies beside it"
    )
    entries, _, _ = database.count()
    assert entries * n_bytes > 0.6 * MAX_BYTES


def test_a_smaller_limit_holds_from_the_next_entry_on(database: Database) -> None:
    for number in range(20):
        database.put(str(number), os.urandom(200_000))
    database.close()
    with closing(Database(database.folder, MAX_BYTES // 4)) as smaller:
        smaller.put("new", os.urandom(10_000))
        smaller.close()

        assert smaller.n_bytes <= MAX_BYTES // 4
        assert smaller.get("new") is not None


def test_what_was_not_used_for_longest_goes_first(database: Database) -> None:
    database.put("used", os.urandom(50_000))
    database.put("unused", os.urandom(50_000))
    for number in range(60):
        database.put(str(number), os.urandom(200_000))
        assert database.get("used") is not None

    assert database.get("unused") is None


def test_a_pickle_that_somebody_wrote_is_never_loaded(database: Database, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.system, (f"touch {tmp_path}/ran",))

    bomb = pickle.dumps(Bomb())
    database.put("a", b"good")
    database.close()
    (database.folder / "bomb.val").write_bytes(bomb)
    put_row(database, "in the database", mode=4, value=bomb)
    put_row(database, "in a file", mode=4, filename="bomb.val")
    put_row(database, "of another file", mode=2, filename="../../../etc/passwd")
    put_row(database, bomb, raw=0, mode=4, value=bomb)  # type: ignore[arg-type]
    put_row(database, "a text", mode=1, value="text")

    for key in ("in the database", "in a file", "of another file", "a text"):
        assert database.get(key) is None
    assert database.get("a") == b"good"
    database.put("in the database", b"speech")
    assert database.get("in the database") == b"speech"
    database.remove("in a file")
    for number in range(60):
        database.put(str(number), os.urandom(200_000))
    database.clear()

    assert database.count() == (0, 0, 0)
    assert not (tmp_path / "ran").exists()
    assert (database.folder / "bomb.val").exists(), "and no file that a row names is removed"


def test_the_folder_is_for_its_owner_alone(database: Database, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database.put("a", b"b")
    finally:
        os.umask(before)
    assert database.folder.stat().st_mode & 0o777 == 0o700

    for mode in (0o750, 0o705, 0o777):
        database.close()
        database.folder.chmod(mode)
        with pytest.raises(ConfigurationError, match=r"open to others.*chmod 700"):
            database.get("a")
    (tmp_path / "link").symlink_to(database.folder)
    with pytest.raises(ConfigurationError, match="open to others"):
        Database(tmp_path / "link", MAX_BYTES).get("a")
    database.folder.chmod(0o700)
    assert database.get("a") == b"b"


@pytest.mark.parametrize(
    ("content", "left"),
    [(b"no database" * 1000, 0), (b"", 0), (None, 0)],
    ids=["other bytes", "empty", "damaged pages"],
)
def test_a_damaged_database_begins_anew(
    database: Database, content: bytes | None, left: int
) -> None:
    for number in range(20):
        database.put(str(number), os.urandom(50_000))
    database.close()
    path = database.folder / "cache.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096) if content is None else content)

    for _ in range(2):
        try:
            assert database.get("3") is None
        except ConfigurationError:
            continue
    database.put("new", b"speech")

    assert database.get("new") == b"speech"
    assert database.count()[0] == left + 1


@pytest.mark.parametrize("row", ["size", "statistics", "disk_min_file_size"])
def test_a_database_without_one_of_its_rows_begins_anew(database: Database, row: str) -> None:
    database.put("a", b"b")
    with sqlite3.connect(database.folder / "cache.db") as connection:
        connection.execute("DELETE FROM Settings WHERE key = ?", (row,))
    connection.close()

    for _ in range(2):
        try:
            database.put("a", b"c")
            break
        except ConfigurationError:
            continue

    assert database.get("a") == b"c"
    assert database.count()[0] == 1


def test_what_was_removed_is_not_in_the_journal_either(database: Database) -> None:
    for number in range(5):
        database.put(str(number), b"secret" * 20_000)
    database.clear()

    assert database.folder.exists()
    for path in database.folder.iterdir():
        assert b"secret" not in path.read_bytes()


def test_a_file_that_was_removed_meanwhile_is_made_again(database: Database) -> None:
    database.put("a", b"b")
    for path in database.folder.iterdir():
        path.unlink()

    assert database.get("a") is None
    database.put("a", b"c")

    with closing(Database(database.folder, MAX_BYTES)) as another:
        assert another.get("a") == b"c"


def run_writers(folder: Path, *names: str, n_entries: int = 60) -> None:
    commands = [
        [sys.executable, "-c", WRITER, str(folder), name, str(n_entries), "150000"]
        for name in names
    ]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    for process in processes:
        assert process.communicate(timeout=GUARD_S)[0].split()[-1] == str(n_entries - 1).encode()
        assert process.returncode == 0


def test_two_processes_store_the_same_key(database: Database) -> None:
    run_writers(database.folder, "a", "b")

    assert database.get("shared") in {b"a" * 150_000, b"b" * 150_000}
    assert database.n_bytes <= MAX_BYTES
    for name in "ab":
        for number in range(40):
            assert database.get(f"{name}-{number}") in {None, name.encode() * 150_000}


@pytest.mark.parametrize("n_written", [0, 3, 17])
def test_a_writer_that_is_killed_leaves_a_usable_cache(database: Database, n_written: int) -> None:
    command = [sys.executable, "-c", WRITER, str(database.folder), "a", "100000", "150000"]
    with child(command, stdout=subprocess.PIPE, env=without_coverage(os.environ)) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != str(n_written).encode():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(GUARD_S)

    found = [database.get(key) for key in ("shared", *(f"a-{n}" for n in range(40)))]
    assert {value for value in found if value is not None} == {b"a" * 150_000}
    database.put("new", b"speech")
    assert database.get("new") == b"speech"
    database.close()
    assert {path.name for path in database.folder.iterdir()} == {"cache.db"}
    connection = sqlite3.connect(database.folder / "cache.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
