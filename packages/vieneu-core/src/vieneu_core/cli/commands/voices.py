"""``vieneu voices add`` and ``remove``: voices from clips."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vieneu_core.cli.console import Terminal
from vieneu_core.cli.sinks import STANDARD
from vieneu_core.config import voices_dir
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.synthesis import check_language

_MOST_BYTES = 64 << 20


async def add_voice(terminal: Terminal, name: str, audio: str, text: str, language: str) -> None:
    """Check a clip and keep it as a voice.

    Raises:
        ConfigurationError: the settings file that was named is wrong.
        RequestError: the clip, its transcript or the name cannot be used.
    """
    from vieneu_core.voices.catalogue import VoiceCatalogue
    from vieneu_core.voices.reference import read_reference

    terminal.check_named_settings()
    check_language(language)
    data = await asyncio.to_thread(_read, audio)
    checked = await asyncio.to_thread(read_reference, data, text)
    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    added = await asyncio.to_thread(catalogue.add, name, checked.reference, language=language)
    words = terminal.words
    seconds = words.number(checked.reference.seconds, 1)
    if checked.cut_from_s is not None:
        whole = words.number(checked.cut_from_s, 1)
        terminal.note(words("clip_cut", whole=whole, seconds=seconds))
    if checked.gain_db:
        louder = checked.gain_db > 0
        decibels = words.number(abs(checked.gain_db))
        told = words("clip_louder", db=decibels) if louder else words("clip_quieter", db=decibels)
        terminal.note(told)
    terminal.say(words("voice_added", id=added.voice.id, seconds=seconds))


async def remove_voice(terminal: Terminal, voice_id: str) -> None:
    """Forget a voice that was added.

    Raises:
        ConfigurationError: the settings file that was named is wrong.
        VoiceNotFoundError: there is none of that id.
    """
    from vieneu_core.voices.catalogue import VoiceCatalogue

    terminal.check_named_settings()
    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    await asyncio.to_thread(catalogue.remove, voice_id)
    terminal.say(terminal.words("voice_removed", id=voice_id))


def _read(audio: str) -> bytes:
    try:
        if audio == STANDARD:
            return sys.stdin.buffer.read(_MOST_BYTES + 1)
        with Path(audio).expanduser().open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of a user that there is not
        reason = getattr(error, "strerror", None) or error
        raise ReferenceAudioError(
            f"The clip {audio} cannot be read: {reason}.", remedy="Check the path."
        ) from error
