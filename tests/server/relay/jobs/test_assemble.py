"""Joined speech: what is heard when, and what the subtitles say of it."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from job_rig import RATE_HZ, JobRig, job_rig, numbered, samples_of, tones
from tone_engine import heard, same

from vieneu_colab_server.relay.jobs.job import Job, JobFormat, JobState, NoteKind
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.testing.tone import GAP_S

FRAME_S = 0.005
Cues = list[tuple[float, float, str]]


def cues_of(path: Path) -> Cues:
    """Read an .srt as FFmpeg does: start, end and text."""
    found = []
    with av.open(io.BytesIO(path.read_bytes()), "r", format="srt") as container:
        for packet in container.demux():
            if packet.pts is not None and packet.duration and packet.time_base is not None:
                start = float(packet.pts * packet.time_base)
                length = float(packet.duration * packet.time_base)
                found.append((start, start + length, bytes(packet).decode()))
    return found


def loud_runs(pcm: bytes) -> list[tuple[float, float]]:
    """Return start and end of each tone, in seconds, exact to a frame."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    n = round(FRAME_S * RATE_HZ)
    frames = samples[: len(samples) // n * n].reshape(-1, n)
    loud = (np.sqrt(np.mean(frames**2, axis=1)) > 0.02 * 32767).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud, [0]])))
    return [(a * FRAME_S, b * FRAME_S) for a, b in edges.reshape(-1, 2) if b - a > 2]


def result(rig: JobRig, job: Job) -> tuple[bytes, Cues]:
    return samples_of(rig.queue.audio(job.id)), cues_of(rig.queue.subtitles(job.id))


def srt(*cues: tuple[float, float, str]) -> str:
    def time(seconds: float) -> str:
        minutes, rest = divmod(round(seconds * 1000), 60_000)
        return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"

    return "".join(
        f"{n}\n{time(a)} --> {time(b)}\n{text}\n\n" for n, (a, b, text) in enumerate(cues, 1)
    )


@pytest.mark.parametrize("fmt", get_args(JobFormat))
async def test_subtitles_are_where_the_sentences_are_heard(
    tmp_path: Path, fmt: AudioFormat
) -> None:
    sentences = numbered(8)
    text = "\n\n".join(" ".join(sentences[n : n + 2]) for n in range(0, 8, 2))
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        pcm, cues = result(rig, await rig.done(text, format=fmt))
    runs = loud_runs(pcm)
    assert [text for _, _, text in cues] == sentences
    for (start, end, _), (begun, over) in zip(cues, runs, strict=True):
        assert start + GAP_S == pytest.approx(begun, abs=1.5 * FRAME_S)
        assert end - GAP_S == pytest.approx(over, abs=1.5 * FRAME_S)


async def test_pauses_are_those_that_are_heard(tmp_path: Path) -> None:
    one, two, three, four = numbered(4)
    text = f"Lan: {one} {two}\nMinh: {three}\nMinh: {four}"
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        voices = dict.fromkeys(("Lan", "Minh"), "vi-tone")
        pcm, _ = result(rig, await rig.done(text, kind=ScriptKind.DIALOGUE, voices=voices))
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(loud_runs(pcm))]
    assert pauses == pytest.approx([0.3, 0.5, 0.8], abs=0.025)


async def test_subtitles_are_spoken_at_their_times(tmp_path: Path) -> None:
    sentences = numbered(3)
    text = srt(*[(at, at + 2, s) for at, s in zip((2.0, 5.5, 71.25), sentences, strict=True)])
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done(text, kind=ScriptKind.SRT)
        pcm, cues = result(rig, job)
    assert same(heard(pcm, RATE_HZ), tones(sentences))
    assert [start for start, _, _ in cues] == [2.0, 5.5, 71.25]
    starts = [begun - GAP_S for begun, _ in loud_runs(pcm)]
    assert starts == pytest.approx([2.0, 5.5, 71.25], abs=1.5 * FRAME_S)
    assert job.notes == ()


async def test_speech_that_is_too_long_is_sped_up_within_limits_else_later(
    tmp_path: Path,
) -> None:
    sentences = numbered(4)  # each of 0.84 s or so, its silence included
    [tone] = tones(sentences[:1])
    length = tone.seconds + 2 * GAP_S
    starts = [0.0, length / 1.25 + 0.3, length / 1.25 + 0.4, 20.0]
    text = srt(*[(at, at + 0.4, s) for at, s in zip(starts, sentences, strict=True)])
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done(text, kind=ScriptKind.SRT)
        pcm, cues = result(rig, job)

    own = zip(tones(sentences), heard(pcm, RATE_HZ), strict=True)
    speeds = [one.seconds / spoken.seconds for one, spoken in own]
    assert speeds == pytest.approx([1.25, 1.5, 1.0, 1.0], rel=0.07)
    assert cues[1][0] == pytest.approx(starts[1], abs=0.05)
    assert cues[3][0] == 20.0, "later ones are in time again"
    notes = {(note.kind, note.text): note for note in job.notes}
    assert notes[NoteKind.FASTER, sentences[0]].speed == pytest.approx(1.25, abs=0.02)
    assert notes[NoteKind.FASTER, sentences[1]].speed == 1.5
    late_s = notes[NoteKind.LATE, sentences[2]].late_s
    assert late_s == pytest.approx(cues[2][0] - starts[2], abs=0.02)
    assert len(notes) == 3


async def test_overlapping_subtitles_are_said_one_after_the_other(tmp_path: Path) -> None:
    sentences = numbered(3)
    text = srt(*[(1.0, 9.0, s) for s in sentences])
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done(text, kind=ScriptKind.SRT)
        pcm, cues = result(rig, job)
    assert [one.hz for one in heard(pcm, RATE_HZ)] == [one.hz for one in tones(sentences)]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(cues))
    assert [note.kind for note in job.notes].count(NoteKind.LATE) == 2


class ChangingBackend(ScriptedBackend):
    """Another backend for every other sentence: of another rate, and softer."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        second = len(self.record.requests) % 2 == 1
        self.engine, self.sample_rate_hz = ("other", 16_000) if second else ("scripted", 24_000)
        async for chunk in super().stream(request):
            pcm = np.frombuffer(chunk.pcm, dtype="<i2") // (4 if second else 1)
            yield AudioChunk(
                pcm.astype("<i2").tobytes(),
                chunk.sample_rate_hz,
                chunk.sentence,
                chunk.speaker,
                final=chunk.final,
            )


async def test_backends_that_differ_are_joined_evenly(tmp_path: Path) -> None:
    sentences = numbered(7)
    async with job_rig(ChangingBackend(), tmp_path) as rig:
        job = await rig.done(" ".join(sentences))
        pcm = samples_of(rig.queue.audio(job.id))
        with av.open(str(rig.queue.audio(job.id))) as container:
            assert container.streams.audio[0].rate == 24_000, "of most of the speech"
    assert same(heard(pcm, RATE_HZ), tones(sentences))
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    levels = [
        np.sqrt(np.mean(samples[round(a * RATE_HZ) : round(b * RATE_HZ)] ** 2))
        for a, b in loud_runs(pcm)
    ]
    assert max(levels) / min(levels) < 1.1, "they differed by a factor of 4"


async def test_an_hour_of_silence_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    text = srt((0.0, 1.0, "Đây là câu 1."), (3600.0, 3601.0, "Đây là câu 2."))
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        tracemalloc.start()
        try:
            job = await rig.done(text, kind=ScriptKind.SRT, format=AudioFormat.FLAC)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert job.seconds == pytest.approx(3600.7, abs=0.5)
    assert peak < 30e6, "its samples would take 172 MB"


async def test_what_would_not_fit_into_a_wav_file_is_refused(tmp_path: Path) -> None:
    backend = ScriptedBackend(sample_rate_hz=192_000)
    text = srt((0.0, 1.0, "Một."), (11.9 * 3600, 11.9 * 3600 + 1, "Hai."))
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.ended(await rig.submit(text, kind=ScriptKind.SRT))
        assert job.state is JobState.FAILED
        assert job.problem is not None
        assert "too long for one WAV file" in job.problem.detail


async def test_a_result_for_which_there_is_no_room_waits(tmp_path: Path) -> None:
    text = srt((0.0, 1.0, "Một."), (3600.0, 3601.0, "Hai."))
    async with job_rig(ScriptedBackend(), tmp_path, max_total_bytes=10**7) as rig:
        job = await rig.submit(text, kind=ScriptKind.SRT)
        paused = await rig.reached(job, JobState.PAUSED)
        assert paused.problem is not None
        assert paused.problem.code == "job_storage"
        assert rig.queue.get(job.id).n_done == 2


async def test_an_arrow_in_the_text_does_not_break_the_subtitles(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done("Từ A --> B là câu 1.")
        _, cues = result(rig, job)
    assert [text for _, _, text in cues] == ["Từ A → B là câu 1."]
