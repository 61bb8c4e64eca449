"""Root of ``vieneu``: commands by name, global options, and exit codes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from vieneu_core import __version__
from vieneu_core.cli.error_messages import error_line, plain
from vieneu_core.cli.exit_codes import ExitCode, exit_code
from vieneu_core.cli.help import add_help, translate_marks
from vieneu_core.cli.language import LANGUAGES, known_language
from vieneu_core.cli.stdio import abandon_output
from vieneu_core.errors import VieneuError
from vieneu_core.i18n import Messages

DEBUG_VARIABLE = "VIENEU_DEBUG"

COMMANDS = {
    "say": "say",
    "warm": "warm",
    "cache": "cache",
    "dictionary": "dictionary",
    "voices": "voices",
    "models": "models",
    "optimize": "models",
    "status": "status",
    "mode": "mode",
    "connect": "connect",
    "disconnect": "connect",
    "rotate-token": "connect",
    "notebook": "notebook",
    "test": "doctor",
    "doctor": "doctor",
}
"""Each command and its module in `vieneu_core.cli.commands`, in the order of help."""


class CommandGroup(TyperGroup):
    """All commands. A module is imported when one of its commands is needed.

    The object of its context is the section ``cli`` of a catalogue.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after setting the language of help."""
        add_help(self, "vieneu", ctx.obj, ctx)
        translate_marks(args, ctx.obj)
        self.epilog = ctx.obj("help.exit_codes")
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is typer's
        """Return the names of all commands, in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of that name."""
        # For an unknown name, typer suggests one of the loaded commands.
        modules = {COMMANDS[cmd_name]} if cmd_name in COMMANDS else set(COMMANDS.values())
        for module in modules if cmd_name not in self.commands else ():
            group = get_group(import_module(f"vieneu_core.cli.commands.{module}").app)
            for name, command in group.commands.items():
                add_help(command, name.replace("-", "_"), ctx.obj, ctx)
                self.commands[name] = command
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="vieneu",
    cls=CommandGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"vieneu {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True)
    ] = False,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar=LANGUAGES, parser=known_language)
    ] = None,
) -> None:
    """Handle the options before a command."""
    if lang is not None:  # also for the command that follows
        context.default_map = {name: {"lang": lang} for name in COMMANDS}


def run(arguments: Sequence[str], messages: Messages) -> int:
    """Run ``vieneu`` with these arguments; return its exit code. Raises nothing.

    Args:
        arguments: Those after the program's name.
        messages: The section ``cli`` of a catalogue.
    """
    _set_up_logs()
    try:
        return _exit_code(arguments, messages)
    finally:
        abandon_output()


def _exit_code(arguments: Sequence[str], messages: Messages) -> int:
    try:
        command = get_command(app)
        code = command(
            args=list(arguments), prog_name="vieneu", standalone_mode=False, obj=messages
        )
        sys.stdout.flush()
    except BrokenPipeError:
        return ExitCode.READER_GONE
    except VieneuError as err:
        _print_error(error_line(err, messages.language))
        return exit_code(err)
    except (KeyboardInterrupt, typer.Abort) as stop:
        if isinstance(stop.__cause__, EOFError):  # end of input, not an interruption
            return _unexpected(stop.__cause__, messages)
        code = ExitCode.INTERRUPTED
    except Exception as err:  # noqa: BLE001 - the last one who could turn it into a message
        return _unexpected(err, messages)
    if code == ExitCode.INTERRUPTED:
        _print_error(messages("interrupted"))
    return int(code or ExitCode.OK)


def _unexpected(err: Exception, messages: Messages) -> int:
    """Report wrong usage, or a bug by its type only: its message might contain a secret."""
    if hasattr(err, "format_message"):  # click's exception, whether typer uses its own click or not
        context = getattr(err, "ctx", None)
        command = context.command_path if context is not None else "vieneu"
        from vieneu_core.cli.usage_errors import usage_text  # imports pydantic

        message = usage_text(err, messages)
        if message:  # else its help has been shown: a command without arguments
            _print_error(" ".join((message, messages("see_help", command=command))))
        return ExitCode.USAGE
    if os.environ.get(DEBUG_VARIABLE):
        logging.getLogger(__name__).debug("Unexpected", exc_info=err)
    _print_error(messages("unexpected", kind=type(err).__name__))
    return ExitCode.UNEXPECTED


def _print_error(text: str) -> None:
    with suppress(OSError):  # stderr may be closed as well
        sys.stderr.write(f"vieneu: {plain(text)}\n")
        sys.stderr.flush()


def _set_up_logs() -> None:
    """Hide logs unless VIENEU_DEBUG is set: they are no messages for users."""
    debug = bool(os.environ.get(DEBUG_VARIABLE))
    handler = logging.StreamHandler() if debug else logging.NullHandler()
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[handler])
