"""Reader of GGUF headers, which detects before loading whether a file is a VieNeu model.

llama.cpp gives few reasons for rejecting a file, so its faults are detected
here. The content is untrusted: each length is compared with the size of the file.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3).
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.local_files import checked_path, described, read_magic
from vieneu_core.translatable import Translatable

ARCHITECTURES = ("qwen2", "qwen3", "llama")
"""Architectures of the language models that VieNeu-TTS is based on."""
MARKERS = (
    "<|TEXT_PROMPT_START|>",
    "<|TEXT_PROMPT_END|>",
    "<|SPEECH_GENERATION_START|>",
    "<|SPEECH_GENERATION_END|>",
    "<|speech_0|>",
)
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    20: (32, 18),  # IQ4_NL
    23: (256, 136),  # IQ4_XS
    30: (1, 2),  # BF16
}
"""Number of weights per block, and bytes per block, by type (the blocks of ggml-common.h in
https://github.com/ggml-org/llama.cpp)."""
_MOST_KEYS, _MOST_TENSORS, _MOST_DIMENSIONS, _MOST_TEXTS = 4096, 65_536, 4, 1 << 21
_LONGEST_TEXT_BYTES = 1 << 20
"""Longer texts are skipped; a chat template has some thousand bytes."""
_ALIGNMENT = 32
"""Default of the format."""
_TOKENS = "tokenizer.ggml.tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """Content of a GGUF header."""

    architecture: str
    tokens: tuple[bytes, ...] = field(repr=False)
    """The vocabulary in UTF-8."""

    def token_id(self, token: str) -> int | None:
        """Return the id of a token; None if the vocabulary lacks it."""
        try:
            return self.tokens.index(token.encode())
        except ValueError:
            return None


def check_vieneu_gguf(path: Path) -> GgufHeader:
    """Read a header, and check that it belongs to a complete VieNeu model.

    Raises:
        ModelLoadError: it does not; the message contains the reason.
    """
    checked_path(path)
    header = read_header(path)
    if header.architecture not in ARCHITECTURES:
        raise ModelLoadError(
            Translatable(
                "{path} has the architecture {architecture!r}; VieNeu-TTS has one of"
                " {architectures}.",
                path=path,
                architecture=header.architecture[:40],
                architectures=", ".join(ARCHITECTURES),
            ),
            remedy="Name a VieNeu-TTS model in the option model.",
        )
    missing = [marker for marker in MARKERS if header.token_id(marker) is None]
    if missing:
        raise ModelLoadError(
            Translatable(
                "{path} is no VieNeu-TTS model: its vocabulary has no {missing}.",
                path=path,
                missing=missing[0],
            ),
            remedy="Name a VieNeu-TTS model in the option model.",
        )
    return header


def read_header(path: Path) -> GgufHeader:
    """Read the header of any complete GGUF.

    Raises:
        ModelLoadError: the file is no GGUF, or is truncated.
    """
    try:
        start = read_magic(path)
        if not start.startswith(_MAGIC):
            raise _no_gguf(path, Translatable("It is {what}.", what=described(start)))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data).header()
    except _BrokenError as error:
        raise _no_gguf(path, error.args[0]) from error
    except OSError as error:
        raise ModelLoadError(
            Translatable("{path} cannot be read: {error}.", path=path, error=error.strerror)
        ) from error


class _BrokenError(Exception):
    """The file violates the format; the text says how."""


class _Reader:
    """Reads little-endian values in sequence."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(_MAGIC)
        self._tokens: tuple[bytes, ...] = ()

    def header(self) -> GgufHeader:
        self._check_version()
        n_tensors = self._count(_MOST_TENSORS, "tensors")
        n_keys = self._count(_MOST_KEYS, "metadata keys")
        metadata = dict(self._pair() for _ in range(n_keys))
        ends = [self._tensor() for _ in range(n_tensors)]
        begin = self._aligned(metadata.get("general.alignment"))
        n_bytes = begin + max(ends) if ends else self._at
        if n_bytes > len(self._data):
            raise _BrokenError(
                Translatable(
                    "It is truncated: it has {n_data} bytes, its tensors need {n_bytes}.",
                    n_data=len(self._data),
                    n_bytes=n_bytes,
                )
            )
        return GgufHeader(
            architecture=str(metadata.get("general.architecture", "")), tokens=self._tokens
        )

    def _check_version(self) -> None:
        version = self._scalar("I")
        if version not in _VERSIONS:
            big = struct.unpack(">I", struct.pack("<I", version))[0] in _VERSIONS
            why = (
                "It is big-endian"
                if big
                else Translatable("It has version {version}", version=version)
            )
            raise _BrokenError(
                Translatable("{why}; versions 2 and 3 in little-endian order can be read.", why=why)
            )

    def _aligned(self, stated: object) -> int:
        """Return the offset of the tensor data, after all tensor descriptions were read."""
        alignment = stated if isinstance(stated, int) and stated > 0 else _ALIGNMENT
        return -(-self._at // alignment) * alignment

    def _pair(self) -> tuple[str, Any]:
        key = self._string().decode(errors="replace")
        return key, self._value(self._scalar("I"), key)

    def _value(self, kind: int, key: str) -> Any:
        if kind == _STRING:
            return self._string().decode(errors="replace")
        if kind == _ARRAY:
            return self._array(key)
        return self._scalar(self._format(kind))

    def _array(self, key: str) -> None:
        """Skip an array, except the tokens."""
        kind, n_items = self._scalar("I"), self._scalar("Q")
        if kind != _STRING:
            self._skip(n_items * struct.calcsize(self._format(kind)))
            return
        if n_items > _MOST_TEXTS:
            raise _BrokenError(
                Translatable("It claims to have a list of {n_items} texts.", n_items=n_items)
            )
        if key == _TOKENS:
            self._tokens = tuple([self._string() for _ in range(n_items)])
            return
        for _ in range(n_items):
            self._skip(self._scalar("Q"))

    def _tensor(self) -> int:
        """Read a tensor's description; return where its data end, relative to the tensor data.

        A type that is not in `BLOCKS` counts as one byte, the least possible size.
        """
        self._string()
        n_dimensions = self._scalar("I")
        if n_dimensions > _MOST_DIMENSIONS:
            raise _BrokenError(
                Translatable(
                    "A tensor in it has {n_dimensions} dimensions.", n_dimensions=n_dimensions
                )
            )
        n_weights = math.prod(self._scalar("Q") for _ in range(n_dimensions))
        kind, offset = self._scalar("I"), self._scalar("Q")
        per_block, n_bytes = BLOCKS.get(kind, (n_weights or 1, 1))
        end: int = offset + n_weights // per_block * n_bytes
        return end

    def _format(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise _BrokenError(
                Translatable("It holds a value of an unknown kind ({kind}).", kind=kind)
            )
        return _SCALARS[kind]

    def _count(self, most: int, what: str) -> int:
        count: int = self._scalar("Q")
        if count > most:
            raise _BrokenError(
                Translatable("It claims to have {count} {what}.", count=count, what=what)
            )
        return count

    def _string(self) -> bytes:
        """Read a text; skip it if it is too long."""
        length: int = self._scalar("Q")
        start = self._at
        self._skip(length)
        return self._data[start : self._at] if length <= _LONGEST_TEXT_BYTES else b""

    def _scalar(self, fmt: str) -> Any:
        size = struct.calcsize(f"<{fmt}")
        start = self._at
        self._skip(size)
        return struct.unpack_from(f"<{fmt}", self._data, start)[0]

    def _skip(self, n_bytes: int) -> None:
        if n_bytes > len(self._data) - self._at:
            raise _BrokenError("It is truncated, or a length in it is wrong.")
        self._at += n_bytes


def _no_gguf(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable("{path} is no usable GGUF model. {why}", path=path, why=why),
        remedy="Delete the file and load again, or name another in the option model.",
    )
