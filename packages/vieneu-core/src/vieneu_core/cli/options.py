"""The options that many commands share, and the terminal that they lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vieneu_core.cli.console import Terminal
from vieneu_core.cli.exit_codes import ExitCode
from vieneu_core.cli.words import Language, Words, choose_language

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file. Default: $VIENEU_CONFIG, else ~/.config/vieneu/config.yaml",
    ),
]
LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of messages. Default: from LC_ALL or LANG."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """End with our own exit code; rich and typer would both say 1."""
        raise typer.Exit(ExitCode.READER_GONE)


def terminal_of(config: Path | None, lang: Language | None) -> Terminal:
    """Return the surroundings of a command."""
    language = lang or choose_language((), os.environ)
    return Terminal(
        words=Words(language),
        out=_Console(highlight=False),
        err=_Console(stderr=True, highlight=False),
        environ=os.environ,
        config=config,
    )


def terminal_in_group(
    context: typer.Context, config: Path | None, lang: Language | None
) -> Terminal:
    """Return the surroundings of a command of a group; options may stand before its name too."""
    group = context.parent.params if context.parent is not None else {}
    return terminal_of(config or group.get("config"), lang or group.get("lang"))
