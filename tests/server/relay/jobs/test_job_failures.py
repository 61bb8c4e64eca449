"""Jobs whose backend, voice or disk fails midway."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest
from job_rig import SENTENCES, TEXT, job_rig, names_in, numbered, tones
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.errors import JobNotDoneError, JobStorageError
from vieneu_colab_server.relay.jobs.job import JobState, NoteKind
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.audio.file import _WholeWrites
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendNotLoadedError,
    EmptyTextError,
    SynthesisFailedError,
    UnpronounceableError,
)
from vieneu_core.files import write_atomic
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.voices import Voice

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_a_backend_lost_midway_does_not_lose_the_job(tmp_path: Path) -> None:
    lost = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(), ScriptStep(), ScriptStep(hold=lost)])
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT)
        await until(lambda: len(backend.record.requests) == 3)
        await backend.unload()
        lost.set()
        paused = await rig.reached(job, JobState.PAUSED)
        assert paused.problem is not None
        assert paused.problem.code == BackendNotLoadedError.code
        await rig.clock.advance(3600)
        assert rig.queue.get(job.id).state is JobState.PAUSED

        await backend.load()
        done = await rig.ended(job)
        assert done.state is JobState.DONE
        assert done.problem is None
        assert same(rig.heard(done), tones(SENTENCES))
    assert backend.record.finished == SENTENCES


async def test_a_sentence_cut_off_is_spoken_anew(tmp_path: Path) -> None:
    step = ScriptStep(after_chunks=2, truncate=True)
    async with job_rig(ScriptedBackend([ScriptStep(), step]), tmp_path) as rig:
        assert same(rig.heard(await rig.done(TEXT)), tones(SENTENCES))


@pytest.mark.parametrize("error", [SynthesisFailedError("No."), UnpronounceableError("No.")])
async def test_a_sentence_that_no_engine_speaks_is_left_out_with_a_note(
    tmp_path: Path, error: SynthesisFailedError
) -> None:
    class Choosy(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            if "câu 1" in request.text[0]:  # type: ignore[index]
                raise error
            async for chunk in super().stream(request):
                yield chunk

    async with job_rig(Choosy(), tmp_path) as rig:
        job = await rig.done(TEXT)
        assert same(rig.heard(job), tones([SENTENCES[0], *SENTENCES[2:]]))
        [note] = job.notes
        assert (note.kind, note.line, note.text) == (NoteKind.LEFT_OUT, 1, SENTENCES[1])
        assert note.problem is not None
        assert note.problem.code == error.code
        assert SENTENCES[1] not in rig.queue.subtitles(job.id).read_text()


@pytest.mark.parametrize("raises", [True, False])
async def test_sentences_that_nobody_can_pronounce_do_not_stop_a_job(
    tmp_path: Path, *, raises: bool
) -> None:
    class Mute(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            sayable = isinstance(request.text, tuple | str) and sentences[-1] in request.text
            if raises and not sayable:
                raise UnpronounceableError("No sounds.")
            async for chunk in super().stream(request):
                if sayable or chunk.final:
                    yield chunk

    sentences = numbered(8)
    backend = Mute()
    async with job_rig(backend, tmp_path, max_tries=2, max_left_out=2) as rig:
        job = await rig.done(" ".join(sentences))
        assert same(rig.heard(job), tones(sentences[-1:]))
        assert {note.problem.code for note in job.notes if note.problem} == {"unpronounceable"}
        assert len(job.notes) == 7


async def test_a_sentence_unpronounceable_here_does_not_wait_for_a_backend_that_is_away(
    tmp_path: Path,
) -> None:
    class HalfAway(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            if SENTENCES[1] in cast("tuple[str, ...]", request.text):
                away, mute = BackendNotLoadedError("Away."), UnpronounceableError("No sounds.")
                raise AllBackendsFailedError("No backend.", causes=(away, mute))
            async for chunk in super().stream(request):
                yield chunk

    async with asyncio.timeout(20), job_rig(HalfAway(), tmp_path) as rig:
        job = await rig.done(TEXT)
        assert same(rig.heard(job), tones([SENTENCES[0], *SENTENCES[2:]]))
        assert [note.kind for note in job.notes] == [NoteKind.LEFT_OUT]


async def test_an_engine_that_fails_at_every_sentence_loses_none(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(error=SynthesisFailedError("It is broken."))
    sentences = numbered(8)
    async with job_rig(backend, tmp_path, max_tries=2, max_left_out=2) as rig:
        job = await rig.submit(" ".join(sentences))
        for _ in range(400):
            await rig.clock.advance(5)
            await asyncio.sleep(0.001)
        assert rig.queue.get(job.id).n_done == 2, "then it is the engine, and the job waits"
        backend.always = ScriptStep()
        done = await rig.ended(job)
        assert same(rig.heard(done), tones(sentences)), "the first two were tried again at the end"
        assert done.notes == ()


async def test_lines_with_nothing_to_say_are_noted(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done(f"{SENTENCES[0]}\n\n* * *\n\n{SENTENCES[1]}")
        assert same(rig.heard(job), tones(SENTENCES[:2]))
        assert [(n.kind, n.line, n.text) for n in job.notes] == [(NoteKind.LEFT_OUT, 3, "* * *")]
        with pytest.raises(EmptyTextError):
            await rig.submit("* * *\n\n…")


async def test_an_unknown_voice_fails_the_job_and_a_retry_goes_on(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    text = "Lan: Đây là câu 0.\nMinh: Đây là câu 1."
    async with job_rig(backend, tmp_path) as rig:
        voices = {"Lan": "vi-tone", "Minh": "missing"}
        job = await rig.submit(text, kind=ScriptKind.DIALOGUE, voices=voices)
        failed = await rig.ended(job)
        assert failed.state is JobState.FAILED
        assert failed.problem is not None
        assert failed.problem.code == "voice_not_found"
        with pytest.raises(JobNotDoneError):
            rig.queue.audio(job.id)

        backend.add_voice(Voice("missing", "Minh", "vi"))
        await rig.queue.retry(job.id)
        done = await rig.ended(job)
        assert same(rig.heard(done), tones(SENTENCES[:2]))
        with pytest.raises(JobNotDoneError):
            await rig.queue.retry(job.id)
    assert backend.record.finished == SENTENCES[:2], "the first was not spoken again"


async def test_a_voice_that_goes_away_midway_is_waited_for(tmp_path: Path) -> None:
    away = asyncio.Event()
    steps = [ScriptStep(), ScriptStep(hold=away)]
    backend = ScriptedBackend(steps, voices=(Voice("a", "A", "vi"),))
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(" ".join(SENTENCES[:3]), voice="a")
        await until(lambda: len(backend.record.requests) == 2)
        backend._voices = (Voice("b", "B", "vi"),)
        away.set()
        await rig.reached(job, JobState.PAUSED)
        backend.add_voice(Voice("a", "A", "vi"))
        assert same(rig.heard(await rig.ended(job)), tones(SENTENCES[:3]))


class FullDisk:
    """A disk on which files of some names cannot be written until ``full`` is unset."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.full = True
        self._name = name
        self._part = _WholeWrites.write
        monkeypatch.setattr(f"{JobStore.__module__}.write_atomic", self._write_atomic)
        disk = self

        def write(file: _WholeWrites, data: bytes) -> int:
            return disk._write_part(file, data)

        monkeypatch.setattr(_WholeWrites, "write", write)

    def _check(self, name: str) -> None:
        if self.full and self._name in name:
            raise OSError(errno.ENOSPC, "No space left on device")

    def _write_atomic(self, path: Path, data: bytes | str, *, mode: int) -> None:
        self._check(path.name)
        write_atomic(path, data, mode=mode)

    def _write_part(self, file: _WholeWrites, data: bytes) -> int:
        self._check(str(file.name))
        return self._part(file, data)


@pytest.mark.parametrize("name", ["000002", ".part", "speech.srt"])
@pytest.mark.parametrize("fmt", [AudioFormat.WAV, AudioFormat.MP3, AudioFormat.OGG])
async def test_a_full_disk_pauses_a_job_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fmt: AudioFormat
) -> None:
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path) as rig:
        disk = FullDisk(monkeypatch, name)
        job = await rig.submit(TEXT, format=fmt)
        paused = await rig.reached(job, JobState.PAUSED)
        assert paused.problem is not None
        assert paused.problem.code == "job_storage"
        assert "No space left on device" in paused.problem.detail
        assert str(tmp_path) not in paused.problem.detail
        disk.full = False
        assert same(rig.heard(await rig.ended(job)), tones(SENTENCES))
    assert backend.record.finished == SENTENCES, "no sentence was spoken twice"


async def test_a_job_can_be_cancelled_and_removed_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        disk = FullDisk(monkeypatch, "000002")
        job = await rig.submit(TEXT)
        await rig.reached(job, JobState.PAUSED)
        disk._name = ""  # now nothing can be written
        with pytest.raises(JobStorageError):
            await rig.submit(TEXT)
        assert (await rig.queue.cancel(job.id)).state is JobState.CANCELLED
        await rig.queue.remove(job.id)
        assert names_in(tmp_path) == [".lock"]
