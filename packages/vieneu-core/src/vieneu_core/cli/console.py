"""Terminal, language and settings of a command, and the options for them."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vieneu_core.builder import build_router
from vieneu_core.cache_builder import build_cached
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.exit_codes import ExitCode
from vieneu_core.cli.language import LANGUAGES, choose_language, known_language
from vieneu_core.config import (
    EMBEDDED_ENGINE,
    Settings,
    cache_dir,
    load_settings,
    settings_path,
    state_dir,
    voices_dir,
)
from vieneu_core.i18n import Messages
from vieneu_core.router import Router

if TYPE_CHECKING:
    from vieneu_core.speech_cache import CachedBackend


ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE")]
LangOption = Annotated[
    str | None,
    typer.Option("--lang", metavar=LANGUAGES, parser=known_language),
]
JsonOption = Annotated[bool, typer.Option("--json")]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """End with our own exit code; both rich and typer would use 1."""
        raise typer.Exit(ExitCode.READER_GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Output, language and settings of one command."""

    messages: Messages
    out: Console
    """Standard output for results; plain text unless it is a terminal."""
    err: Console
    """Standard error for everything else: progress, notes, errors."""
    environ: Mapping[str, str]
    config: Path | None = None
    """The settings file given with ``--config``."""

    @property
    def path(self) -> Path:
        """The settings file."""
        return self.config if self.config is not None else settings_path(self.environ)

    def settings(self) -> Settings:
        """Read the settings; a file given with ``--config`` must exist.

        Raises:
            ConfigurationError: they are invalid.
        """
        return load_settings(self.path, self.environ, must_exist=self.config is not None)

    def check_named_settings(self) -> None:
        """Check that the file given with ``--config``, if any, exists and is valid.

        Raises:
            ConfigurationError: it is missing or invalid.
        """
        if self.config is not None:
            self.settings()

    @asynccontextmanager
    async def router(
        self, settings: Settings, *, starts_all: bool = False
    ) -> AsyncGenerator[Router, None]:
        """Yield a router of these settings, not yet loaded; it is always closed at the end.

        Unlike a service, a command may end before a download in the background would, so the start
        waits for the embedded neural voice. Unless it ``starts_all``, that voice starts once
        where it is selected, and a second time, as the last resort, if it is needed or a second
        has passed.
        """
        local = settings.local
        if local.engine == EMBEDDED_ENGINE:
            waiting = {"options": {"fetch": "wait", **local.options}}
            settings = settings.model_copy(update={"local": local.model_copy(update=waiting)})
        router = build_router(
            settings,
            state_dir=state_dir(self.environ),
            voices_dir=voices_dir(self.environ),
            last_resort_on_demand=not starts_all,
        )
        try:
            yield router
        finally:
            await router.aclose()

    def cached(self, settings: Settings, router: Router) -> CachedBackend | None:
        """Put the speech cache before a router; None where the settings want none.

        Raises:
            MissingExtraError: it is not installed.
        """
        return build_cached(
            settings,
            router,
            cache_dir=cache_dir(self.environ),
            voices_dir=voices_dir(self.environ),
        )

    def note(self, text: str) -> None:
        """Print one line on standard error."""
        self.err.print(Text(f"vieneu: {plain(text)}"), soft_wrap=True, style="yellow")

    def print(self, text: str) -> None:
        """Print one line of the result."""
        self.out.print(Text(plain(text)), soft_wrap=True)

    def print_json(self, value: object) -> None:
        """Print one line of JSON."""
        self.out.print(Text(json.dumps(value, ensure_ascii=False)), soft_wrap=True)


def terminal_of(config: Path | None, lang: str | None) -> Terminal:
    """Return the terminal of a command.

    Args:
        config: The settings file given with ``--config``.
        lang: The language given with ``--lang``; None means that of the locale.
    """
    language = lang or choose_language((), os.environ)
    return Terminal(
        messages=Messages(language, "cli"),
        out=_Console(highlight=False),
        err=_Console(stderr=True, highlight=False),
        environ=os.environ,
        config=config,
    )


def terminal_in_group(context: typer.Context, config: Path | None, lang: str | None) -> Terminal:
    """Return the terminal of a command in a group; options may precede the command's name too."""
    group = context.parent.params if context.parent is not None else {}
    return terminal_of(config or group.get("config"), lang or group.get("lang"))


def facts_table() -> Table:
    """Return an empty table of two columns, name and value, without lines."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
