"""Progress of ``vieneu say`` in one line, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn

from vieneu_core.audio.pcm import Speaker
from vieneu_core.cli.backends import loading_step
from vieneu_core.cli.console import Terminal
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.stats import SynthesisStats
from vieneu_core.router import BackendLoading, RouterEvent


def who(speaker: Speaker) -> str:
    """Return what spoke, for a person."""
    return plain(f"{speaker.backend}/{speaker.engine}/{speaker.voice}")


@contextmanager
def progress_line(terminal: Terminal, *, shown: bool) -> Iterator[ProgressLine]:
    """Show progress on a terminal only; it is erased at the end."""
    if not (shown and terminal.err.is_terminal):
        yield ProgressLine(None, terminal)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        yield ProgressLine(progress, terminal)


class ProgressLine:
    """Shows progress in one line."""

    def __init__(self, progress: Progress | None, terminal: Terminal) -> None:
        self._progress = progress
        self._messages = terminal.messages
        self._speaks = False
        if progress is not None:
            self._task = progress.add_task(self._messages("loading"), total=None)

    def on_event(self, event: RouterEvent) -> None:
        """Show the progress of a download until there is audio."""
        if self._progress is not None and isinstance(event, BackendLoading) and not self._speaks:
            line = loading_step(event.progress, self._messages)
            self._progress.update(self._task, description=plain(line))

    def __call__(self, stats: SynthesisStats) -> None:
        """Show the current counts."""
        if self._progress is None:
            return
        self._speaks = True
        number = max(stats.speakers)
        line = self._messages(
            "speaking",
            n=number + 1,
            seconds=self._messages.number(stats.audio_s, 1),
            who=who(stats.speakers[number]),
        )
        self._progress.update(self._task, description=line)
