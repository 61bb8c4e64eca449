"""Limits on the codes for one prompt. More codes mean that the model has failed."""

from __future__ import annotations

from vieneu_core.engines.speech_lm.model import CODES_PER_S, CodePrompt, Sampling
from vieneu_core.errors import TextTooLongError
from vieneu_core.translatable import Translatable

LONGEST_CODES_PER_PHONEME = 15
"""0.3 s for each phoneme character, far slower than any speaker."""
_LEAST_S = 3.0


def most_codes(prompt: CodePrompt) -> int:
    """Return the largest plausible number of codes of a sentence."""
    return round(_LEAST_S * CODES_PER_S) + LONGEST_CODES_PER_PHONEME * len(prompt.phonemes)


def fewest_codes(prompt: CodePrompt, sampling: Sampling) -> int:
    """Return the number of codes before which a sentence does not end.

    A minimum that is made for whole sentences is not for a word: it gets half of its largest
    plausible number, so that no noise is added to it.
    """
    return min(sampling.min_codes, most_codes(prompt) // 2)


def room_for_codes(n_prompt: int, n_context: int) -> int:
    """Return how many codes fit into the context after a prompt of this many tokens.

    Raises:
        TextTooLongError: too few.
    """
    room = n_context - n_prompt
    if room < CODES_PER_S:
        raise TextTooLongError(
            Translatable(
                "A sentence and its voice have {n_prompt} tokens; the context has {n_context}.",
                n_prompt=n_prompt,
                n_context=n_context,
            ),
            remedy="Use shorter sentences, a voice of a shorter clip, or a larger option context.",
        )
    return room
