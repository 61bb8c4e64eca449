"""All commands of ``vieneu``, loaded."""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from vieneu_core.cli.app import app
from vieneu_core.i18n import Messages


def loaded_root(messages: Messages) -> Any:
    """Return the root with all of its commands, their help in the language of the messages."""
    root: Any = get_command(app)
    context = root.make_context("vieneu", ["mode"], obj=messages)
    for name in root.list_commands(context):
        root.get_command(context, name)
    return root
