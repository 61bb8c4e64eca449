"""``vieneu cache``: the cache of finished speech, described and emptied."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from vieneu_core.cache_builder import build_cache, cache_folder
from vieneu_core.cli.console import (
    ConfigOption,
    JsonOption,
    LangOption,
    Terminal,
    facts_table,
    terminal_in_group,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.config import Settings, cache_dir

if TYPE_CHECKING:
    from vieneu_core.speech_cache import SpeechCache

app = typer.Typer()
cache = typer.Typer()
app.add_typer(cache, name="cache")


@cache.callback(invoke_without_command=True)
def cache_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Describe the cache where no other command follows."""
    if context.invoked_subcommand is None:
        run_command(show_cache(terminal_of(config, lang), as_json=as_json))


async def show_cache(terminal: Terminal, *, as_json: bool) -> None:
    """Show where the cache is, what it holds, and how often it was of use.

    Raises:
        ConfigurationError: the settings are wrong, or the cache cannot be used.
    """
    settings = terminal.settings()
    async with _opened(terminal, settings) as speech:
        stored = await speech.count()
    folder = str(cache_folder(settings, cache_dir=cache_dir(terminal.environ)))
    enabled, max_bytes = settings.cache.enabled, settings.cache.max_bytes
    if as_json:
        about = {"enabled": enabled, "folder": folder, "max_bytes": max_bytes}
        terminal.print_json(about | dataclasses.asdict(stored))
        return
    messages = terminal.messages
    used, most = (messages.number(n_bytes / 1e6, 1) for n_bytes in (stored.bytes, max_bytes))
    tried = stored.hits + stored.misses
    table = facts_table()
    table.add_row(messages("cache"), messages("cache_on" if enabled else "cache_off"))
    table.add_row(messages("cache_folder"), Text(plain(folder)))
    table.add_row(messages("cache_entries"), messages.number(stored.entries))
    table.add_row(messages("size"), f"{used} / {most} MB")
    rate = f"{messages.number(100 * stored.hit_rate)} %" if tried else "-"
    table.add_row(messages("cache_hit_rate"), rate)
    terminal.out.print(table)


@cache.command("clear")
def clear_command(
    context: typer.Context, config: ConfigOption = None, lang: LangOption = None
) -> None:
    """Empty the cache."""
    run_command(clear_cache(terminal_in_group(context, config, lang)))


async def clear_cache(terminal: Terminal) -> None:
    """Remove all speech that is stored, whether the cache is on or off.

    Raises:
        ConfigurationError: the settings are wrong, or the cache cannot be used.
    """
    async with _opened(terminal, terminal.settings()) as speech:
        await speech.clear()
    terminal.print(terminal.messages("cache_cleared"))


def _opened(
    terminal: Terminal, settings: Settings
) -> AbstractAsyncContextManager[SpeechCache, None]:
    return aclosing(build_cache(settings, cache_dir=cache_dir(terminal.environ)))
