"""Cache on disk for the codes of clips, so that a clip is encoded only once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from vieneu_core.audio.pcm import floats_of_pcm
from vieneu_core.audio.resample import Resampler
from vieneu_core.files import write_atomic
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices.encoder import ENCODER_RATE_HZ, SpeechEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_KEPT = 500
"""Number of clips; each takes about a kilobyte."""
_MAGIC = b"VNC1"
_CODE = struct.Struct("<H")


class CodesCache:
    """A folder of codes. Blocking; several processes may share it.

    Args:
        folder: Created when needed. If it cannot be written, nothing is cached.
        most_kept: Number of clips; the least recently used one is removed first.
    """

    def __init__(self, folder: Path, *, most_kept: int = MOST_KEPT) -> None:
        self._folder = folder
        self._most_kept = most_kept

    def get_or_encode(self, reference: ReferenceAudio, encoder: SpeechEncoder) -> tuple[int, ...]:
        """Return the codes of a clip; encode it if they are not cached.

        Raises: as the encoder.
        """
        path = self._folder / f"{_content_hash(reference, encoder.fingerprint)}.codes"
        codes = _read(path)
        if codes is not None:
            with contextlib.suppress(OSError):
                os.utime(path)  # marks it as recently used
            return codes
        codes = encoder.encode(_at_16_khz(reference))
        with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
            self._keep(path, codes)
        return codes

    def _keep(self, path: Path, codes: tuple[int, ...]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, _packed(codes), durable=False)
        kept = sorted(self._folder.glob("*.codes"), key=lambda p: p.stat().st_mtime)
        for old in kept[: -self._most_kept]:
            old.unlink(missing_ok=True)


def _content_hash(reference: ReferenceAudio, fingerprint: str) -> str:
    head = f"{fingerprint}\0{reference.sample_rate_hz}\0".encode()
    return hashlib.sha256(head + reference.pcm).hexdigest()


def _at_16_khz(reference: ReferenceAudio) -> NDArray[np.float32]:
    resampler = Resampler(reference.sample_rate_hz, ENCODER_RATE_HZ)
    return floats_of_pcm(resampler.push(reference.pcm) + resampler.finish())


def _packed(codes: tuple[int, ...]) -> bytes:
    body = b"".join(map(_CODE.pack, codes))
    return _MAGIC + hashlib.sha256(body).digest() + body


def _read(path: Path) -> tuple[int, ...] | None:
    """Return the codes; None if there are none, or if they are damaged."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    digest, body = raw[4:36], raw[36:]
    if not (raw[:4] == _MAGIC and body and hashlib.sha256(body).digest() == digest):
        return None
    return tuple(code for (code,) in _CODE.iter_unpack(body))
