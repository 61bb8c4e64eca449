"""Sampling of the next token from a model's logits: a speech code, or the end of the speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.engines.speech_lm.model import Sampling
from vieneu_core.engines.speech_lm.prompt import SpeechVocabulary
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 256
"""Logits are processed in blocks of this size; the number of codes is a multiple of it."""
BOUNDS = {
    "temperature": (0.0, 5.0),
    "top_k": (1, 1000),
    "top_p": (0.01, 1.0),
    "min_p": (0.0, 1.0),
    "min_codes": (0, 1000),
}
"""Least and largest value of each parameter."""


class CodeSampler:
    """Samples only speech codes and the end token, so that the model cannot generate text.

    Args:
        vocabulary: Tokens of the speech codes.
        sampling: Parameters.

    Raises:
        ModelLoadError: a parameter is out of its range.
    """

    def __init__(self, vocabulary: SpeechVocabulary, sampling: Sampling) -> None:
        import numpy as np

        _check(sampling)
        self._codes = slice(vocabulary.first_code, vocabulary.first_code + vocabulary.n_codes)
        self._end = vocabulary.end
        self._sampling = sampling
        self._top_k = sampling.top_k
        self._random = np.random.default_rng(sampling.seed)

    def draw(self, logits: NDArray[np.float32], *, may_end: bool = True) -> int:
        """Return a token.

        Args:
            logits: Logits of all tokens, of shape (n_vocab,).
            may_end: Whether the end is one of the candidates.

        Raises:
            SynthesisFailedError: the logits are NaN.
        """
        tokens, odds = self.odds(logits, may_end=may_end)
        heap = odds.cumsum()
        at = int(heap.searchsorted(self._random.random() * heap[-1], side="right"))
        return int(tokens[min(at, len(tokens) - 1)])

    def odds(
        self, logits: NDArray[np.float32], *, may_end: bool = True
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the tokens that may be drawn and their probabilities, the likeliest first.

        The order is that of llama.cpp: top_k, top_p, min_p, and the temperature last.

        Raises:
            SynthesisFailedError: the logits are NaN.
        """
        import numpy as np

        tokens, values = self._candidates(logits, may_end=may_end)
        how = self._sampling
        if how.temperature == 0.0:
            return tokens[:1], np.ones(1)
        values, tokens = values[: how.top_k], tokens[: how.top_k]
        if how.top_p is not None and how.top_p < 1.0:
            n_kept = 1 + int(_softmax(values).cumsum().searchsorted(how.top_p))
            values, tokens = values[:n_kept], tokens[:n_kept]
        if how.min_p:
            n_kept = int((values >= values[0] + np.log(how.min_p)).sum())
            values, tokens = values[:n_kept], tokens[:n_kept]
        return tokens, _softmax(values / how.temperature)

    def _candidates(
        self, logits: NDArray[np.float32], *, may_end: bool
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the likeliest codes, and the end, with their logits in descending order."""
        import numpy as np

        codes = logits[self._codes]
        peaks = codes.reshape(-1, _BLOCK).max(axis=1)
        if not float(peaks.max()) > float("-inf"):  # also true for NaN
            raise SynthesisFailedError("The model's output is not made of numbers.")
        indices = self._likeliest(codes, peaks)
        tokens = indices + self._codes.start
        if may_end:
            tokens = np.append(tokens, self._end)
        values = logits[tokens].astype(np.float64)
        order = np.argsort(-values, kind="stable")
        return tokens[order], values[order]

    def _likeliest(
        self, codes: NDArray[np.float32], peaks: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Return the indices of the top_k largest logits.

        top_k blocks have a peak at or above the top_k-th largest peak, so no logit below that
        peak is among the largest, and few candidates are left to sort.
        """
        import numpy as np

        if len(peaks) > self._top_k:
            indices = np.flatnonzero(codes >= np.partition(peaks, -self._top_k)[-self._top_k])
        else:
            indices = np.arange(len(codes))
        if len(indices) <= self._top_k:
            return indices
        return indices[np.argpartition(codes[indices], -self._top_k)[-self._top_k :]]


def log_likelihood(logits: NDArray[np.float32], token: int) -> float:
    """Return the logarithm of a token's probability among all tokens."""
    import numpy as np

    shifted = logits.astype(np.float64) - float(logits.max())
    return float(shifted[token] - np.log(np.exp(shifted).sum()))


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    raised = np.exp(values - values.max())
    odds: NDArray[np.float64] = raised / raised.sum()
    return odds


def _check(sampling: Sampling) -> None:
    for name, (least, most) in BOUNDS.items():
        value = getattr(sampling, name)
        if value is not None and not least <= value <= most:
            raise ModelLoadError(
                Translatable("The option {name} is {value}.", name=name, value=value),
                remedy=Translatable(
                    "Choose one from {least:g} to {most:g}.", least=least, most=most
                ),
            )
