"""Whatever is wrong with the disk: speech goes on, and that is said once."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cache_rig import SENTENCES, TEXT, cache_rig, spoken_by
from guard import GUARD_S

from vieneu_core.errors import ConfigurationError
from vieneu_core.speech_cache.stored_speech import StoredSpeech
from vieneu_core.synthesis import SynthesisRequest


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    own = [record for record in caplog.records if record.name.startswith("vieneu_core.speech")]
    return [record.getMessage() for record in own if record.levelno >= logging.WARNING]


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let the disk be full: no file of this process grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_folder_that_cannot_be_made_stops_no_speech(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "speech").write_text("a file")
    async with cache_rig(tmp_path) as rig:
        for _ in range(3):
            speech = await rig.speak()
            assert spoken_by(speech, "remote", *SENTENCES)
            assert not speech.speakers[0].cached

        assert len(warnings(caplog)) == 1
        assert "Not a directory" in warnings(caplog)[0]
        assert rig.backend.cache.problem is not None
        with pytest.raises(ConfigurationError, match="Not a directory"):
            await rig.backend.prepare(SynthesisRequest(text=TEXT))

        (tmp_path / "speech").unlink()
        await rig.speak()
        assert (await rig.speak()).speakers[0].cached
        assert rig.backend.cache.problem is None
    assert len(warnings(caplog)) == 1


async def test_a_folder_that_is_open_to_others_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "speech").mkdir(mode=0o755)
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        assert not (await rig.speak()).speakers[0].cached

    assert len(warnings(caplog)) == 1
    assert "chmod 700" in warnings(caplog)[0]
    assert list((tmp_path / "speech").iterdir()) == []


async def test_a_full_disk_stops_no_speech(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        with files_of_at_most(4096):
            for number in (13, 14, 15):
                text = f"Đây là câu {number} nhé."
                assert spoken_by(await rig.speak(text), "remote", text)
                again = await rig.speak(text)
                assert spoken_by(again, "remote", text)
                assert not again.speakers[0].cached
            assert spoken_by(await rig.speak(), "remote", *SENTENCES)
            assert (await rig.speak()).speakers[0].cached, "what is stored can still be read"
        assert len(warnings(caplog)) == 1

        text = "Đây là câu 16 nhé."
        await rig.speak(text)
        assert (await rig.speak(text)).speakers[0].cached
        assert rig.backend.cache.problem is None


async def test_a_disk_that_is_full_from_the_start_stops_no_speech(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with files_of_at_most(100):
        async with cache_rig(tmp_path) as rig:
            for _ in range(2):
                assert spoken_by(await rig.speak(), "remote", *SENTENCES)
    assert len(warnings(caplog)) == 1


async def test_what_was_stored_before_the_disk_was_full_is_replayed(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()

    with files_of_at_most(100):
        async with cache_rig(tmp_path) as rig:
            again = await rig.speak()
            assert again.speakers[0].cached
            assert spoken_by(again, "remote", *SENTENCES)
            assert spoken_by(await rig.speak("Đây là câu 13."), "remote", "Đây là câu 13.")


async def test_a_damaged_entry_is_spoken_anew(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak(SENTENCES[0])
        database = rig.backend.cache._stored.database
        database_file = database.folder / "cache.db"
    content = bytearray(database_file.read_bytes())
    found = [match.start() for match in re.finditer(b"fLaC", content)]
    assert found
    for at in found:  # SQLite may leave a copy in a page that it has freed
        content[at + 200] ^= 0x55
    database_file.write_bytes(content)

    async with cache_rig(tmp_path) as rig:
        again = await rig.speak(SENTENCES[0])
        assert not again.speakers[0].cached
        assert spoken_by(again, "remote", SENTENCES[0])
        assert (await rig.speak(SENTENCES[0])).speakers[0].cached


async def test_a_disk_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, real = threading.Event(), StoredSpeech.find
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
    async with cache_rig(tmp_path, lookup_within_s=0.01) as rig:

        def hangs(*arguments: object) -> object:
            released.wait(GUARD_S)
            return real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(StoredSpeech, "find", hangs)
        try:
            for _ in range(3):
                speech = await rig.speak()
                assert spoken_by(speech, "remote", *SENTENCES)
                assert not speech.speakers[0].cached
        finally:
            released.set()
        rig.backend.cache._lookup_within_s = GUARD_S
        await asyncio.wait({rig.backend.cache._overdue})  # type: ignore[type-var]
        assert (await rig.speak()).speakers[0].cached


async def test_a_listener_who_leaves_during_a_lookup_leaves_nothing_behind(
    tmp_path: Path,
    no_leaks: None,  # noqa: ARG001 - checked last
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, began, real = threading.Event(), threading.Event(), StoredSpeech.find
    async with cache_rig(tmp_path) as rig:
        await rig.speak()

        def hangs(*arguments: object) -> object:
            began.set()
            released.wait(GUARD_S)
            return real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(StoredSpeech, "find", hangs)
        leaving = asyncio.create_task(rig.speak())
        await asyncio.to_thread(began.wait, GUARD_S)
        leaving.cancel()
        await asyncio.wait({leaving})
        released.set()

        assert leaving.cancelled()
        assert (await rig.speak()).speakers[0].cached


async def test_a_cache_that_another_process_is_writing_is_still_read(tmp_path: Path) -> None:
    import sqlite3

    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        other = sqlite3.connect(tmp_path / "speech/cache.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            found = await rig.backend.cache.find(
                rig.backend._chosen(), SynthesisRequest(text=TEXT), SENTENCES[0], preparing=True
            )
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert found is not None
        assert found.speech is not None


async def test_in_a_folder_whose_name_has_a_dollar_sign(tmp_path: Path) -> None:
    os.environ["VIENEU_TEST_NAME"] = "named"
    try:
        folder = tmp_path / "$VIENEU_TEST_NAME"
        async with cache_rig(folder) as rig:
            await rig.speak()
            assert (await rig.speak()).speakers[0].cached
    finally:
        del os.environ["VIENEU_TEST_NAME"]
    assert {path.name for path in (tmp_path / "named/speech").iterdir()} >= {"cache.db"}
