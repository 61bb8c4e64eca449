"""Statistics of a stream of speech: timings, and the speaker of each sentence."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.clock import Clock
from vieneu_core.errors import CircuitOpenError
from vieneu_core.i18n import Messages
from vieneu_core.router import ErrorReport, RouterEvent, SpokenByFallback


@dataclass(slots=True)
class SynthesisStats:
    """Counts and times of one stream. Times are in seconds."""

    clock: Clock
    on_chunk: Callable[[SynthesisStats], None]
    """Called after every chunk."""
    load_s: float = 0.0
    first_audio_s: float | None = None
    synthesis_s: float = 0.0
    """Time spent waiting for speech, without the time for playing it."""
    audio_s: float = 0.0
    lengths_s: dict[int, float] = field(default_factory=dict)
    speakers: dict[int, Speaker] = field(default_factory=dict)
    causes: dict[int, ErrorReport] = field(default_factory=dict)
    last_error: ErrorReport | None = None
    """The selected backend's last failure, as of the end of the speech."""

    @property
    def real_time_factor(self) -> float:
        """Synthesis time divided by the length of the audio."""
        return self.synthesis_s / self.audio_s if self.audio_s else 0.0

    @property
    def skipped(self) -> list[int]:
        """Sentences without audio: no backend can pronounce them."""
        return [sentence for sentence, seconds in sorted(self.lengths_s.items()) if not seconds]

    def why(self, sentences: list[int]) -> ErrorReport | None:
        """Return why a fallback spoke these sentences: the failure that opened the circuit."""
        cause = next((self.causes[n] for n in sentences if n in self.causes), None)
        left_alone = cause is None or cause.code == CircuitOpenError.code
        return self.last_error or cause if left_alone else cause

    def on_event(self, event: RouterEvent) -> None:
        """Record why a fallback spoke."""
        if isinstance(event, SpokenByFallback) and event.cause is not None:
            self.causes[event.sentence] = event.cause

    async def counted(
        self, chunks: AsyncGenerator[AudioChunk, None]
    ) -> AsyncGenerator[AudioChunk, None]:
        """Pass a stream on and count it."""
        waiting_since = self.clock.monotonic()
        async with aclosing(chunks):
            async for chunk in chunks:
                self.synthesis_s += self.clock.monotonic() - waiting_since
                self._count(chunk)
                yield chunk
                waiting_since = self.clock.monotonic()

    def _count(self, chunk: AudioChunk) -> None:
        if chunk.pcm and self.first_audio_s is None:
            self.first_audio_s = self.synthesis_s
        if chunk.restarted:  # the interrupted part does not count
            self.audio_s -= self.lengths_s.pop(chunk.sentence, 0.0)
        self.audio_s += chunk.seconds
        self.lengths_s[chunk.sentence] = self.lengths_s.get(chunk.sentence, 0.0) + chunk.seconds
        self.speakers[chunk.sentence] = chunk.speaker
        self.on_chunk(self)


def in_runs(sentences: list[int]) -> str:
    """Format sentence indices, counted from 1, as ranges: ``2, 5–9``."""  # noqa: RUF002 - a range
    runs: list[list[int]] = []
    for n in sentences:
        if runs and n == runs[-1][-1] + 1:
            runs[-1][1:] = [n]
        else:
            runs.append([n])
    return ", ".join("\N{EN DASH}".join(str(n + 1) for n in run) for run in runs)


def which_sentences(messages: Messages, sentences: list[int]) -> str:
    """Return "sentence 2" or "sentences 2-4" in the language of messages."""
    key = "one_sentence" if len(sentences) == 1 else "some_sentences"
    return messages(key, numbers=in_runs(sentences))
