"""From finished sentences to one file and its subtitles. One sentence at a time is in memory.

Voices and backends differ in rate and level: all get the rate that most of the speech has, and
each voice the same level. A subtitle that takes too long is sped up here, by the same filter that
serves `SynthesisRequest.speed`, so that it fits to the sample and is not synthesized twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vieneu_colab_server.relay.jobs.finished_sentence import FinishedSentence
from vieneu_colab_server.relay.jobs.folder import storage_error
from vieneu_colab_server.relay.jobs.job import Job, Note, NoteKind, excerpt
from vieneu_colab_server.relay.jobs.levels import Level, amplified, gain_of, silence
from vieneu_colab_server.relay.jobs.plan import Plan
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.srt_writer import SpokenCue, srt_of
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_colab_server.relay.jobs.timing import LATE_S, Group, groups_of, pause_before, speed_of
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.audio.file import write_file
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.tempo import TempoStretcher
from vieneu_core.errors import EmptyTextError, InvalidRequestError
from vieneu_core.files import replace_durably
from vieneu_core.synthesis import MAX_SPEED
from vieneu_core.threads import on_thread
from vieneu_core.translatable import Translatable

_BLOCK_S = 10
"""Longest run of silence that is encoded at once."""
_NOTABLE_SPEED = 1.01
_LONGEST_WAV_BYTES = 2**32 - 4096
_BYTES_PER_S = {AudioFormat.MP3: 9_000, AudioFormat.OGG: 6_000}
"""A little more than the encoders are set to; others are as large as their samples at most."""
_JOINED = Speaker(backend="jobs", engine="jobs", voice="jobs")


@dataclass(frozen=True, slots=True)
class Assembled:
    """What came of a job."""

    seconds: float
    n_bytes: int
    notes: tuple[Note, ...]


@dataclass(slots=True)
class Assembly:
    """Makes the files of one job.

    Args:
        job: The job.
        plan: Its sentences.
        spoken: What is known of each of them, all finished.
        store: Has their samples, and gets the files.
        settings: Pauses and limits.
        idle: Waits, between sentences, while the processor is needed for something else.
    """

    job: Job
    plan: Plan
    spoken: Mapping[int, FinishedSentence]
    store: JobStore
    settings: JobSettings
    idle: Callable[[], Awaitable[None]]
    _rate_hz: int = 0
    _gains: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _n_samples: int = 0
    _n_chunks: int = 0
    _previous: int | None = None
    _cues: list[SpokenCue] = field(default_factory=list)
    _notes: list[Note] = field(default_factory=list)

    async def write(self) -> Assembled:
        """Write the audio, then the subtitles.

        Raises:
            DamagedJobError: a sentence is not as it was written.
            EmptyTextError: all sentences were left out.
            InvalidRequestError: the speech is too long for the format.
            JobStorageError: there is no room, or a file cannot be read or written.
        """
        heard = [one for one in self.spoken.values() if one.n_samples]
        if not heard:
            raise EmptyTextError("Not one sentence of the text could be spoken.")
        self._rate_hz = _common_rate_hz(heard)
        self._gains = _gains_of(heard)
        self._note_what_was_spoken()
        self._check_room(heard)
        path = self.store.audio_path(self.job)
        n_bytes = await self._write_audio(path)
        await on_thread(self._write_subtitles)
        notes = sorted((*self.plan.left_out, *self._notes), key=lambda note: note.line)
        return Assembled(self._n_samples / self._rate_hz, n_bytes, tuple(notes))

    async def _write_audio(self, path: Path) -> int:
        draft = path.with_name(f".{path.name}.part")
        try:
            await write_file(self._chunks(), draft, self.job.spec.format)
        except InvalidRequestError as error:
            if isinstance(error.__cause__, OSError):
                raise storage_error(error.__cause__) from error
            raise
        try:
            await on_thread(replace_durably, draft, path)
            return (await on_thread(path.stat)).st_size
        except OSError as error:
            raise storage_error(error) from error

    def _write_subtitles(self) -> None:
        self.store.write_subtitles(self.job.id, srt_of(self._cues, self._rate_hz))

    async def _chunks(self) -> AsyncGenerator[AudioChunk, None]:
        for group in groups_of(self.plan.sentences, self.spoken):
            pauses = [self._pause_before(index) for index in group.indices]
            start_s, speed = self._timed(group, pauses)
            for index, pause_s in zip(group.indices, pauses, strict=True):
                await self.idle()
                begin_s = self._n_samples / self._rate_hz + pause_s / speed
                first = index == group.indices[0]
                for chunk in self._silence_until(start_s if first else begin_s):
                    yield chunk
                pcm = await on_thread(self._samples, index, speed)
                begin = self._n_samples
                yield self._chunk(pcm)
                sentence = self.plan.sentences[index]
                cue = SpokenCue(begin, self._n_samples, sentence.text, sentence.speaker)
                self._cues.append(cue)

    def _pause_before(self, index: int) -> float:
        previous, self._previous = self._previous, index
        return pause_before(index, previous, self.plan.sentences, self.spoken, self.settings)

    def _timed(self, group: Group, pauses: list[float]) -> tuple[float, float]:
        """Return when a group starts, in seconds, and how much faster it is said."""
        start_s = self._n_samples / self._rate_hz + pauses[0]
        if group.start_s is None:
            return start_s, 1.0
        late_s = start_s - group.start_s
        start_s = max(start_s, group.start_s)
        natural_s = sum(self.spoken[index].seconds for index in group.indices) + sum(pauses[1:])
        fastest = max(1.0, MAX_SPEED / self.job.spec.speed)
        speed = min(speed_of(natural_s, start_s, group, self.settings), fastest)
        if late_s >= LATE_S:
            self._note(NoteKind.LATE, group.indices[0], late_s=round(late_s, 2))
        if speed > _NOTABLE_SPEED:
            self._note(NoteKind.FASTER, group.indices[0], speed=round(speed, 2))
        return start_s, speed

    def _silence_until(self, moment_s: float) -> Iterator[AudioChunk]:
        while (rest := round(moment_s * self._rate_hz) - self._n_samples) > 0:
            yield self._chunk(silence(min(rest, _BLOCK_S * self._rate_hz)))

    def _chunk(self, pcm: bytes) -> AudioChunk:
        chunk = AudioChunk(pcm, self._rate_hz, self._n_chunks, _JOINED, final=True)
        self._n_chunks += 1
        self._n_samples += chunk.n_samples
        return chunk

    def _samples(self, index: int, speed: float) -> bytes:
        """Return the samples of a sentence as they are in the result. Blocking."""
        spoken = self.spoken[index]
        pcm = amplified(self.store.samples(self.job.id, index), self._gains[spoken.speaker])
        resampler = Resampler(spoken.sample_rate_hz, self._rate_hz)
        pcm = resampler.push(pcm) + resampler.finish()
        stretcher = TempoStretcher(self._rate_hz, speed)
        return stretcher.push(pcm) + stretcher.finish()

    def _check_room(self, heard: list[FinishedSentence]) -> None:
        pauses_s = self.settings.paragraph_pause_s * len(self.plan.sentences)
        latest_s = max(sentence.start_s or 0.0 for sentence in self.plan.sentences)
        seconds = latest_s + pauses_s + sum(one.seconds for one in heard)
        n_pcm = self._rate_hz * BYTES_PER_SAMPLE
        n_bytes = round(seconds * _BYTES_PER_S.get(self.job.spec.format, n_pcm))
        if self.job.spec.format is AudioFormat.WAV and n_bytes > _LONGEST_WAV_BYTES:
            raise InvalidRequestError(
                Translatable(
                    "{hours:.1f} hours are too long for one WAV file.", hours=seconds / 3600
                ),
                remedy="Choose MP3 or OGG, or send the text in several parts.",
            )
        self.store.require_room(self.job.id, n_bytes)

    def _note_what_was_spoken(self) -> None:
        for index, spoken in sorted(self.spoken.items()):
            if spoken.problem is not None:
                self._note(NoteKind.LEFT_OUT, index)
            elif spoken.fallback:
                self._note(NoteKind.FALLBACK, index)

    def _note(
        self,
        kind: NoteKind,
        index: int,
        *,
        speed: float | None = None,
        late_s: float | None = None,
    ) -> None:
        sentence = self.plan.sentences[index]
        self._notes.append(
            Note(
                kind=kind,
                line=sentence.line,
                text=excerpt(sentence.text),
                problem=self.spoken[index].problem,
                speed=speed,
                late_s=late_s,
            )
        )


def _common_rate_hz(heard: list[FinishedSentence]) -> int:
    """Return the rate of most of the speech; of two, the higher one."""
    seconds: Counter[int] = Counter()
    for one in heard:
        seconds[one.sample_rate_hz] += round(one.seconds * 1000)
    return max(seconds, key=lambda rate_hz: (seconds[rate_hz], rate_hz))


def _gains_of(heard: list[FinishedSentence]) -> dict[tuple[str, str, str], float]:
    levels: defaultdict[tuple[str, str, str], list[Level]] = defaultdict(list)
    for one in heard:
        levels[one.speaker].append(one.level)
    return {speaker: gain_of(known) for speaker, known in levels.items()}
