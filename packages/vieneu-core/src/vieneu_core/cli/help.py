"""Help texts of commands and options, taken from the catalogue instead of the signatures.

Section ``cli.help`` holds them by command and parameter; shared parameters are under ``any``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
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
    command.options_metavar = messages("help.any_options")
    if hasattr(command, "commands"):
        command.subcommand_metavar = messages("help.any_command")
    command.format_usage = partial(_write_usage, command, messages("help.usage"))
    for parameter in command.get_params(context):
        own, shared = f"help.{name}.{parameter.name}", f"help.any.{parameter.name}"
        parameter.help = messages(own if own in messages else shared)
        parameter.rich_help_panel = messages(f"help.panel_{parameter.param_type_name}s")
    for word, subcommand in getattr(command, "commands", {}).items():
        add_help(subcommand, f"{name}_{word}", messages, context)


def translate_marks(arguments: Sequence[str], messages: Messages) -> None:
    """Translate typer's marks of options, which are constants of a module, if help is wanted.

    Args:
        arguments: Those of the command line.
        messages: The section ``cli`` of a catalogue.
    """
    if {"-h", "--help"}.isdisjoint(arguments):
        return
    from typer import rich_utils  # only help needs it

    rich_utils.REQUIRED_LONG_STRING = messages("required")
    rich_utils.DEFAULT_STRING = messages("default", value="{}")


def _write_usage(command: Any, prefix: str, context: Any, formatter: Any) -> None:
    """Write the first line of help; replaces the method of a command."""
    pieces = " ".join(command.collect_usage_pieces(context))
    formatter.write_usage(context.command_path, pieces, f"{prefix} ")
