"""``vieneu warm``: announcements prepared, so that they sound the same later, also offline."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from vieneu_core.cli.backends import note_missing_voice
from vieneu_core.cli.console import ConfigOption, LangOption, Terminal, terminal_of
from vieneu_core.cli.error_messages import error_line
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.exit_codes import ExitCode, exit_code
from vieneu_core.cli.stdio import STANDARD
from vieneu_core.config import FallbackSettings
from vieneu_core.errors import (
    BackendError,
    ConfigurationError,
    EmptyTextError,
    InvalidRequestError,
    NothingToSayError,
    RequestError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.preparer import Preparer
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.encodings import decode_text
from vieneu_core.translatable import Translatable

MAX_FILE_BYTES = 1 << 20
COMMENT = "#"

app = typer.Typer()


@app.command("warm")
def warm_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    file: Annotated[str, typer.Argument(metavar="FILE")],
    voice: Annotated[str | None, typer.Option()] = None,
    speed: Annotated[float, typer.Option(min=0.5, max=2.0)] = 1.0,
    language: Annotated[str, typer.Option()] = "vi",
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare announcements; fail where one could not be prepared."""
    manner = Manner(voice=voice, speed=speed, language=language)
    code = run_command(warm(terminal_of(config, lang), file, manner))
    if code is not ExitCode.OK:
        raise typer.Exit(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How all announcements are spoken."""

    voice: str | None
    speed: float
    language: str

    def request(self, text: str) -> SynthesisRequest:
        """Make the request for one of them.

        Raises:
            InvalidRequestError: a value is out of its range.
        """
        return SynthesisRequest(
            text=text, voice=self.voice, speed=self.speed, language=self.language
        )


@dataclass(slots=True)
class Outcome:
    """What became of the announcements."""

    prepared: int = 0
    present: int = 0
    silent: int = 0
    """Those with nothing to say."""
    failures: list[VieneuError] = field(default_factory=list)

    @property
    def code(self) -> ExitCode:
        """The exit code."""
        return exit_code(self.failures[0]) if self.failures else ExitCode.OK


async def warm(terminal: Terminal, file: str, manner: Manner) -> ExitCode:
    """Prepare the announcements of a file, one on each line; say of each failure why.

    Raises:
        ConfigurationError: the settings are wrong, or the cache is off or cannot be used.
        RequestError: the file cannot be read or holds nothing; or there is no such voice.
        BackendError: the chosen backend is not ready.
    """
    alone = {"fallback": FallbackSettings(enabled=False, order=())}
    settings = terminal.settings().model_copy(update=alone)
    async with terminal.router(settings) as router:
        cached = terminal.cached(settings, router)
        if cached is None:
            raise ConfigurationError(
                "The speech cache is off.", remedy="Set cache.enabled: true in the settings."
            )
        announcements = announcements_in(await asyncio.to_thread(_read, file), file)
        manner.request(file)  # wrong for all of them, where it is wrong
        async with aclosing(cached):
            await cached.load()
            await router.load_backend(settings.mode)
            if manner.voice is None:
                note_missing_voice(terminal, router.status())
            with _progress(terminal, len(announcements)) as progress:
                preparer = Preparer(cached, router)
                batch = _Batch(terminal, router, preparer, settings.mode, progress)
                outcome = await batch.prepare(announcements, manner)
    _report(terminal, outcome, len(announcements))
    return outcome.code


@dataclass(frozen=True, slots=True)
class _Batch:
    """Prepares one announcement after the other."""

    terminal: Terminal
    router: Router
    preparer: Preparer
    backend: str
    progress: Progress

    async def prepare(self, announcements: dict[int, str], manner: Manner) -> Outcome:
        """Prepare them; stop where the backend is lost."""
        outcome = Outcome()
        for number, text in announcements.items():
            try:
                spoken = await self.preparer.prepare(manner.request(text))
            except VoiceNotFoundError:
                raise  # for the next one too
            except NothingToSayError as error:  # it sounds the same without being prepared
                outcome.silent += 1
                self._note(number, error)
            except (RequestError, BackendError) as error:
                outcome.failures.append(error)
                self._note(number, error)
                if isinstance(error, BackendError) and not self._ready:
                    break
            else:
                outcome.prepared += spoken
                outcome.present += not spoken
            self.progress.advance(self.progress.task_ids[0])
        return outcome

    @property
    def _ready(self) -> bool:
        status = self.router.status().backend(self.backend)
        return status is not None and status.state.ready

    def _note(self, number: int, error: VieneuError) -> None:
        messages = self.terminal.messages
        reason = error_line(error, messages.language)
        self.terminal.note(messages("warm_failed", number=number, reason=reason))


def announcements_in(data: bytes, name: str) -> dict[int, str]:
    """Return the announcements of a file by the number of their line, from 1.

    Blank lines, and those that begin with ``#``, are left out.

    Raises:
        InvalidRequestError: it is too large.
        TextEncodingError: it is no text in a known encoding; names the byte.
        EmptyTextError: it has no announcement.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidRequestError(
            Translatable(
                "{name} is larger than {max_kib} KiB.", name=name, max_kib=MAX_FILE_BYTES >> 10
            ),
            remedy="Split the file.",
        )
    text = decode_text(data, name)
    lines = {number: line.strip() for number, line in enumerate(text.split("\n"), 1)}
    found = {n: line for n, line in lines.items() if line and not line.startswith(COMMENT)}
    if not found:
        raise EmptyTextError(
            Translatable("{name} holds no announcement.", name=name),
            remedy="Write one announcement on each line.",
        )
    return found


def _read(file: str) -> bytes:
    try:
        if file == STANDARD:
            return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        with Path(file).expanduser().open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:  # ~ of nobody; a name with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise InvalidRequestError(
            Translatable("{file} cannot be read: {reason}.", file=file, reason=reason),
            remedy="Check the path.",
        ) from error


@contextmanager
def _progress(terminal: Terminal, n_announcements: int) -> Iterator[Progress]:
    """Show how many are done, on a terminal only; nothing of it stays."""
    shown = terminal.err.is_terminal
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=terminal.err, transient=True, disable=not shown) as progress:
        progress.add_task(terminal.messages("warming"), total=n_announcements)
        yield progress


def _report(terminal: Terminal, outcome: Outcome, n_announcements: int) -> None:
    failed = len(outcome.failures)
    terminal.print(
        terminal.messages(
            "warmed", prepared=outcome.prepared, present=outcome.present, failed=failed
        )
    )
    tried = outcome.prepared + outcome.present + outcome.silent + failed
    untried = n_announcements - tried
    if untried:
        terminal.note(terminal.messages("warm_stopped", untried=untried))
