"""Help of commands and options, from the catalogue: signatures hold none.

It is in the section ``cli.help``, by command and parameter; what commands share is under ``any``.
"""

from __future__ import annotations

from typing import Any

from vieneu_core.i18n import Messages


def add_help(command: Any, name: str, messages: Messages, context: Any) -> None:
    """Give a command, its parameters and its subcommands their help.

    Args:
        command: A command that typer made; its types are private.
        name: The words of the command, joined by ``_``.
        messages: The section ``cli`` of a catalogue.
        context: The context of the command, or that of its parent.
    """
    command.help = messages(f"help.{name}.summary")
    command.rich_help_panel = messages("help.panel_commands")
    for parameter in command.get_params(context):
        own, shared = f"help.{name}.{parameter.name}", f"help.any.{parameter.name}"
        parameter.help = messages(own if own in messages else shared)
        parameter.rich_help_panel = messages(f"help.panel_{parameter.param_type_name}s")
    for word, subcommand in getattr(command, "commands", {}).items():
        add_help(subcommand, f"{name}_{word}", messages, context)
