"""``vieneu say``: speaks a text to a file, a pipe or the loudspeaker."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from vieneu_core.audio.encode import AudioFormat
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.audio.silence import SILENT_ENGINE
from vieneu_core.backends.base import Backend
from vieneu_core.cli.backends import note_missing_voice, note_voice_download
from vieneu_core.cli.console import (
    ConfigOption,
    LangOption,
    Terminal,
    facts_table,
    terminal_of,
)
from vieneu_core.cli.error_messages import error_line, error_title, plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.progress_line import progress_line, who
from vieneu_core.cli.sinks import sink_for
from vieneu_core.cli.stats import SynthesisStats, which_sentences
from vieneu_core.cli.stdio import STANDARD, typed_text
from vieneu_core.clock import SystemClock
from vieneu_core.config import Settings
from vieneu_core.errors import (
    BackendNotConfiguredError,
    EmptyTextError,
    NothingToSayError,
    UnpronounceableError,
)
from vieneu_core.i18n import translated
from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest, new_request_id
from vieneu_core.text.clean import has_speech
from vieneu_core.text.encodings import argument_text
from vieneu_core.text.sentence_splitter import split_sentences
from vieneu_core.translatable import Translatable

app = typer.Typer()
_FILE = f"FILE.<{'|'.join(AudioFormat)}>"


@app.command("say")
def say_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    text: Annotated[str, typer.Argument()],
    output: Annotated[str | None, typer.Option("-o", "--output", metavar=_FILE)] = None,
    voice: Annotated[str | None, typer.Option()] = None,
    speed: Annotated[float, typer.Option(min=0.5, max=2.0)] = 1.0,
    mode: Annotated[Mode | None, typer.Option()] = None,
    language: Annotated[str, typer.Option()] = "vi",
    watermark: Annotated[bool, typer.Option("--watermark")] = False,
    stats: Annotated[bool, typer.Option("--stats")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Speak a text."""
    options = SayOptions(
        text=text,
        output=output,
        voice=voice,
        speed=speed,
        mode=mode.value if mode is not None else None,
        language=language,
        watermark=watermark,
        stats=stats,
    )
    run_command(say(terminal_of(config, lang), options))


@dataclass(frozen=True, slots=True, kw_only=True)
class SayOptions:
    """Options of ``vieneu say``."""

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
        """True if the text comes from standard input."""
        return self.text == STANDARD

    def request(self) -> SynthesisRequest:
        """Return the request.

        Raises:
            RequestError: the text is empty, or a value is out of its range.
            TextEncodingError: the text is in no known encoding.
        """
        text = "" if self.typed else argument_text(self.text, Translatable("The text"))
        if not self.typed:
            with suppress(NothingToSayError):
                split_sentences(text)
        return SynthesisRequest(
            text=typed_text() if self.typed else text,
            voice=self.voice,
            language=self.language,
            speed=self.speed,
            watermark=self.watermark,
        )

    def apply(self, settings: Settings) -> Settings:
        """Return the settings with the requested mode.

        Raises:
            BackendNotConfiguredError: there is no remote backend.
        """
        if self.mode is None:
            return settings
        if self.mode == "remote" and not settings.colab.enabled:
            raise BackendNotConfiguredError("No remote backend is set up.", backend="remote")
        return settings.model_copy(update={"backend_mode": self.mode})


async def say(terminal: Terminal, options: SayOptions) -> None:
    """Speak the text.

    Raises:
        VieneuError: the text could not be spoken completely; no incomplete file is left.
    """
    settings = options.apply(terminal.settings())
    request = options.request()
    sink = sink_for(options.output)
    clock = SystemClock()
    with progress_line(terminal, shown=not options.typed) as show:
        stats = SynthesisStats(clock, show)
        async with terminal.router(settings) as router, AsyncExitStack() as stack:
            cached = terminal.cached(settings, router)
            backend: Backend = cached or router
            stack.push_async_callback(backend.aclose)
            router.subscribe(stats.on_event)
            router.subscribe(show.on_event)
            started = clock.monotonic()
            await backend.load()
            stats.load_s = clock.monotonic() - started
            at_terminal = options.typed and sys.stdin.isatty()
            if at_terminal:
                terminal.note(terminal.messages("type_here"))
            speech = backend.stream(request)
            if at_terminal:
                speech = _by_lines(terminal, backend, request)
            async with aclosing(stats.counted(speech)) as chunks:
                await sink(chunks)
            status = router.status()
            chosen = status.backend(settings.mode)
            stats.last_error = chosen.last_error if chosen is not None else None
    if cached is not None and cached.cache.problem is not None:
        terminal.note(error_line(cached.cache.problem, terminal.messages.language))
    if options.voice is None:
        note_missing_voice(terminal, status, stats.speakers.values())
        await note_voice_download(terminal, settings, stats.speakers.values())
    _report(terminal, options, stats, settings.mode)


async def _by_lines(
    terminal: Terminal, backend: Backend, request: SynthesisRequest
) -> AsyncGenerator[AudioChunk, None]:
    """Speak text typed on a terminal line by line: Enter starts the speech of a line."""
    n_spoken = 0
    async with aclosing(typed_text()) as lines:
        async for text in lines:
            if not has_speech(text):
                continue
            line = replace(request, text=text, request_id=new_request_id())
            index = 0
            try:
                async with aclosing(backend.stream(line)) as chunks:
                    async for chunk in chunks:
                        index = chunk.sentence + 1
                        yield replace(chunk, sentence=n_spoken + chunk.sentence)
            except UnpronounceableError as error:  # the next line may be spoken
                terminal.note(error_line(error, terminal.messages.language))
            n_spoken += index


def _report(terminal: Terminal, options: SayOptions, stats: SynthesisStats, mode: str) -> None:
    """Print notes and statistics, apart from the audio."""
    messages = terminal.messages
    if not stats.speakers:
        raise EmptyTextError("The text holds nothing that can be spoken.")
    if all(speaker.engine == SILENT_ENGINE for speaker in stats.speakers.values()):
        terminal.note(messages("nothing_to_say"))
        return
    for line in _fallback_lines(terminal, stats, mode):
        terminal.note(line)
    if stats.skipped:
        terminal.note(messages("skipped", which=which_sentences(messages, stats.skipped)))
    if options.watermark and not all(s.watermarked for s in stats.speakers.values()):
        terminal.note(messages("not_watermarked"))
    if options.stats:
        terminal.err.print(_figures(terminal, stats), "", _sentences(terminal, stats))
    elif options.output not in {None, STANDARD} and terminal.err.is_terminal:
        seconds = messages.number(stats.audio_s, 1)
        terminal.err.print(
            Text(messages("written", path=plain(options.output), seconds=seconds)), soft_wrap=True
        )


def _fallback_lines(terminal: Terminal, stats: SynthesisStats, mode: str) -> Iterator[str]:
    """Yield a line for each fallback that spoke: which one, which sentences, and why."""
    messages = terminal.messages
    by_speaker: dict[Speaker, list[int]] = {}
    for sentence, speaker in sorted(stats.speakers.items()):
        if speaker.fallback and speaker.backend != mode:
            by_speaker.setdefault(speaker, []).append(sentence)
    for speaker, sentences in by_speaker.items():
        cause = stats.why(sentences)
        why = messages("not_ready")
        if cause is not None:
            why = error_title(cause.code, cause.title, messages.language)
            why = f"{why} ({translated(cause.detail, messages.language).rstrip('.')})"
        which = which_sentences(messages, sentences)
        if len(sentences) == len(stats.speakers):
            which = messages("all_sentences")
        yield messages("fallback_spoke", who=who(speaker), which=which, chosen=mode, why=why)


def _figures(terminal: Terminal, stats: SynthesisStats) -> Table:
    messages = terminal.messages
    table = facts_table()
    first = "-" if stats.first_audio_s is None else f"{messages.number(stats.first_audio_s, 3)} s"
    table.add_row(messages("load_time"), f"{messages.number(stats.load_s, 3)} s")
    table.add_row(messages("first_audio"), first)
    table.add_row(messages("audio_length"), f"{messages.number(stats.audio_s, 2)} s")
    table.add_row(messages("synthesis_time"), f"{messages.number(stats.synthesis_s, 3)} s")
    table.add_row(messages("real_time_factor"), messages.number(stats.real_time_factor, 4))
    return table


def _mark(terminal: Terminal, speaker: Speaker) -> Text:
    if speaker.fallback:
        return Text(terminal.messages("fallback"), style="yellow")
    return Text(terminal.messages("from_cache") if speaker.cached else "", style="green")


def _sentences(terminal: Terminal, stats: SynthesisStats) -> Table:
    messages = terminal.messages
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(messages("sentence"), justify="right", no_wrap=True)
    table.add_column(messages("length"), justify="right", no_wrap=True)
    for key in ("backend", "engine", "voice"):
        table.add_column(messages(key), overflow="fold")
    table.add_column("")
    for sentence, speaker in sorted(stats.speakers.items()):
        table.add_row(
            str(sentence + 1),
            f"{messages.number(stats.lengths_s[sentence], 2)} s",
            *(Text(plain(part)) for part in (speaker.backend, speaker.engine, speaker.voice)),
            _mark(terminal, speaker),
        )
    return table
