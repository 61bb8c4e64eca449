"""Batched generation of several sentences on PyTorch: one code of each per step.

The entries of a cache row need not be adjacent: masked columns have no effect.
So sentences can join a running batch, their prompts are evaluated in
pieces while the others continue, and the common beginning of all prompts is evaluated once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from importlib import import_module
from inspect import signature
from typing import Any

from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice
from vieneu_core.engines.pytorch.drawer import Drawer
from vieneu_core.engines.speech_lm.limits import endless
from vieneu_core.engines.speech_lm.prompt import shared_length
from vieneu_core.errors import SynthesisFailedError

TOKENS_AT_ONCE = {DeviceChoice.CPU: 128, DeviceChoice.MPS: 256, DeviceChoice.CUDA: 1024}
"""Tokens evaluated per step, for all sentences together; cancellation is checked between steps."""


class Row:
    """One sentence of a batch.

    Args:
        tokens: Tokens of its prompt.
        n_most: Largest number of codes.
        model: Name of the model, for people.
        n_least: Number of codes before which it does not end.
    """

    def __init__(self, tokens: list[int], n_most: int, model: str, n_least: int = 0) -> None:
        self.tokens = tokens
        self.made: deque[int] = deque()
        """Generated codes that have not been read yet."""
        self.n_made = 0
        self.ended = False
        self.error: SynthesisFailedError | None = None
        self.pending = tokens
        """Tokens that are not in the cache yet."""
        self.n_leading = 0
        """Number of prompt tokens that fill the first columns of the cache without a gap."""
        self._n_most = n_most
        self._n_least = n_least
        self._model = model

    @property
    def n_fed(self) -> int:
        """Number of tokens in the cache."""
        return len(self.tokens) + self.n_made - len(self.pending)

    @property
    def may_end(self) -> bool:
        """Whether the end may be drawn."""
        return self.n_made >= self._n_least

    def join(self, n_shared: int) -> None:
        """Start with this many tokens in the first columns of the cache."""
        self.pending = self.tokens[n_shared:]
        self.n_leading = n_shared

    def feed(self, n_most: int) -> list[int]:
        """Return the next tokens for the cache."""
        fed, self.pending = self.pending[:n_most], self.pending[n_most:]
        return fed

    def take(self, token: int, code: int | None) -> None:
        """Add the next code; None means the end."""
        if code is None:
            self.ended = True
            return
        self.made.append(code)
        self.n_made += 1
        self.pending = [token]
        if self.n_made == self._n_most:
            self.ended = True
            self.error = endless(self._model)


class Batch:
    """The KV cache and the sentences in it.

    Args:
        model: Model of transformers.
        device: Device of the model.
        draw: Draws the next tokens from logits.
    """

    def __init__(self, model: Any, device: TorchDevice, draw: Drawer) -> None:
        self._model = model
        self._torch = device.torch
        self._kind = device.kind
        self._at_once = TOKENS_AT_ONCE[DeviceChoice(device.kind)]
        self._draw = draw
        # transformers 5 names it cache, earlier versions past_key_values
        takes = signature(model.forward).parameters
        self._cache_name = "cache" if "cache" in takes else "past_key_values"
        self._rows: list[Row] = []
        """Rows of the cache in its order: all are unfinished, or one is left from a batch."""
        self.clear()

    def clear(self) -> None:
        """Remove all sentences."""
        self._rows = []
        self._cache: Any = None
        self._mask = self._tensor([[]])

    @property
    def is_active(self) -> bool:
        """Return whether a sentence is unfinished."""
        return any(not row.ended for row in self._rows)

    def admit(self, rows: Sequence[Row]) -> None:
        """Add sentences; prompt tokens shared with the first row are not evaluated again."""
        shared = [self._n_shared(row) for row in rows]
        for row, n_shared in zip(rows, shared, strict=True):
            row.join(n_shared)
        staying = self._rows if self.is_active else []
        if not staying:
            self._crop(max(shared))
        n_columns = self._mask.shape[1]
        own = [[1] * n + [0] * (n_columns - n) for n in shared]
        self._select([*range(len(staying)), *[0] * len(rows)])
        self._mask[len(staying) :] = self._tensor(own)
        self._rows = [*staying, *rows]

    def keep(self, rows: Collection[Row]) -> None:
        """Remove all sentences but these."""
        for row in self._rows:
            row.ended = row.ended or row not in rows
        self._compact()

    def step(self) -> None:
        """Generate the next code of each sentence, or evaluate the next part of its prompt.

        Raises:
            NotFiniteError: the model's output is NaN.
        """
        width = min(
            max(1, self._at_once // len(self._rows)), max(len(row.pending) for row in self._rows)
        )
        out = self._evaluate(width)
        # Padded on the left: the last tokens of all rows are in the last column.
        tokens = self._draw(out.logits[:, -1], [row.may_end for row in self._rows])
        for row, token in zip(self._rows, tokens, strict=True):
            if not row.pending:
                row.take(token, self._draw.code(token))
        self._compact()

    def _evaluate(self, width: int) -> Any:
        n_columns = self._mask.shape[1]
        ids, shown, positions = [], [], []
        for row in self._rows:
            first = row.n_fed
            fed = row.feed(width)
            padding = [0] * (width - len(fed))
            if not padding and row.n_leading == n_columns:
                row.n_leading = min(n_columns + width, len(row.tokens))
            ids.append(padding + fed)
            shown.append(padding + [1] * len(fed))
            positions.append([*padding, *range(first, first + len(fed))])
        self._mask = self._torch.cat([self._mask, self._tensor(shown)], dim=1)
        return self._model(
            input_ids=self._tensor(ids),
            attention_mask=self._mask,
            position_ids=self._tensor(positions),
            use_cache=True,
            logits_to_keep=1,
            **{self._cache_name: self._cache},
        )

    def _n_shared(self, row: Row) -> int:
        if not self._rows:
            return 0
        first = self._rows[0]
        n_shared = shared_length(first.tokens[: first.n_leading], row.tokens)
        return min(n_shared, len(row.tokens) - 1)  # the last token's logits are needed

    def _crop(self, n_columns: int) -> None:
        """Keep only the first columns."""
        n_more = self._mask.shape[1] - n_columns
        if n_columns == 0:
            self._cache = import_module("transformers").DynamicCache()
        elif n_more:
            self._cache.crop(-n_more)  # all versions treat a negative number alike
        self._mask = self._mask[:, :n_columns]

    def _compact(self) -> None:
        """Keep the unfinished rows; if there are none, one whose beginning can be reused."""
        active = [index for index, row in enumerate(self._rows) if not row.ended]
        chosen = active or list(range(len(self._rows)))[:1]
        if len(chosen) < len(self._rows):
            self._select(chosen)
            self._rows = [self._rows[index] for index in chosen]

    def _select(self, indices: list[int]) -> None:
        chosen = self._tensor(indices)
        self._cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]

    def _tensor(self, numbers: Sequence[int | Sequence[int]]) -> Any:
        return self._torch.tensor(numbers, dtype=self._torch.long, device=self._kind)
