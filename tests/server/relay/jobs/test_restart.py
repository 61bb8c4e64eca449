"""A process that is killed at any moment, and the next one that goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import child
from job_rig import job_rig, numbered, tones
from tone_engine import same

from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_core.testing.scripted import ScriptedBackend

PROGRAM = Path(__file__).with_name("killed_queue.py")
SENTENCES = numbered(12)


def killed_after(n_sentences: int, folder: Path) -> tuple[str, int]:
    """Run a job until so many sentences are done, then kill the process with SIGKILL."""
    command = [sys.executable, str(PROGRAM), str(folder), " ".join(SENTENCES)]
    with child(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            job_id, n_done, _ = line.split()
            if int(n_done) >= n_sentences:
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
    assert process.returncode == -signal.SIGKILL
    return job_id, int(n_done)


async def test_no_sentence_is_lost_or_repeated_by_kills(tmp_path: Path) -> None:
    job_id = ""
    for n_sentences in (1, 2, 5, 9):
        killed_id, n_done = killed_after(n_sentences, tmp_path)
        assert job_id in {"", killed_id}, "the same job went on"
        job_id = killed_id
        finished = [path.name for path in (tmp_path / job_id / "sentences").glob("[0-9]*")]
        assert len(finished) >= n_done
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path) as rig:
        job = rig.queue.get(job_id)
        assert job.state is JobState.QUEUED
        done = await rig.ended(job)
        assert done.state is JobState.DONE
        assert done.notes == ()
        assert same(rig.heard(done), tones(SENTENCES))
    assert 0 < len(backend.record.finished) <= len(SENTENCES) - 9
    assert backend.record.finished == SENTENCES[-len(backend.record.finished) :]


async def test_a_damaged_sentence_is_spoken_again(tmp_path: Path) -> None:
    job_id, _ = killed_after(4, tmp_path)
    damaged = tmp_path / job_id / "sentences" / "000002"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path) as rig:
        assert same(rig.heard(await rig.ended(rig.queue.get(job_id))), tones(SENTENCES))
    assert backend.record.finished[0] == SENTENCES[2]


@pytest.mark.usefixtures("no_leaks")
async def test_a_job_that_was_spoken_but_not_joined_needs_no_backend(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(" ".join(SENTENCES))
        while rig.queue.get(job.id).n_done < len(SENTENCES):
            await rig.clock.sleep(0)
    unloaded = ScriptedBackend()
    async with job_rig(unloaded, tmp_path) as rig:
        await unloaded.unload()
        assert same(rig.heard(await rig.ended(rig.queue.get(job.id))), tones(SENTENCES))
    assert unloaded.record.begun == []
