"""``vieneu voices``: lists voices, adds them from clips, and removes them."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from vieneu_core.audio.decode import MAX_CLIP_BYTES
from vieneu_core.cli.backends import note_missing_voice
from vieneu_core.cli.console import (
    ConfigOption,
    JsonOption,
    LangOption,
    Terminal,
    terminal_in_group,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.stdio import STANDARD
from vieneu_core.config import voices_dir
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.synthesis import check_language
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue

app = typer.Typer()
voices = typer.Typer()
app.add_typer(voices, name="voices")


@voices.callback(invoke_without_command=True)
def voices_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """List the voices if there is no subcommand."""
    if context.invoked_subcommand is None:
        run_command(show_voices(terminal_of(config, lang), as_json=as_json))


async def show_voices(terminal: Terminal, *, as_json: bool) -> None:
    """List the voices of the active backend; custom voices are marked."""
    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    own = await asyncio.to_thread(catalogue.voices)
    async with terminal.router(terminal.settings()) as router:
        await router.load()
        found = await router.voices()
        note_missing_voice(terminal, router.status())
    if as_json:
        terminal.print_json([dataclasses.asdict(voice) for voice in found])
        return
    terminal.out.print(_table(terminal, found, own))
    missing = [voice.id for voice in own if voice not in found]
    if missing:
        terminal.note(terminal.messages("custom_voices_unavailable", ids=", ".join(missing)))


def _table(terminal: Terminal, found: Sequence[Voice], own: Collection[Voice]) -> Table:
    messages = terminal.messages
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for key in ("voice", "name", "language"):
        table.add_column(messages(key), overflow="fold")
    table.add_column("")
    for voice in found:
        mark = messages("custom_voice") if voice in own else ""
        cells = (voice.id, voice.name, voice.language, mark)
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


@voices.command("add")
def add_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    name: Annotated[str, typer.Argument()],
    audio: Annotated[str, typer.Option("--audio", metavar="FILE")],
    text: Annotated[str, typer.Option("--text")],
    language: Annotated[str, typer.Option()] = "vi",
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Add a voice from a clip."""
    terminal = terminal_in_group(context, config, lang)
    run_command(add_voice(terminal, name, audio, text, language))


async def add_voice(terminal: Terminal, name: str, audio: str, text: str, language: str) -> None:
    """Check a clip and store it as a custom voice.

    Raises:
        ConfigurationError: the settings file given with ``--config`` is invalid.
        RequestError: the clip, its transcript or the name is invalid.
    """
    from vieneu_core.voices.reference import read_reference

    terminal.check_named_settings()
    check_language(language)
    data = await asyncio.to_thread(_read, audio)
    checked = await asyncio.to_thread(read_reference, data, text)
    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    added = await asyncio.to_thread(catalogue.add, name, checked.reference, language=language)
    messages = terminal.messages
    seconds = messages.number(checked.reference.seconds, 1)
    if checked.cut_from_s is not None:
        whole = messages.number(checked.cut_from_s, 1)
        terminal.note(messages("clip_cut", whole=whole, seconds=seconds))
    if checked.gain_db:
        louder = checked.gain_db > 0
        decibels = messages.number(abs(checked.gain_db))
        terminal.note(messages("clip_louder" if louder else "clip_quieter", db=decibels))
    terminal.print(messages("voice_added", id=added.voice.id, seconds=seconds))


@voices.command("remove")
def remove_command(
    context: typer.Context,
    voice: Annotated[str, typer.Argument()],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Remove a custom voice."""
    run_command(remove_voice(terminal_in_group(context, config, lang), voice))


async def remove_voice(terminal: Terminal, voice_id: str) -> None:
    """Remove a custom voice.

    Raises:
        ConfigurationError: the settings file given with ``--config`` is invalid.
        VoiceNotFoundError: there is no custom voice with that id.
    """
    terminal.check_named_settings()
    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    await asyncio.to_thread(catalogue.remove, voice_id)
    terminal.print(terminal.messages("voice_removed", id=voice_id))


def _read(audio: str) -> bytes:
    try:
        if audio == STANDARD:
            return sys.stdin.buffer.read(MAX_CLIP_BYTES + 1)
        with Path(audio).expanduser().open("rb") as file:
            return file.read(MAX_CLIP_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of an unknown user
        reason = getattr(error, "strerror", None) or error
        raise ReferenceAudioError(
            Translatable("The clip {audio} cannot be read: {reason}.", audio=audio, reason=reason),
            remedy="Check the path.",
        ) from error
