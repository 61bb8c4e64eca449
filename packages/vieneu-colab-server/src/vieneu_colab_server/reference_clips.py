"""Reference audio that a request names or contains. It is untrusted until it has been decoded."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from vieneu_core.audio.decode import Clip, decode_clip
from vieneu_core.errors import InvalidRequestError, ReferenceAudioError
from vieneu_core.translatable import Translatable

FOLDER_ALIAS = "samples"
"""A path may begin with this name of the samples folder, as in ``samples/vinh.wav``."""
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_PARTS = 8


class Samples:
    """Opens and decodes reference audio."""

    def __init__(self, folder: Path | None, *, max_seconds: float) -> None:
        self._folder = folder
        self._max_seconds = max_seconds

    def clip(self, sample: str) -> Clip:
        """Decode a sample: a file in the folder, base64, or a data URL. Blocking.

        A file name has a suffix, and base64 never contains a full stop: that distinguishes them.

        Raises:
            ReferenceAudioError: it is none of these, does not exist, or is unusable.
        """
        is_file = "." in sample and not sample.startswith("data:")
        data = self._read(sample) if is_file else _decode_base64(sample)
        return decode_clip(data, max_seconds=self._max_seconds)

    def _read(self, sample: str) -> bytes:
        if self._folder is None:
            raise ReferenceAudioError(
                "This server has no samples folder.",
                remedy="Start it with --samples DIR, or send the audio itself as base64.",
            )
        parts = _parts_of(sample)
        try:
            return _read_inside(self._folder, parts)
        except (OSError, ValueError) as err:
            raise _unusable(sample) from err


def check_transcript(sample: str | None, transcript: str | None) -> None:
    """Check that a sample and its transcript are given together.

    Raises:
        InvalidRequestError: one is given without the other.
    """
    if (sample is None) != (transcript is None):
        missing = "voice_sample_path" if sample is None else "voice_transcript"
        raise InvalidRequestError(
            Translatable(
                "{missing} is missing: a sample and its transcript are given together.",
                missing=missing,
            )
        )


def _unusable(sample: str) -> ReferenceAudioError:
    # The same message for all reasons: a response must not reveal other files of this machine.
    return ReferenceAudioError(
        Translatable("The samples folder has no usable file {sample!r}.", sample=sample[:100]),
        remedy="Name a file inside the samples folder, or send the audio itself as base64.",
    )


def _parts_of(sample: str) -> tuple[str, ...]:
    """Split a path into names that cannot lead out of the folder."""
    path = PurePosixPath(sample)
    parts = path.parts[1:] if path.parts[:1] == (FOLDER_ALIAS,) else path.parts
    strange = any(ord(char) < ord(" ") for char in sample) or "\\" in sample or ":" in sample
    if strange or path.is_absolute() or ".." in parts or not 0 < len(parts) <= MAX_PARTS:
        raise _unusable(sample)
    return parts


def _read_inside(folder: Path, parts: tuple[str, ...]) -> bytes:
    """Read a regular file below a folder without following links below it, even in a race.

    Each name is opened relative to the folder before it (``openat`` with ``O_NOFOLLOW``), so what
    is checked is also what is read.
    """
    with ExitStack() as stack:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, at)
        for name in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            at = os.open(name, flags, dir_fd=at)
            stack.callback(os.close, at)
        # O_NONBLOCK: opening a named pipe must not wait for its writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(parts[-1], flags, dir_fd=at)
        stack.callback(os.close, file)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            raise OSError("not an ordinary file of a sensible size")
        with os.fdopen(os.dup(file), "rb") as opened:
            return opened.read(MAX_FILE_BYTES)


def _decode_base64(sample: str) -> bytes:
    if sample.startswith("data:"):
        kind, _, sample = sample.partition(",")
        if not (kind.startswith("data:audio/") and kind.endswith(";base64")):
            raise ReferenceAudioError("The data URL is not base64 audio.")
    try:
        return base64.b64decode("".join(sample.split()), validate=True)
    except (binascii.Error, ValueError) as err:
        raise ReferenceAudioError(
            "voice_sample_path is neither a file with a suffix nor base64 audio."
        ) from err
