"""``vieneu doctor`` and ``vieneu test``: diagnosis of this machine and its backends."""

from __future__ import annotations

import asyncio

import typer
from rich.table import Table
from rich.text import Text

from vieneu_core.backends.base import BackendState
from vieneu_core.cli.backends import load_all, note_missing_voice
from vieneu_core.cli.console import ConfigOption, LangOption, Terminal, terminal_of
from vieneu_core.cli.error_messages import error_line, error_title, plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.exit_codes import ExitCode
from vieneu_core.clock import SystemClock
from vieneu_core.config import voices_dir
from vieneu_core.doctor import (
    Finding,
    Level,
    examine_backends,
    examine_engines,
    examine_installation,
    examine_settings,
)
from vieneu_core.errors import AllBackendsFailedError, BackendError
from vieneu_core.router import BackendStatus, Router
from vieneu_core.voices.catalogue import VoiceCatalogue

_MARKS = {Level.OK: ("✓", "green"), Level.NOTE: ("·", "yellow"), Level.PROBLEM: ("✗", "red")}


app = typer.Typer()


@app.command("test")
def try_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Speak one short sentence on each backend that is ready."""
    run_command(try_backends(terminal_of(config, lang)))


@app.command("doctor")
def doctor_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Show all findings; exit with an error if one is a problem."""
    if not run_command(examine(terminal_of(config, lang))):
        raise typer.Exit(ExitCode.CONFIGURATION)


async def try_backends(terminal: Terminal) -> None:
    """Speak one short sentence on each ready backend, and show the timings.

    Raises:
        BackendError: a ready backend could not speak, or none is ready.
    """
    messages = terminal.messages
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("", style="bold", no_wrap=True)
    for key in ("result", "voice", "synthesis", "audio", "rtf"):
        table.add_column(messages(key), no_wrap=True)
    failures: list[BackendError] = []
    spoke = 0
    async with terminal.router(terminal.settings(), starts_all=True) as router:
        await load_all(router)
        for backend in router.status().backends:
            if backend.state is BackendState.NOT_CONFIGURED:
                continue
            try:
                cells = await _try(terminal, router, backend)
                spoke += backend.state.ready
            except BackendError as err:
                failures.append(err)
                name = error_title(err.code, err.title, messages.language)
                cells = [Text(plain(name), style="red"), *[Text("-")] * 4]
            table.add_row(messages(f"backend_{backend.name}"), *cells)
        terminal.out.print(table)
        note_missing_voice(terminal, router.status())
    if failures:
        raise failures[0] if len(failures) == 1 else _none(failures)
    if not spoke:
        raise _none(failures)


async def examine(terminal: Terminal) -> bool:
    """Show all findings; return True if nothing is a problem."""
    settings, about_settings = await asyncio.to_thread(
        examine_settings,
        terminal.path,
        terminal.environ,
        must_exist=terminal.config is not None,
    )
    engines = await asyncio.to_thread(examine_engines)
    findings = [*examine_installation(), *engines, *about_settings]
    if settings is not None:
        findings += await examine_backends(
            settings, voices=VoiceCatalogue(voices_dir(terminal.environ))
        )
    topics = [terminal.messages(f"topic_{finding.topic}") for finding in findings]
    for topic, finding in zip(topics, findings, strict=True):
        terminal.out.print(_row(terminal, topic.ljust(max(map(len, topics))), finding))
        if finding.command:
            # Never wrapped, so that it can be copied as a whole.
            command = Text(f"   → {plain(finding.command)}", style="cyan")
            terminal.out.print(command, soft_wrap=True)
    return all(finding.level is not Level.PROBLEM for finding in findings)


def _row(terminal: Terminal, topic: str, finding: Finding) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    mark, style = _MARKS[finding.level]
    table.add_row(Text(mark, style=style), topic, _description(terminal, finding))
    return table


async def _try(terminal: Terminal, router: Router, backend: BackendStatus) -> list[Text]:
    messages = terminal.messages
    if not backend.state.ready:
        state = messages(f"state_{backend.state}")
        return [Text(state, style="yellow"), *[Text("-")] * 4]
    clock = SystemClock()
    started = clock.monotonic()
    speech = await router.probe(backend.name)
    took_s = clock.monotonic() - started
    return [
        Text(messages("spoke"), style="green"),
        Text(plain(f"{speech.speakers[0].engine}/{speech.speakers[0].voice}")),
        Text(f"{messages.number(took_s, 3)} s"),
        Text(f"{messages.number(speech.seconds, 2)} s"),
        Text(messages.number(took_s / speech.seconds, 3)),
    ]


def _none(failures: list[BackendError]) -> AllBackendsFailedError:
    return AllBackendsFailedError("The test sentence was not spoken.", causes=tuple(failures))


def _description(terminal: Terminal, finding: Finding) -> Text:
    messages = terminal.messages
    parts = [plain(finding.fact)] if finding.fact else []
    if finding.error is not None:
        parts.append(error_line(finding.error, messages.language))
    elif finding.level is not Level.OK:
        key = "readable_settings" if finding.command.startswith("chmod") else None
        parts.append(messages(key or f"absent_{finding.topic}"))
    return Text(": ".join(parts))
