"""Limits on the codes for one prompt. More or fewer codes mean that the model has failed.

The limits by phonemes and syllables are those that upstream uses for v3, whose frames have 80 ms,
or four codes (https://github.com/pnnbao97/VieNeu-TTS, ``core_utils.py`` and
``v3_turbo_serve/engine.py`` of 3.8.3). Upstream states what it measured: half of 129 790 recordings
have up to 0.53 frames for each character of their phonemes, 99 % up to 1.10, and 99.99 % less than
2.0 and 24 more; a syllable alone has 6 to 9 frames, two have 6 to 10, three or four 12 to 15.
"""

from __future__ import annotations

from dataclasses import dataclass

from vieneu_core.engines.speech_lm.model import CODES_PER_S, CodePrompt, Sampling
from vieneu_core.engines.speech_lm.prompt import SPECIAL_TOKEN
from vieneu_core.errors import EndlessSentenceError, TextTooLongError
from vieneu_core.text.phonemize import count_syllables
from vieneu_core.translatable import Translatable

_PER_PHONEME = 8
"""0.16 s for each phoneme character, four times as slow as half of all recordings."""
_SPARE_CODES = 96
_ONE_SYLLABLE, _MORE_SYLLABLE, _FEW_SYLLABLES = 52, 20, 4
"""Largest number of codes of one syllable, of each further one, and how many it is for."""
_LONGEST_SYLLABLE = 24
"""Characters. Longer ones are several words in one."""
_USUAL_PER_PHONEME, _USUAL_SPARE, _USUAL_FEW = 4.4, 24, 64
_FEWEST_CODES = 12
_HALF_PER_PHONEME = 2.12
_SHORTEST = {1: 24, 2: 24, 3: 48, 4: 48}
"""Codes of the shortest recordings with so many syllables."""
_NEVER_CODES, _NEVER_PER_PHONEME = 150, 15
_SLOW_VOICE, _SLOWEST = 2 * _HALF_PER_PHONEME, 3.0
"""Codes per character of a voice that is twice as slow as half of all recordings; and the largest
factor by which its limits grow."""


@dataclass(frozen=True, slots=True)
class Length:
    """Number of codes of a sentence."""

    fewest: int
    """With fewer, its end comes far too early."""
    usual: int
    """Hardly a sentence has more. 0: it is so short that a second word would go unnoticed."""
    most: int
    """With so many, its end comes far too late."""

    def allows(self, n_codes: int) -> bool:
        """Return whether a sentence may have this many codes."""
        late = self.most - 4 if self.usual == 0 else self.most
        return self.fewest <= n_codes < late


def length_of(prompt: CodePrompt) -> Length:
    """Return the plausible length of a sentence, the codes included with which it begins."""
    sounds = SPECIAL_TOKEN.sub("", prompt.phonemes)
    most, usual = _SPARE_CODES + _PER_PHONEME * len(sounds), 0.0
    n_syllables = max(1, count_syllables(sounds))
    is_few = n_syllables <= _FEW_SYLLABLES and len(sounds) <= _LONGEST_SYLLABLE * n_syllables
    if is_few and sounds == prompt.phonemes:  # a laugh takes its time
        most = min(most, _ONE_SYLLABLE + _MORE_SYLLABLE * (n_syllables - 1))
        usual = _USUAL_FEW if n_syllables > 2 else 0  # noqa: PLR2004 - what upstream measured
    else:
        usual = _USUAL_SPARE + _USUAL_PER_PHONEME * len(sounds)
    slower = _slowness(prompt)
    return Length(
        fewest=max(_FEWEST_CODES, len(sounds)),
        usual=round(usual * slower),
        most=round(most * slower),
    )


def most_codes(prompt: CodePrompt) -> int:
    """Return the number of codes at which a model gives up; its caller stops it much earlier."""
    most = _NEVER_CODES + _NEVER_PER_PHONEME * len(prompt.phonemes)
    return round(most * _slowness(prompt)) - len(prompt.begun)


def fewest_codes(prompt: CodePrompt, sampling: Sampling, room: int) -> int:
    """Return the number of codes before which a sentence does not end.

    A minimum that is made for whole sentences is not for a word, to which it would add noise: it is
    never more than half of all recordings have for the same phonemes, or the shortest for so few.

    Args:
        prompt: The sentence.
        sampling: Contains the minimum.
        room: Codes that fit into the context, of which half are for the end.
    """
    sounds = SPECIAL_TOKEN.sub("", prompt.phonemes)
    shortest = _SHORTEST.get(count_syllables(sounds), sampling.min_codes)
    least = min(sampling.min_codes, shortest, round(_HALF_PER_PHONEME * len(sounds)))
    return max(0, min(least - len(prompt.begun), room // 2))


def _slowness(prompt: CodePrompt) -> float:
    """Return the factor of a slow voice: its clip tells; 1 for all others."""
    n_sounds = len(SPECIAL_TOKEN.sub("", prompt.reference.phonemes))
    pace = len(prompt.reference.codes) / max(1, n_sounds)
    return min(_SLOWEST, max(1.0, pace / _SLOW_VOICE))


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


def endless(name: str) -> EndlessSentenceError:
    """Return the error of a model of this name that went on until a limit."""
    return EndlessSentenceError(Translatable("The model {name} did not end a sentence.", name=name))
