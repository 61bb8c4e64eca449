"""Custom voices, stored as one folder each, with clip and transcript."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vieneu_core.arguments import path_of
from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.synthesis import ReferenceAudio, check_language
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json
from vieneu_core.voices.reference import LONGEST_S
from vieneu_core.voices.voice import Voice

_LOGGER = logging.getLogger(__name__)
_ABOUT, _CLIP = "voice.json", "reference.flac"
LONGEST_NAME = 60
MOST_ALIKE = 99
"""Names that differ only in their marks."""
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
"""Errors of a rename to a folder that is not empty, or to a file."""


@dataclass(frozen=True, slots=True)
class CustomVoice:
    """A voice that an admin added."""

    voice: Voice
    reference: ReferenceAudio


class VoiceCatalogue:
    """A folder of custom voices. Blocking; changes by other processes are visible at once.

    Args:
        folder: The folder, created with the first voice.

    Raises:
        ConfigurationError: ``folder`` is not a path.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = path_of("folder", folder, error=ConfigurationError)
        """The folder; it may not exist yet."""
        self._known: dict[str, tuple[int, CustomVoice]] = {}

    def add(self, name: str, reference: ReferenceAudio, *, language: str = "vi") -> CustomVoice:
        """Store a voice.

        Raises:
            InvalidRequestError: the name or the language is invalid, the name is in use, or the
                voice cannot be written.
        """
        shown = _checked_name(name)
        plain_id = voice_id_of(shown)
        check_language(language)
        try:
            for voice_id in _numbered(plain_id):
                voice = Voice(id=voice_id, name=shown, language=language)
                if self._write_new(voice, reference):
                    return CustomVoice(voice, reference)
                if not self._has_other_name(voice_id, shown):
                    break
        except OSError as error:
            raise InvalidRequestError(
                Translatable(
                    "The voice cannot be kept in {folder}: {error}.",
                    folder=self.folder,
                    error=error.strerror,
                ),
                remedy="Make the folder writable, or free space on its disk.",
            ) from error
        raise InvalidRequestError(
            Translatable("There is a voice {voice_id!r} already.", voice_id=voice_id),
            remedy=Translatable(
                "Choose another name, or remove it: vieneu voices remove {voice_id}",
                voice_id=voice_id,
            ),
        )

    def remove(self, voice_id: str) -> None:
        """Delete a voice.

        Raises:
            VoiceNotFoundError: there is no voice with that id.
            InvalidRequestError: it cannot be deleted.
        """
        if voice_id not in self._ids():
            known = ", ".join(self._ids()) or "none"
            raise VoiceNotFoundError(
                Translatable(
                    "No voice {voice_id!r} was added. Added: {known}.",
                    voice_id=voice_id,
                    known=known,
                )
            )
        try:
            self._discard(voice_id)
        except OSError as error:
            raise InvalidRequestError(
                Translatable(
                    "The voice {voice_id!r} cannot be removed: {error}.",
                    voice_id=voice_id,
                    error=error.strerror,
                )
            ) from error

    def voices(self) -> tuple[Voice, ...]:
        """List the voices by name; damaged ones are skipped and logged."""
        found = [custom.voice for id_ in self._ids() if (custom := self.get(id_)) is not None]
        return tuple(sorted(found, key=lambda voice: voice.name.casefold()))

    def get(self, voice_id: str) -> CustomVoice | None:
        """Return a voice; None if there is none that is usable."""
        if voice_id not in self._ids():
            return None
        folder = self.folder / voice_id
        try:
            changed = (folder / _ABOUT).stat().st_mtime_ns
            known = self._known.get(voice_id)
            if known is None or known[0] != changed:
                known = self._known[voice_id] = (changed, _read(folder))
        except (OSError, ValueError, KeyError, TypeError, VieneuError) as error:
            _LOGGER.warning("The voice %s is damaged and left out: %s", voice_id, error)
            return None
        return known[1]

    def _ids(self) -> list[str]:
        try:
            inside = list(self.folder.iterdir())
        except OSError:
            return []
        return sorted(p.name for p in inside if not p.name.startswith(".") and p.is_dir())

    def _write_new(self, voice: Voice, reference: ReferenceAudio) -> bool:
        """Write a voice's folder; return False where there is one with its id."""
        try:
            self._write(voice, reference)
        except OSError as error:
            if error.errno in _TAKEN and (self.folder / voice.id).exists():
                return False
            raise
        return True

    def _has_other_name(self, voice_id: str, name: str) -> bool:
        """Whether a stored voice is known to have another name; "Ba" and "Bà" are two."""
        known = self.get(voice_id)
        return known is not None and known.voice.name.casefold() != name.casefold()

    def _write(self, voice: Voice, reference: ReferenceAudio) -> None:
        """Write a voice's folder atomically."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._hidden_folder()
        about = {
            "name": voice.name,
            "language": voice.language,
            "transcript": reference.transcript,
        }
        try:
            encoder = Encoder(AudioFormat.FLAC, reference.sample_rate_hz)
            clip = encoder.encode(reference.pcm) + encoder.finish()
            text = json.dumps(about, ensure_ascii=False, indent=1)
            write_atomic(draft / _CLIP, clip, mode=PRIVATE)
            write_atomic(draft / _ABOUT, text, mode=PRIVATE)
            os.rename(draft, self.folder / voice.id)  # noqa: PTH104 - fails where there is one
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def _discard(self, voice_id: str) -> None:
        """Rename a voice's folder, so that it disappears at once, then delete its files."""
        trash = self._hidden_folder()
        try:
            (self.folder / voice_id).rename(trash)  # to an empty folder
        finally:
            shutil.rmtree(trash, ignore_errors=True)

    def _hidden_folder(self) -> Path:
        """Create an empty folder that is not a voice, even if it remains after a crash."""
        return Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))


def voice_id_of(name: str) -> str:
    """Return the id of a name: "Bà Ngoại" is ba-ngoai.

    Names that differ only in their marks have the same one; the second of them gets a number.

    Raises:
        InvalidRequestError: it has no letter or digit that is valid in an id.
    """
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(c if c.isascii() and c.isalnum() else " " for c in plain if not _is_mark(c))
    voice_id = "-".join(letters.lower().split())
    if not voice_id:
        raise InvalidRequestError(
            Translatable("The name {name!r} has no Latin letter or digit.", name=name),
            remedy="Choose another name.",
        )
    return voice_id


def _numbered(voice_id: str) -> Iterator[str]:
    yield voice_id
    yield from (f"{voice_id}-{number}" for number in range(2, MOST_ALIKE + 1))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) == "Mn"


def _checked_name(name: str) -> str:
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
        raise InvalidRequestError(
            Translatable(
                "The name of a voice has 1 to {longest_name} printable characters.",
                longest_name=LONGEST_NAME,
            )
        )
    return shown


def _read(folder: Path) -> CustomVoice:
    about = read_json(folder / _ABOUT)
    clip = decode_clip((folder / _CLIP).read_bytes(), max_seconds=LONGEST_S + 1)
    return CustomVoice(
        Voice(id=folder.name, name=str(about["name"]), language=str(about["language"])),
        ReferenceAudio(
            pcm=clip.pcm,
            sample_rate_hz=clip.sample_rate_hz,
            transcript=str(about["transcript"]),
        ),
    )
