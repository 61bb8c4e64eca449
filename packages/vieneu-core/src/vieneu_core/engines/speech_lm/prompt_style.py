"""Search for the style in which a model is prompted: its format, and the emotion before the text.

Upstream tells models apart by the name of their repository. A copy under another name, a pruned or
a fine-tuned model has none, so each possible style is tried: after a prompt in the style of the
training, the recorded codes of a preset voice are more likely than after any other prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite, isnan

from vieneu_core.engines.speech_lm.model import CodeModelSettings, PromptStyle, ReferencePrompt
from vieneu_core.errors import ModelLoadError
from vieneu_core.text.emotions import EMOTIONS

NATURAL = "<|emotion_0|>"
"""Upstream's token for natural speech."""
SAMPLE_CODES = (12, 50)
"""Codes of a voice that are scored: so few, then more where these do not decide."""
_DECISIVE = 6.0
"""Difference of the logarithms of two likelihoods: one is 400 times as large as the other."""
_NO_DIFFERENCE = 1e-3
"""Differences of the mean logarithm below this are rounding; then the first style is kept."""

Score = Callable[[PromptStyle, ReferencePrompt], float]
"""Returns the mean log-likelihood of a voice's codes after a prompt with its own text."""
IsToken = Callable[[str], bool]
"""Returns whether the tokenizer has a text as one token."""


def find_style(settings: CodeModelSettings, is_token: IsToken, score: Score) -> PromptStyle:
    """Return the likeliest style of those in the settings.

    An emotion that the tokenizer lacks as one token is dropped: as text it would be a dozen tokens
    that the model has never seen there.

    Raises:
        ModelLoadError: the model's output is not made of numbers, in none of the styles.
    """
    named = (settings.style, *settings.alternatives)
    styles = list(dict.fromkeys(_readable(style, is_token) for style in named))
    if len(styles) == 1 or settings.sample is None:
        return styles[0]
    for n_codes in SAMPLE_CODES:
        sample = replace(settings.sample, codes=settings.sample.codes[:n_codes])
        scores = {style: _number(score(style, sample)) for style in styles}
        best = max(scores.values())
        if not isfinite(best):
            raise ModelLoadError(
                "The model's output is not made of numbers, however it is prompted.",
                remedy="Load the model again, or name another in the option model.",
            )
        clear = _DECISIVE / max(1, len(sample.codes))
        styles = [style for style in styles if scores[style] >= best - clear]
        if len(styles) == 1:
            break
    return next(style for style in styles if scores[style] >= best - _NO_DIFFERENCE)


def emotions_of(is_token: IsToken) -> frozenset[str]:
    """Return the tokens of emotions within a text that a tokenizer has."""
    return frozenset(filter(is_token, EMOTIONS.values()))


def _number(score: float) -> float:
    """Return a score; NaN, which an overflow leaves, is the worst."""
    return -inf if isnan(score) else score


def _readable(style: PromptStyle, is_token: IsToken) -> PromptStyle:
    lacks = style.emotion and not is_token(style.emotion)
    return replace(style, emotion="") if lacks else style
