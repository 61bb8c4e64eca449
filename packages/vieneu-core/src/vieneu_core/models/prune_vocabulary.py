"""Removal of unused text tokens from a GGUF: half of a small model is vocabulary.

A VieNeu model reads phonemes and generates codes, but still has the vocabulary of the language
model that it is based on. Each token is a row of the embedding, computed for every code.

Why the speech stays the same, to the last code: the remaining rows are copied unchanged. The text
is split into the same tokens, because a byte-pair tokeniser joins the most frequent pair first, and
never across the boundary of a token. So within a remaining token, only pairs of its own letters are
joined; those pairs are kept, in their order. A text that needs a removed token
is split differently from there on: it is still read, with smaller tokens, but may sound
different. So all tokens are kept that occur in any known word.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.files import replace_durably
from vieneu_core.translatable import Translatable

TRIMMED_KEY = "vieneu.trimmed_from_tokens"
"""Metadata: number of tokens before. Only a pruned model has it."""
ROW_MULTIPLE = 64
"""llama.cpp's fastest matrix multiplication needs a multiple of this number of rows."""
_CONTROL, _USER_DEFINED = 3, 4
_VOCABULARY_TENSORS = ("token_embd.weight", "output.weight")
_TOKENS, _TYPES, _SCORES = (f"tokenizer.ggml.{name}" for name in ("tokens", "token_type", "scores"))
_MERGES = "tokenizer.ggml.merges"

OnPrune = Callable[[int, int], None]
"""Callback for the bytes written, and their total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimReport:
    """Sizes before and after."""

    tokens_before: int
    tokens_after: int
    bytes_before: int
    bytes_after: int


def trim(
    source: Path, target: Path, *, reachable: Collection[int], progress: OnPrune
) -> TrimReport:
    """Write a model without the text tokens that are not reachable. Blocking.

    Args:
        source: The model.
        target: The file to be written, atomically.
        reachable: Tokens that are used. Special tokens, including all speech codes, and single
            bytes are always kept.
        progress: Called with the progress.

    Raises:
        MissingExtraError: the package gguf is not installed.
        ModelLoadError: the source is no such model, or already pruned; or the target cannot be
            written.
    """
    if target.exists() and target.samefile(source):
        raise ModelLoadError(
            Translatable("{source} would be overwritten.", source=source),
            remedy="Name another file for the result.",
        )
    model = _Model.open(source)
    kept = model.kept(reachable)
    part = target.with_name(f".{target.name}.part")
    try:
        model.write(part, kept, progress)
        replace_durably(part, target)
    except OSError as error:
        raise ModelLoadError(
            Translatable(
                "{target} cannot be written: {error}.", target=target, error=error.strerror or error
            ),
            remedy="Free space on that disk, or name a folder that can be written.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return TrimReport(
        tokens_before=len(model.tokens),
        tokens_after=len(kept),
        bytes_before=source.stat().st_size,
        bytes_after=target.stat().st_size,
    )


def check_trimmable(source: Path) -> None:
    """Check what `trim` needs of a model, before its tokens are searched. Blocking.

    Raises:
        MissingExtraError, ModelLoadError: as `trim`.
    """
    _Model.open(source)


class _Model:
    """A GGUF opened for reading."""

    def __init__(self, gguf: Any, reader: Any) -> None:
        self._gguf = gguf
        self._reader = reader
        self.tokens: list[str] = self._value(_TOKENS)
        self._types: list[int] = self._value(_TYPES)
        self._merges: list[str] = self._value(_MERGES)

    @classmethod
    def open(cls, path: Path) -> _Model:
        """Open a model.

        Raises:
            MissingExtraError, ModelLoadError: as `trim`.
        """
        try:
            gguf: Any = import_module("gguf")
        except ImportError as error:
            raise MissingExtraError("Trimming a model", "optimize") from error
        try:
            reader = gguf.GGUFReader(path)
        except (OSError, ValueError, IndexError, KeyError) as error:
            raise _invalid(
                path, Translatable("It cannot be read: {error}.", error=error)
            ) from error
        if TRIMMED_KEY in reader.fields:
            raise ModelLoadError(
                Translatable("{path} has been trimmed already.", path=path),
                remedy="Use it as it is: it needs no pruning.",
            )
        for key in (_TOKENS, _TYPES, _MERGES):
            if key not in reader.fields:
                raise _invalid(path, Translatable("It has no {key}.", key=key))
        return cls(gguf, reader)

    def kept(self, reachable: Collection[int]) -> list[int]:
        """Return the remaining tokens, in their order."""
        special = {i for i, kind in enumerate(self._types) if kind in (_CONTROL, _USER_DEFINED)}
        single = {i for i, token in enumerate(self.tokens) if len(token) == 1}
        ids = {token: i for i, token in enumerate(self.tokens)}
        ranks = {_pair(merge): rank for rank, merge in enumerate(self._merges)}
        kept = special | single
        for token in set(reachable) - kept:
            kept.update(ids[part] for part in _derivation(self.tokens[token], ranks))
        # Filled up with the most frequent other tokens, together with their parts.
        for left, right in map(_pair, self._merges):
            if len(kept) % ROW_MULTIPLE == 0:
                break
            if ids[left] in kept and ids[right] in kept:
                kept.add(ids[left + right])
        return sorted(kept)

    def write(self, path: Path, kept: Sequence[int], progress: OnPrune) -> None:
        """Write the model with only these tokens."""
        writer = self._gguf.GGUFWriter(path, self._value("general.architecture"))
        self._copy_metadata(writer, kept)
        tensors = [(t.name, self._rows(t, kept), t.tensor_type) for t in self._reader.tensors]
        for name, rows, kind in tensors:
            writer.add_tensor_info(name, rows.shape, rows.dtype, rows.nbytes, kind)
        n_all, n_done = sum(rows.nbytes for _, rows, _ in tensors), 0
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for _, rows, _ in tensors:
                writer.write_tensor_data(rows)
                n_done += rows.nbytes
                progress(n_done, n_all)
        finally:
            writer.close()

    def _rows(self, tensor: Any, kept: Sequence[int]) -> Any:
        """Return a tensor's data; for vocabulary tensors only the remaining rows, unchanged."""
        data = tensor.data
        return data[list(kept)] if tensor.name in _VOCABULARY_TENSORS else data

    def _copy_metadata(self, writer: Any, kept: Sequence[int]) -> None:
        new_ids = {old: new for new, old in enumerate(kept)}
        for key, field in self._reader.fields.items():
            if key.startswith("GGUF.") or key == "general.architecture":
                continue  # the writer adds its own
            value = field.contents()
            if key in (_TOKENS, _TYPES, _SCORES):
                value = [value[i] for i in kept]
            elif key == _MERGES:
                value = list(self._kept_merges({self.tokens[i] for i in kept}))
            elif key.startswith("tokenizer.ggml.") and key.endswith("_token_id"):
                if value not in new_ids:
                    continue
                value = new_ids[value]
            elif key.endswith(".vocab_size"):
                value = len(kept)
            writer.add_key_value(key, value, field.types[0], _element_type(field))
        writer.add_uint32(TRIMMED_KEY, len(self.tokens))

    def _kept_merges(self, tokens: Collection[str]) -> Iterator[str]:
        for merge in self._merges:
            left, right = _pair(merge)
            if left in tokens and right in tokens and left + right in tokens:
                yield merge

    def _value(self, key: str) -> Any:
        return self._reader.fields[key].contents()


def _pair(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right


def _derivation(token: str, ranks: dict[tuple[str, str], int]) -> Iterator[str]:
    """Yield the token and all tokens that it is joined from, in the tokeniser's order."""
    parts = list(token)
    while len(parts) > 1:
        costs = [ranks.get(pair, len(ranks)) for pair in pairwise(parts)]
        best = costs.index(min(costs))
        joined = (parts[best], parts[best + 1])
        if joined not in ranks:
            break  # a token without a merge: it is used as it is, or never
        parts[best : best + 2] = ["".join(joined)]
        yield parts[best]
    yield token


def _element_type(field: Any) -> Any:
    return field.types[-1] if len(field.types) > 1 else None


def _invalid(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable("{path} is no GGUF model that could be trimmed. {why}", path=path, why=why),
        remedy="Name a VieNeu model in GGUF format.",
    )
