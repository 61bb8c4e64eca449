"""Help texts of commands and options, taken from the catalogue instead of the signatures.

Section ``cli.help`` holds them by command and parameter; shared parameters are under ``any``.
"""

from __future__ import annotations

from typing import Any

from vieneu_core.i18n import Messages


def add_help(command: Any, name: str, messages: Messages, context: Any) -> None:
    """Add help texts to a command, its parameters and its subcommands.

    Args:
        command: A command created by typer, whose types are private.
        name: The command's full name, its words joined by ``_``.
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
