"""``vieneu say``: text to a file, a pipe or the loudspeaker."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace

from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.cli.commands.status import loading_step, warn_of_missing_voice
from vieneu_core.cli.console import Terminal, facts_table, plain
from vieneu_core.cli.exit_codes import title
from vieneu_core.cli.sinks import STANDARD, sink_for
from vieneu_core.cli.stats import SynthesisStats, in_runs
from vieneu_core.cli.stdio import typed_text
from vieneu_core.clock import SystemClock
from vieneu_core.config import Settings
from vieneu_core.errors import BackendNotConfiguredError, EmptyTextError
from vieneu_core.router import BackendLoading, Router, RouterEvent
from vieneu_core.synthesis import SynthesisRequest, new_request_id
from vieneu_core.text.clean import has_speech
from vieneu_core.text.segment import split_sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class SayOptions:
    """What ``vieneu say`` was asked for."""

    text: str
    output: str | None = None
    voice: str | None = None
    speed: float = 1.0
    language: str = "vi"
    mode: str | None = None
    watermark: bool = False
    stats: bool = False

    @property
    def typed(self) -> bool:
        """True where the text comes from standard input."""
        return self.text == STANDARD

    def request(self) -> SynthesisRequest:
        """Make the request.

        Raises:
            RequestError: nothing in it can be spoken, or a value is out of its range.
        """
        if not self.typed:
            split_sentences(self.text)
        return SynthesisRequest(
            text=typed_text() if self.typed else self.text,
            voice=self.voice,
            language=self.language,
            speed=self.speed,
            watermark=self.watermark,
        )

    def apply(self, settings: Settings) -> Settings:
        """Return the settings with the mode that was asked for.

        Raises:
            BackendNotConfiguredError: there is no remote.
        """
        if self.mode is None:
            return settings
        if self.mode == "remote" and not settings.colab.enabled:
            raise BackendNotConfiguredError("No remote backend is set up.", backend="remote")
        return settings.model_copy(update={"backend_mode": self.mode})


async def say(terminal: Terminal, options: SayOptions) -> None:
    """Speak.

    Raises:
        VieneuError: nothing could be spoken, or not all of it; no half file is left.
    """
    settings = options.apply(terminal.settings())
    request = options.request()
    sink = sink_for(options.output)
    clock = SystemClock()
    with _progress(terminal, shown=not options.typed) as show:
        stats = SynthesisStats(clock, show)
        async with terminal.router(settings) as router:
            router.subscribe(stats.on_event)
            router.subscribe(show.on_event)
            started = clock.monotonic()
            await router.load()
            stats.load_s = clock.monotonic() - started
            at_terminal = options.typed and sys.stdin.isatty()
            if at_terminal:
                terminal.note(terminal.words("type_here"))
            speech = _by_lines(router, request) if at_terminal else router.stream(request)
            async with aclosing(stats.counted(speech)) as chunks:
                await sink(chunks)
            status = router.status()
            chosen = status.backend(settings.mode)
            stats.last_error = chosen.last_error if chosen is not None else None
    if options.voice is None:
        warn_of_missing_voice(terminal, status, stats.speakers.values())
    _tell(terminal, options, stats, settings.mode)


async def _by_lines(router: Router, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
    """Speak what is typed on a terminal line by line: Enter means that it shall be said now."""
    n_spoken = 0
    async with aclosing(typed_text()) as lines:
        async for text in lines:
            if not has_speech(text):
                continue
            line = replace(request, text=text, request_id=new_request_id())
            index = 0
            async with aclosing(router.stream(line)) as chunks:
                async for chunk in chunks:
                    index = chunk.sentence + 1
                    yield replace(chunk, sentence=n_spoken + chunk.sentence)
            n_spoken += index


def _who(speaker: Speaker) -> str:
    return plain(f"{speaker.backend}/{speaker.engine}/{speaker.voice}")


@contextmanager
def _progress(terminal: Terminal, *, shown: bool) -> Iterator[Progresser]:
    """Show how far the speech is, on a terminal only; nothing of it stays."""
    if not (shown and terminal.err.is_terminal):
        yield Progresser(None, terminal)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        yield Progresser(progress, terminal)


class Progresser:
    """Turns counts into the line of progress."""

    def __init__(self, progress: Progress | None, terminal: Terminal) -> None:
        self._progress = progress
        self._terminal, self._words = terminal, terminal.words
        self._speaks = False
        if progress is not None:
            self._task = progress.add_task(self._words("loading"), total=None)

    def on_event(self, event: RouterEvent) -> None:
        """Show how far a download has come, until there is speech."""
        if self._progress is not None and isinstance(event, BackendLoading) and not self._speaks:
            line = loading_step(self._terminal, event.progress)
            self._progress.update(self._task, description=plain(line))

    def __call__(self, stats: SynthesisStats) -> None:
        """Show the present counts."""
        if self._progress is None:
            return
        self._speaks = True
        number = max(stats.speakers)
        line = self._words(
            "speaking",
            n=number + 1,
            seconds=self._words.number(stats.audio_s, 1),
            who=_who(stats.speakers[number]),
        )
        self._progress.update(self._task, description=line)


def _tell(terminal: Terminal, options: SayOptions, stats: SynthesisStats, mode: str) -> None:
    """Tell afterwards what is worth knowing, all of it apart from the audio."""
    words = terminal.words
    if not stats.speakers:
        raise EmptyTextError("The text holds nothing that can be spoken.")
    for line in _fallback_lines(terminal, stats, mode):
        terminal.note(line)
    if options.watermark and not all(s.watermarked for s in stats.speakers.values()):
        terminal.note(words("not_watermarked"))
    if options.stats:
        terminal.err.print(_figures(terminal, stats), "", _sentences(terminal, stats))
    elif options.output not in {None, STANDARD} and terminal.err.is_terminal:
        seconds = words.number(stats.audio_s, 1)
        terminal.err.print(
            Text(words("written", path=plain(options.output), seconds=seconds)), soft_wrap=True
        )


def _fallback_lines(terminal: Terminal, stats: SynthesisStats, mode: str) -> Iterator[str]:
    """One line for each stand-in that spoke: who, what, in whose place, and why."""
    words = terminal.words
    by_speaker: dict[Speaker, list[int]] = {}
    for sentence, speaker in sorted(stats.speakers.items()):
        if speaker.fallback:
            by_speaker.setdefault(speaker, []).append(sentence)
    for speaker, sentences in by_speaker.items():
        cause = stats.why(sentences)
        why = words("not_ready")
        if cause is not None:
            why = title(cause.code, cause.title, words.language)
            why = f"{why} ({cause.detail.rstrip('.')})"
        every = len(sentences) == len(stats.speakers)
        some = words("some_sentences", numbers=in_runs(sentences))
        which = words("all_sentences") if every else some
        yield words("stand_in", who=_who(speaker), which=which, chosen=mode, why=why)


def _figures(terminal: Terminal, stats: SynthesisStats) -> Table:
    words = terminal.words
    table = facts_table()
    first = "-" if stats.first_audio_s is None else f"{words.number(stats.first_audio_s, 3)} s"
    table.add_row(words("load_time"), f"{words.number(stats.load_s, 3)} s")
    table.add_row(words("first_audio"), first)
    table.add_row(words("audio_length"), f"{words.number(stats.audio_s, 2)} s")
    table.add_row(words("making_time"), f"{words.number(stats.making_s, 3)} s")
    table.add_row(words("real_time_factor"), words.number(stats.real_time_factor, 4))
    return table


def _sentences(terminal: Terminal, stats: SynthesisStats) -> Table:
    words = terminal.words
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(words("sentence"), justify="right", no_wrap=True)
    table.add_column(words("length"), justify="right", no_wrap=True)
    for key in ("spoken_by", "engine", "voice"):
        table.add_column(words(key), overflow="fold")
    table.add_column("")
    for sentence, speaker in sorted(stats.speakers.items()):
        table.add_row(
            str(sentence + 1),
            f"{words.number(stats.lengths_s[sentence], 2)} s",
            *(Text(plain(part)) for part in (speaker.backend, speaker.engine, speaker.voice)),
            Text(words("stand_in_mark") if speaker.fallback else "", style="yellow"),
        )
    return table
