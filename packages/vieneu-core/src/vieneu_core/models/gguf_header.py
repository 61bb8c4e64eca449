"""Reads the header of a GGUF file, to tell before loading whether it is a VieNeu model.

llama.cpp says little where it refuses a file; so what a file is, and what is wrong with it, is
found out here. Everything in it is hostile: no length is believed before the file is that long.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3).
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.local_files import checked_path, described, glimpse

ARCHITECTURES = ("qwen2", "qwen3", "llama")
"""Of the language models that VieNeu-TTS is made from."""
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
_MOST_KEYS, _MOST_TENSORS, _MOST_DIMENSIONS = 4096, 65_536, 4
_LONGEST_KEPT = 1024
"""Elements of an array that are kept; of longer ones only the strings are looked at."""
_TOKENS = "tokenizer.ggml.tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a GGUF says of itself."""

    architecture: str
    name: str
    context_length: int
    """Tokens; 0 where it does not say."""
    n_tokens: int
    """Of its vocabulary."""
    n_tensors: int
    metadata: dict[str, Any] = field(repr=False)
    """Scalars and strings by key."""


def check_vieneu_gguf(path: Path) -> GgufHeader:
    """Read a header, and make sure that it is that of a whole VieNeu model.

    Raises:
        ModelLoadError: it is not; says what it is, or what is wrong.
    """
    checked_path(path)
    header, tokens = _read(path)
    if header.architecture not in ARCHITECTURES:
        raise ModelLoadError(
            f"{path} has the architecture {header.architecture!r}; VieNeu-TTS has one of"
            f" {', '.join(ARCHITECTURES)}.",
            remedy="Name a VieNeu-TTS model in the option model.",
        )
    missing = [marker for marker in MARKERS if marker.encode() not in tokens]
    if missing:
        raise ModelLoadError(
            f"{path} is no VieNeu-TTS model: its vocabulary has no {missing[0]}.",
            remedy="Name a VieNeu-TTS model in the option model.",
        )
    return header


def _read(path: Path) -> tuple[GgufHeader, set[bytes]]:
    """Return the header, and those of the markers that are among the tokens."""
    try:
        start = glimpse(path)
        if not start.startswith(_MAGIC):
            raise _no_gguf(path, f"It is {described(start)}.")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data).header()
    except _BrokenError as error:
        raise _no_gguf(path, str(error)) from error
    except OSError as error:
        raise ModelLoadError(f"{path} cannot be read: {error.strerror}.") from error


class _BrokenError(Exception):
    """The file breaks the format; the text says how."""


class _Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(_MAGIC)
        self._markers: set[bytes] = set()
        self._n_tokens = 0

    def header(self) -> tuple[GgufHeader, set[bytes]]:
        version = self._scalar("I")
        if version not in _VERSIONS:
            big = struct.unpack(">I", struct.pack("<I", version))[0] in _VERSIONS
            why = "It is big-endian" if big else f"It has version {version}"
            raise _BrokenError(f"{why}; versions 2 and 3 in little-endian order can be read.")
        n_tensors = self._count(_MOST_TENSORS, "tensors")
        n_keys = self._count(_MOST_KEYS, "metadata keys")
        metadata = dict(self._pair() for _ in range(n_keys))
        sizes = [self._tensor() for _ in range(n_tensors)]
        alignment = metadata.get("general.alignment", 32)
        begin = (
            -(-self._at // alignment) * alignment
            if isinstance(alignment, int) and alignment
            else self._at
        )
        if sizes and begin + max(sizes) >= len(self._data):
            raise _BrokenError("It is truncated: its last tensors are missing.")
        architecture = str(metadata.get("general.architecture", ""))
        length = metadata.get(f"{architecture}.context_length", 0)
        return (
            GgufHeader(
                architecture=architecture,
                name=str(metadata.get("general.name", "")),
                context_length=length if isinstance(length, int) else 0,
                n_tokens=self._n_tokens,
                n_tensors=n_tensors,
                metadata=metadata,
            ),
            self._markers,
        )

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
        """Pass over an array; of the tokens, remember the markers."""
        kind, n_items = self._scalar("I"), self._scalar("Q")
        if kind == _STRING:
            if n_items > len(self._data):
                raise _BrokenError("It is truncated, or a length in it is wrong.")
            if key == _TOKENS:
                self._n_tokens = n_items
                self._take_tokens(n_items)
            else:
                for _ in range(n_items):
                    self._skip(self._scalar("Q"))
        else:
            self._skip(n_items * struct.calcsize(self._format(kind)))

    def _take_tokens(self, n_items: int) -> None:
        wanted = {marker.encode() for marker in MARKERS}
        for _ in range(n_items):
            token = self._string()
            if token in wanted:
                self._markers.add(token)

    def _tensor(self) -> int:
        """Pass over the description of a tensor; return where its data begin."""
        self._string()
        n_dimensions = self._scalar("I")
        if n_dimensions > _MOST_DIMENSIONS:
            raise _BrokenError(f"A tensor in it has {n_dimensions} dimensions.")
        self._skip(8 * n_dimensions + 4)
        offset: int = self._scalar("Q")
        return offset

    def _format(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise _BrokenError(f"It holds a value of an unknown kind ({kind}).")
        return _SCALARS[kind]

    def _count(self, most: int, what: str) -> int:
        count: int = self._scalar("Q")
        if count > most:
            raise _BrokenError(f"It claims to have {count} {what}.")
        return count

    def _string(self) -> bytes:
        length: int = self._scalar("Q")
        start = self._at
        self._skip(length)
        return self._data[start : self._at]

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
        f"{path} is no usable GGUF model. {why}",
        remedy="Delete the file and load again, or name another in the option model.",
    )
