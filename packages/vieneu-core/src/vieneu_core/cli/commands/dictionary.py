"""``vieneu dictionary``: the user's dictionary, shown with its mistakes, and its entries edited."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from vieneu_core.cli.console import (
    ConfigOption,
    JsonOption,
    LangOption,
    Terminal,
    terminal_in_group,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.config import save_settings
from vieneu_core.errors import InvalidRequestError
from vieneu_core.i18n import translated
from vieneu_core.text import one_line
from vieneu_core.text.user_dictionary import UserDictionary, with_entry, without_entry
from vieneu_core.text.watched_dictionary_file import (
    content_of,
    path_of_dictionary,
    version_of,
    write_dictionary,
)
from vieneu_core.translatable import Translatable

app = typer.Typer()
dictionary = typer.Typer()
app.add_typer(dictionary, name="dictionary")


@dictionary.callback(invoke_without_command=True)
def dictionary_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Show the dictionary where no other command follows."""
    if context.invoked_subcommand is None:
        run_command(show_dictionary(terminal_of(config, lang), as_json=as_json))


async def show_dictionary(terminal: Terminal, *, as_json: bool) -> None:
    """Show the file and its entries, and name each line that is skipped.

    Raises:
        ConfigurationError: the settings are wrong, or the file cannot be read.
    """
    path, content = await _read(terminal)
    parsed = UserDictionary.parse(content)
    messages = terminal.messages
    if as_json:
        about = {"path": str(path), "entries": list(map(dataclasses.asdict, parsed.entries))}
        bad = [{"line": line.line, "reason": str(line.reason)} for line in parsed.bad_lines]
        terminal.print_json(about | {"bad_lines": bad})
        return
    terminal.print(messages("dictionary_file", path=str(path)))
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for key in ("dictionary_written", "dictionary_spoken"):
        table.add_column(messages(key), overflow="fold")
    for entry in parsed.entries:
        table.add_row(*(Text(plain(cell)) for cell in (entry.written, entry.spoken)))
    if parsed.entries:
        terminal.out.print(table)
    for line in parsed.bad_lines:
        reason = translated(line.reason, messages.language)
        terminal.note(messages("dictionary_skipped", line=line.line, reason=reason))


@dictionary.command("add")
def add_command(
    context: typer.Context,
    written: Annotated[str, typer.Argument()],
    spoken: Annotated[str, typer.Argument()],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Add an entry, or change it."""
    run_command(add_entry(terminal_in_group(context, config, lang), written, spoken))


async def add_entry(terminal: Terminal, written: str, spoken: str) -> None:
    """Put an entry into the file; make the file, and name it in the settings, if there is none.

    Raises:
        InvalidRequestError: the entry is wrong.
        ConfigurationError: the settings or the file cannot be read or written.
    """
    path, content = await _read(terminal)
    alone = UserDictionary.parse(with_entry("", written, spoken))
    if [entry.written for entry in alone.entries] != [one_line(written)]:
        reason = alone.bad_lines[0].reason if alone.bad_lines else _NOT_ONE_LINE
        raise InvalidRequestError(
            Translatable("The entry cannot be used: {reason}", reason=reason),
            remedy="Give the written form, then the spoken one, such as: Aqara 'a ca ra'",
        )
    changed = with_entry(content, written, spoken)
    await asyncio.to_thread(write_dictionary, path, changed, version=version_of(content))
    if terminal.settings().text.dictionary is None:
        changes = {"text.dictionary": str(path)}
        await asyncio.to_thread(save_settings, changes, terminal.path, terminal.environ)
    terminal.print(terminal.messages("dictionary_added", path=str(path)))


@dictionary.command("remove")
def remove_command(
    context: typer.Context,
    written: Annotated[str, typer.Argument()],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Remove an entry."""
    run_command(remove_entry(terminal_in_group(context, config, lang), written))


async def remove_entry(terminal: Terminal, written: str) -> None:
    """Take an entry out of the file.

    Raises:
        InvalidRequestError: there is no such entry.
        ConfigurationError: the settings or the file cannot be read or written.
    """
    path, content = await _read(terminal)
    changed = without_entry(content, written)
    if changed is None:
        raise InvalidRequestError(
            Translatable("{path} has no entry {written!r}.", path=path, written=written),
            remedy="See them with: vieneu dictionary",
        )
    await asyncio.to_thread(write_dictionary, path, changed, version=version_of(content))
    terminal.print(terminal.messages("dictionary_removed", path=str(path)))


_NOT_ONE_LINE = "It has a = or a # before the spoken form."


async def _read(terminal: Terminal) -> tuple[Path, str]:
    path = path_of_dictionary(terminal.settings().text.dictionary, terminal.path)
    return path, await asyncio.to_thread(content_of, path)
