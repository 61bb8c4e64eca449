"""Cell 4: voices of the notebook's owner, from clips that it carries or that lie in a folder."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.i18n import cell_messages
from vieneu_core.audio import MAX_CLIP_BYTES
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.translatable import Translatable
from vieneu_core.voices import VoiceCatalogue, read_reference


class CarriedVoice(NamedTuple):
    """A voice inside of the notebook."""

    name: str
    transcript: str
    clip: str
    """WAV, FLAC, OGG or MP3, in base64."""


@short_traceback
def add_voices(  # noqa: PLR0913 - the forms of the cell, by keyword
    carried: Sequence[tuple[str, str, str]] = (),
    *,
    name: str = "",
    transcript: str = "",
    clip: str = "",
    folder: str = "/content/vieneu-voices",
    language: str = "vi",
) -> Path:
    """Keep the carried voices and the one of the form; return the folder, for `start`.

    Run again with another name, it adds a voice; with the same name, it replaces that one.

    Args:
        carried: Name, transcript and base64 of the clip of each carried voice.
        name: Name of one more voice; empty means none.
        transcript: What is said in its clip, word by word.
        clip: Path of its clip, for example on Google Drive.
        folder: Folder of all these voices.
        language: ``vi`` or ``en``, for the output.

    Raises:
        ReferenceAudioError: a clip is missing or unusable.
        InvalidRequestError: a name cannot be used, or the folder cannot be written.
    """
    messages = cell_messages(language)
    voices = VoiceCatalogue(folder)
    clips = [
        (each.name, each.transcript, _decoded(each)) for each in starmap(CarriedVoice, carried)
    ]
    if name.strip() or clip.strip():
        clips.append((name.strip(), transcript, _read(clip.strip())))
    for voice_name, text, data in clips:
        reference = read_reference(data, text).reference
        for old in voices.voices():
            if old.name == voice_name:
                voices.remove(old.id)
        added = voices.add(voice_name, reference).voice
        print(messages("voice_added", name=added.name, id=added.id))
    if not voices.voices():
        print(messages("no_custom_voices"))
    return voices.folder


def _decoded(voice: CarriedVoice) -> bytes:
    try:
        return base64.b64decode(voice.clip, validate=True)
    except (binascii.Error, ValueError):
        raise ReferenceAudioError(
            Translatable("The clip of the voice {name} is damaged.", name=voice.name),
            remedy="Create the notebook again.",
        ) from None


def _read(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(MAX_CLIP_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ReferenceAudioError(
            Translatable(
                "The clip {path!r} cannot be read: {error}.",
                path=path,
                error=getattr(error, "strerror", None) or error,
            ),
            remedy="Correct the path in cell 4. For a file on Google Drive, turn it on in cell 2.",
        ) from None
