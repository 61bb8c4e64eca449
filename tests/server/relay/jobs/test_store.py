"""The folder of the jobs: whole files, one process, bounded, and private."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vieneu_colab_server.relay.jobs.errors import (
    DamagedJobError,
    JobNotFoundError,
    JobStorageError,
)
from vieneu_colab_server.relay.jobs.finished_sentence import FinishedSentence
from vieneu_colab_server.relay.jobs.job import Job, JobSpec, JobState
from vieneu_colab_server.relay.jobs.plan import Plan, Sentence
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.store import JobStore, new_job_id
from vieneu_core.errors import ConfigurationError

PCM = b"\x01\x00\x02\x00\n\x00"
SPOKEN = FinishedSentence(
    sample_rate_hz=16_000, n_samples=3, backend="local", engine="tone", voice="v"
)
PLAN = Plan(sentences=(Sentence(text="Xin chào.", line=1), Sentence(text="Hẹn gặp lại.", line=2)))
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


def a_job(state: JobState = JobState.QUEUED) -> Job:
    spec = JobSpec(kind=ScriptKind.TEXT)
    return Job(id=new_job_id(), spec=spec, state=state, n_sentences=2, created_at=MOMENT)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "a" / "jobs", max_total_bytes=10**6)
    store.open()
    yield store
    store.close()


def opened_again(store: JobStore) -> list[Job]:
    store.close()
    return store.open()


def test_what_is_kept_is_there_at_the_next_start(store: JobStore) -> None:
    job = a_job()
    store.create(job, PLAN)
    store.keep(job.id, 1, SPOKEN, PCM)
    assert opened_again(store) == [job]
    assert store.plan(job.id) == PLAN
    assert store.finished(job.id) == {1: SPOKEN}
    assert store.samples(job.id, 1) == PCM
    changed = job.model_copy(update={"state": JobState.PAUSED})
    store.save(changed)
    assert opened_again(store) == [changed]


def test_only_the_owner_can_read_it(store: JobStore, tmp_path: Path) -> None:
    job = a_job()
    store.create(job, PLAN)
    store.keep(job.id, 0, SPOKEN, PCM)
    root = tmp_path / "a" / "jobs"
    for path in [root, *root.rglob("*")]:
        if path.name != ".lock":
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_a_second_process_is_refused(store: JobStore, tmp_path: Path) -> None:
    other = JobStore(tmp_path / "a" / "jobs", max_total_bytes=10**6)
    with pytest.raises(ConfigurationError, match="Another process"):
        other.open()
    store.close()
    assert other.open() == []
    other.close()


def test_what_killed_writers_left_is_removed(store: JobStore, tmp_path: Path) -> None:
    root = tmp_path / "a" / "jobs"
    job = a_job()
    store.create(job, PLAN)
    leftovers = [
        root / job.id / ".job.json.0123.tmp",
        root / job.id / "sentences" / ".000001.4567.tmp",
        root / job.id / ".speech.mp3.part",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    half_made = root / new_job_id()
    half_made.mkdir()
    strange = root / "not-a-job"
    strange.mkdir()

    assert opened_again(store) == [job]
    assert not any(path.exists() for path in [*leftovers, half_made])
    assert strange.exists(), "only what is ours is removed"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"{", b"\xff\n", b'{"n_samples": 3}', b'{"n_samples": 3}\n\x00', b"x" * 10**6],
)
def test_a_damaged_sentence_counts_as_not_spoken(
    store: JobStore, tmp_path: Path, content: bytes
) -> None:
    job = a_job()
    store.create(job, PLAN)
    path = tmp_path / "a" / "jobs" / job.id / "sentences" / "000000"
    path.write_bytes(content)
    (path.parent / "notes.txt").touch()
    if content != b"{}\n":  # a sentence that was left out needs nothing more
        assert store.finished(job.id) == {}
        with pytest.raises(DamagedJobError):
            store.samples(job.id, 0)


def test_a_damaged_job_is_left_alone_and_a_damaged_plan_named(
    store: JobStore, tmp_path: Path
) -> None:
    root = tmp_path / "a" / "jobs"
    job, other = a_job(), a_job()
    store.create(job, PLAN)
    store.create(other, PLAN)
    (root / job.id / "job.json").write_text("{")
    (root / other.id / "plan.json").write_text("[]")
    assert opened_again(store) == [other]
    assert (root / job.id / "plan.json").exists()
    with pytest.raises(DamagedJobError):
        store.plan(other.id)
    (root / other.id / "plan.json").unlink()
    with pytest.raises(DamagedJobError):
        store.plan(other.id)


def test_all_jobs_together_are_bounded(tmp_path: Path) -> None:
    store = JobStore(tmp_path, max_total_bytes=3000)
    store.open()
    job = a_job()
    store.create(job, PLAN)
    pcm = bytes(2000)
    spoken = SPOKEN.model_copy(update={"n_samples": 1000})
    store.keep(job.id, 0, spoken, pcm)
    with pytest.raises(JobStorageError, match="would exceed"):
        store.keep(job.id, 1, spoken, pcm)
    with pytest.raises(JobStorageError):
        store.create(a_job(), Plan(sentences=(Sentence(text="a" * 3000, line=1),)))
    assert opened_again(store) == [job], "what did not fit left nothing"
    with pytest.raises(JobStorageError):
        store.keep(job.id, 1, spoken, pcm)
    store.remove(job.id)
    store.create(other := a_job(), PLAN)
    store.keep(other.id, 0, spoken, pcm)
    store.close()


def test_what_is_left_of_an_ended_job_is_removed(store: JobStore, tmp_path: Path) -> None:
    done, failed = a_job(JobState.DONE), a_job(JobState.FAILED)
    for job in (done, failed):
        store.create(job, PLAN)
        store.keep(job.id, 0, SPOKEN, PCM)
    opened_again(store)
    root = tmp_path / "a" / "jobs"
    assert [path.name for path in (root / done.id).iterdir()] == ["job.json"]
    assert store.finished(failed.id) == {0: SPOKEN}, "it may be tried again"


@pytest.mark.parametrize(
    "wrong", ["", ".", "..", "/etc", "a/../b", "0" * 31, "0" * 33, "0" * 32 + "\n"]
)
def test_no_name_from_outside_becomes_a_path(store: JobStore, wrong: str) -> None:
    with pytest.raises(JobNotFoundError):
        store.plan(wrong)
    with pytest.raises(JobNotFoundError):
        store.remove(wrong)


def test_a_folder_that_cannot_be_used_is_named_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JobStorageError, match="cannot be used") as caught:
        JobStore(tmp_path / "file" / "jobs", max_total_bytes=1).open()
    assert str(tmp_path) not in str(caught.value)
