"""The command ``vieneu``. It imports little, so that it can report that its extra is missing."""

from __future__ import annotations

import os
import signal
import sys

from vieneu_core.cli.signals import EXIT_CODES, end_at_once, ignore_from_now_on

_EXTRA = {"typer", "rich"}


def main() -> None:
    """Run ``vieneu`` with the arguments of this process, and exit with its exit code."""
    try:
        end_at_once()
    except KeyboardInterrupt:  # raised before the command handles signals
        os._exit(EXIT_CODES[signal.SIGINT])
    code = _run(sys.argv[1:])
    ignore_from_now_on()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    from vieneu_core.cli.language import choose_language
    from vieneu_core.cli.stdio import prepare_streams
    from vieneu_core.errors import MissingExtraError
    from vieneu_core.i18n import Messages

    messages = Messages(choose_language(arguments, os.environ), "cli")
    end_at_once(messages("interrupted"))
    prepare_streams(needs_stdout=True)
    try:
        from vieneu_core.cli.app import run
    except ModuleNotFoundError as err:
        if err.name is None or err.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"vieneu: {MissingExtraError('The command vieneu', 'cli')}\n")
        return 3
    return run(arguments, messages)
