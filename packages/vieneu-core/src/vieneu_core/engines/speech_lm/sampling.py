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
_MAX_TEMPERATURE, _MAX_TOP_K = 5.0, 1000


class CodeSampler:
    """Samples only speech codes and the end token, so that the model cannot generate text.

    Args:
        vocabulary: Tokens of the speech codes.
        sampling: Parameters.

    Raises:
        ModelLoadError: temperature or top_k is out of its range.
    """

    def __init__(self, vocabulary: SpeechVocabulary, sampling: Sampling) -> None:
        import numpy as np

        _check(sampling)
        self._codes = slice(vocabulary.first_code, vocabulary.first_code + vocabulary.n_codes)
        self._end = vocabulary.end
        self._temperature = sampling.temperature
        self._top_k = sampling.top_k
        self._random = np.random.default_rng(sampling.seed)

    def draw(self, logits: NDArray[np.float32]) -> int:
        """Return a token.

        Args:
            logits: Logits of all tokens, of shape (n_vocab,).

        Raises:
            SynthesisFailedError: the logits are NaN.
        """
        codes = logits[self._codes]
        end = float(logits[self._end])
        peaks = codes.reshape(-1, _BLOCK).max(axis=1)
        best = float(peaks.max())
        if not best > float("-inf"):  # also true for NaN
            raise SynthesisFailedError("The model's output is not made of numbers.")
        if self._temperature == 0.0 or self._top_k == 1:
            return self._end if end > best else self._codes.start + int(codes.argmax())
        return self._drawn(codes, peaks, end)

    def _drawn(self, codes: NDArray[np.float32], peaks: NDArray[np.float32], end: float) -> int:
        import numpy as np

        indices = self._likeliest(codes, peaks)
        values = np.append(codes[indices], np.float32(end)).astype(np.float64)
        if len(values) > self._top_k:  # the end token is one of the candidates
            keep = np.argpartition(values, -self._top_k)[-self._top_k :]
        else:
            keep = np.arange(len(values))
        odds = np.exp((values[keep] - values[keep].max()) / self._temperature).cumsum()
        at = int(keep[np.searchsorted(odds, self._random.random() * odds[-1], side="right")])
        return self._end if at == len(indices) else self._codes.start + int(indices[at])

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


def _check(sampling: Sampling) -> None:
    if not 0.0 <= sampling.temperature <= _MAX_TEMPERATURE:
        raise ModelLoadError(
            Translatable(
                "The option temperature is {temperature}.", temperature=sampling.temperature
            ),
            remedy=Translatable(
                "Choose one from 0 to {max_temperature:g}.", max_temperature=_MAX_TEMPERATURE
            ),
        )
    if not 1 <= sampling.top_k <= _MAX_TOP_K:
        raise ModelLoadError(
            Translatable("The option top_k is {top_k}.", top_k=sampling.top_k),
            remedy=Translatable("Choose one from 1 to {max_top_k}.", max_top_k=_MAX_TOP_K),
        )
