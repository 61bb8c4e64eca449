"""Longest plausible audio of a sentence by the SDK, which does not report a missed end.

v3 Turbo stops at a number of frames that depends on the phonemes, the other models only
when their context is full, after half a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from vieneu_core.engines.sdk.options import SdkMode
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.translatable import Translatable

_FRAME_S = 0.08
"""Frame length of v3 Turbo's codec, in seconds."""
_MOST_FRAMES, _MOST_CHARS = 300, 256
"""Limits of a text part in v3 Turbo's `infer_stream`."""
_FEW_SYLLABLES = 3
"""Up to here, the SDK's `infer` detects babble and retries; its `infer_stream` does not."""
_LEAST_S, _LONGEST_S_PER_LETTER = 3.0, 0.3


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of a sentence."""

    longest_s: float
    """Longest plausible audio, in seconds; more is babble."""
    short: bool = False
    """Whether it is short enough to be made as a whole, and checked by the SDK itself."""


def limits_of(mode: SdkMode, sdk: Any) -> Callable[[str], Limit]:
    """Return a function from a sentence in words to its limits."""
    if mode is SdkMode.V3_TURBO:
        return _TurboLimits(whole_is_guarded=getattr(sdk, "backend", "") == "onnx")
    if mode is SdkMode.V3_NANO:
        return _NanoLimits(sdk.engine.vocab)
    return _roughly


class _TurboLimits:
    """Limits as computed by the SDK."""

    def __init__(self, *, whole_is_guarded: bool) -> None:
        self._text: Any = import_module("vieneu_utils.phonemize_text")
        self._tools: Any = import_module("vieneu_utils.core_utils")
        self._whole_is_guarded = whole_is_guarded

    def __call__(self, words: str) -> Limit:
        chunks, _ = self._text.normalize_to_chunks_v3_with_gaps(words, max_chars=_MOST_CHARS)
        phonemes = [self._text.phonemize_text_with_emotions(chunk) for chunk in chunks]
        frames = [min(_MOST_FRAMES, self._tools.max_expected_frames(each)) for each in phonemes]
        n_syllables = sum(map(self._tools.syllable_count, phonemes))
        return Limit(
            longest_s=sum(frames) * _FRAME_S,
            short=self._whole_is_guarded and n_syllables <= _FEW_SYLLABLES,
        )


class _NanoLimits:
    """Limits of the flow model, whose duration is given; but it drops unknown phonemes."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._text: Any = import_module("vieneu_utils.phonemize_text")
        self._vocabulary = vocabulary

    def __call__(self, words: str) -> Limit:
        phonemes = self._text.phonemize_text_with_emotions(words)
        unknown = {sign for sign in phonemes if sign.isalpha() and sign not in self._vocabulary}
        if unknown:
            raise SynthesisFailedError(
                Translatable(
                    "The model has no token for {unknown} and would omit it.",
                    unknown=", ".join(sorted(unknown)),
                )
            )
        return _roughly(words)


def _roughly(words: str) -> Limit:
    """Return a limit of 0.3 s per letter, far slower than any speaker."""
    return Limit(longest_s=_LEAST_S + len(words) * _LONGEST_S_PER_LETTER)
