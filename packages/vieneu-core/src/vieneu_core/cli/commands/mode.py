"""``vieneu mode``: shows or changes the backend that requests go to."""

from __future__ import annotations

from typing import Annotated

import typer

from vieneu_core.cli.backends import load_all
from vieneu_core.cli.console import ConfigOption, LangOption, Terminal, terminal_of
from vieneu_core.cli.event_loop import run_command
from vieneu_core.config import save_settings
from vieneu_core.router import Mode

app = typer.Typer()


@app.command("mode")
def mode_command(
    mode: Annotated[Mode | None, typer.Argument()] = None,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Show the mode, or change it if one is given."""
    terminal = terminal_of(config, lang)
    if mode is None:
        show_mode(terminal)
    else:
        run_command(set_mode(terminal, mode))


def show_mode(terminal: Terminal) -> None:
    """Print the effective mode."""
    settings = terminal.settings()
    terminal.print(settings.mode)
    if settings.mode != settings.backend_mode:
        terminal.note(terminal.messages("mode_disabled"))


async def set_mode(terminal: Terminal, mode: Mode) -> None:
    """Change the mode, if its backend is ready.

    Raises:
        BackendError: the backend is not ready; nothing has changed.
        ConfigurationError: the settings file is invalid or cannot be written.
    """
    async with terminal.router(terminal.settings()) as router:
        await load_all(router)
        router.set_mode(mode)
    save_settings({"backend_mode": mode.value}, terminal.path)
    terminal.print(terminal.messages("mode_set", mode=mode.value))
