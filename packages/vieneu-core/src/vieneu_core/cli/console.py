"""What every command is given: where to print, in which language, and which settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vieneu_core.builder import build_router
from vieneu_core.cli.words import Words
from vieneu_core.config import Settings, load_settings, settings_path, state_dir, voices_dir
from vieneu_core.router import Router


def plain(text: object) -> str:
    """Return text in which nothing can steer the terminal: it may come from a server."""
    return "".join(c if c.isprintable() else " " for c in str(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The surroundings of one command."""

    words: Words
    out: Console
    """Results. Plain where it is no terminal."""
    err: Console
    """Everything else: progress, notes, errors."""
    environ: Mapping[str, str]
    config: Path | None = None
    """The settings file that was named with ``--config``."""

    @property
    def path(self) -> Path:
        """The settings file."""
        return self.config if self.config is not None else settings_path(self.environ)

    def settings(self) -> Settings:
        """Read the settings; a file that was named must be there.

        Raises:
            ConfigurationError: they are wrong.
        """
        return load_settings(self.path, self.environ, must_exist=self.config is not None)

    def check_named_settings(self) -> None:
        """Make sure that the file named with ``--config`` is there and right, if one was named.

        Raises:
            ConfigurationError: it is not.
        """
        if self.config is not None:
            self.settings()

    @asynccontextmanager
    async def router(self, settings: Settings) -> AsyncGenerator[Router, None]:
        """Lend a router of these settings, not yet loaded; closed at the end, come what may."""
        router = build_router(
            settings, state_dir=state_dir(self.environ), voices_dir=voices_dir(self.environ)
        )
        try:
            yield router
        finally:
            await router.aclose()

    def note(self, text: str) -> None:
        """Print one line for people, apart from the results."""
        self.err.print(Text(f"vieneu: {plain(text)}"), soft_wrap=True, style="yellow")

    def say(self, text: str) -> None:
        """Print one line of the result."""
        self.out.print(Text(plain(text)), soft_wrap=True)


def facts_table() -> Table:
    """Return a table of two columns, name and value, without lines."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
