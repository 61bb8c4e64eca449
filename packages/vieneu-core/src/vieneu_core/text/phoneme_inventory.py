"""Phonemes of all words of sea-g2p: everything that a VieNeu model may have to read.

sea-g2p cannot list its words, so they are read from its data file: a pool of
zero-terminated strings, words and phonemes mixed. Strings that are no words are harmless: they
only make the list of phonemes longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.installation import install_command
from vieneu_core.translatable import Translatable

_FILE, _MAGIC = "sea_g2p.bin", b"SEAP"
_LETTERS = "a-zà-öø-ýăĩũơưạ-ỹđ"
_WORD = re.compile(rf"\0([{_LETTERS}]['\u2019{_LETTERS}-]{{0,29}})(?=\0)")
_CHUNK_BYTES, _LONGEST_BYTES = 1 << 22, 256
_BATCH = 100_000
_AT_LEAST = 100_000


def dictionary_phonemes() -> Iterator[str]:
    """Yield the phonemes of every known word, about a million, with repetitions. Blocking.

    Raises:
        MissingExtraError: sea-g2p is not installed.
        ModelLoadError: the format of its dictionary is unknown.
    """
    library = _library()
    convert = library.G2P().phonemize_batch
    n_words = 0
    path = Path(library.__file__).parent / _FILE
    words = _words(path)
    while batch := list(islice(words, _BATCH)):
        n_words += len(batch)
        yield from convert(batch)
    if n_words < _AT_LEAST:
        raise _unknown(path)
    # Spelled letters, and strings that may stand for a word.
    yield from convert([*ascii_lowercase, *map("".join, product(ascii_lowercase, repeat=3))])


def _words(path: Path) -> Iterator[str]:
    rest = b""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise _unknown(path)
            while part := file.read(_CHUNK_BYTES):
                text = (rest + part).decode(errors="replace")
                yield from (found[1] for found in _WORD.finditer(text))
                rest = (rest + part)[-_LONGEST_BYTES:]  # a word at the boundary is found twice
    except OSError as error:
        raise _unknown(path) from error


def _unknown(path: Path) -> ModelLoadError:
    return ModelLoadError(
        Translatable("The dictionary {path} is not one that is known here.", path=path),
        remedy=Translatable(
            "Install sea-g2p 0.10: {command}", command=install_command("sea-g2p>=0.10,<0.11")
        ),
    )


def _library() -> Any:
    try:
        return import_module("sea_g2p")
    except ImportError as error:
        raise MissingExtraError("Listing what can be pronounced", "model") from error
