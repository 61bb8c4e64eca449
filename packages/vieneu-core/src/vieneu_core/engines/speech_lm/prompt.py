"""Prompt of a VieNeu model: a sentence and a voice as tokens.

Both formats are those of https://github.com/pnnbao97/VieNeu-TTS (`standard.py`). The text of the
reference and the new text come before the codes of the reference; the model continues
with the codes of the new text. So two sentences with one voice share only the beginning, up
to the new text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vieneu_core.engines.speech_lm.model import (
    CodeModelSettings,
    CodePrompt,
    PromptStyle,
    ReferencePrompt,
)
from vieneu_core.engines.speech_lm.prompt_style import emotions_of, find_style
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.models.catalogue import PromptFormat
from vieneu_core.text.emotions import EMOTIONS
from vieneu_core.translatable import Translatable

N_CODES = 65_536
"""Number of NeuCodec's speech codes (16 bits)."""
SPEECH_START, SPEECH_END = "<|SPEECH_GENERATION_START|>", "<|SPEECH_GENERATION_END|>"
TEXT_START, TEXT_END = "<|TEXT_PROMPT_START|>", "<|TEXT_PROMPT_END|>"
CHAT_HEAD, CHAT_TAIL = "user: Convert the text to speech:", "\nassistant:"
_ALL_EMOTIONS = frozenset(EMOTIONS.values())
SPECIAL_TOKEN = re.compile(r"<\|.*?\|>")


Encode = Callable[[str], list[int]]
"""Tokenises a text; special tokens in it are recognized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechVocabulary:
    """Speech tokens of a model."""

    first_code: int
    """Token of code 0; the others follow in order."""
    n_codes: int
    end: int
    """Token that ends the speech."""

    @classmethod
    def of(cls, encode: Encode, *, n_codes: int = N_CODES) -> SpeechVocabulary:
        """Find the tokens by their names.

        Raises:
            ModelLoadError: the model lacks them, or they are not in the order of the codes.
        """
        first = _only_token(encode, speech_token(0))
        for count in (n_codes, *_SMALLER):
            last = _token_or_none(encode, speech_token(count - 1))
            if last == first + count - 1:
                end = _only_token(encode, SPEECH_END)
                for marker in (SPEECH_START, TEXT_START, TEXT_END):
                    _only_token(encode, marker)
                return cls(first_code=first, n_codes=count, end=end)
        raise ModelLoadError(
            "The model's speech codes are not in order in its vocabulary.",
            remedy="Use a VieNeu-TTS model; vieneu doctor lists those that are known.",
        )

    def token(self, code: int) -> int:
        """Return the token of a code.

        Raises:
            SynthesisFailedError: the model has no such code.
        """
        if not 0 <= code < self.n_codes:
            raise SynthesisFailedError(
                Translatable("The voice has the code {code}, which the model lacks.", code=code)
            )
        return self.first_code + code

    def code(self, token: int) -> int | None:
        """Return the code of a token; None if it is no speech code."""
        code = token - self.first_code
        return code if 0 <= code < self.n_codes else None


_SMALLER = tuple(N_CODES >> shift for shift in range(1, 9))
"""Sizes of vocabularies that contain only the first codes."""


def speech_token(code: int) -> str:
    """Return the name of a code's token."""
    return f"<|speech_{code}|>"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptWriter:
    """Writes prompts for one model.

    Args:
        encode: The model's tokeniser.
        vocabulary: Its speech tokens.
        format: Prompt format of its training.
        emotion: Token before the text, such as ``<|emotion_0|>``; empty for none.
        emotions: Emotions within a text that the tokeniser has as tokens.
    """

    encode: Encode
    vocabulary: SpeechVocabulary
    format: PromptFormat
    emotion: str = ""
    emotions: frozenset[str] = _ALL_EMOTIONS

    @classmethod
    def of(
        cls,
        encode: Encode,
        vocabulary: SpeechVocabulary,
        settings: CodeModelSettings,
        likelihood: Callable[[list[int], list[int]], float],
    ) -> PromptWriter:
        """Create the writer for a model's settings.

        Args:
            encode: As of the class.
            vocabulary: As of the class.
            settings: Contain the styles that are possible.
            likelihood: Returns the mean log-likelihood of the second tokens after the first ones.
        """

        def is_token(name: str) -> bool:
            return _token_or_none(encode, name) is not None

        def score(style: PromptStyle, sample: ReferencePrompt) -> float:
            before = encode(framed(sample.phonemes, style, emotions))
            return likelihood(before, [vocabulary.token(code) for code in sample.codes])

        emotions = emotions_of(is_token)
        style = find_style(settings, is_token, score)
        return cls(
            encode=encode,
            vocabulary=vocabulary,
            format=style.format,
            emotion=style.emotion,
            emotions=emotions,
        )

    @property
    def style(self) -> PromptStyle:
        """Format and emotion."""
        return PromptStyle(format=self.format, emotion=self.emotion)

    def tokens(self, prompt: CodePrompt) -> list[int]:
        """Return the tokens of a prompt.

        Raises:
            SynthesisFailedError: the voice has a code that the model lacks.
        """
        # The codes are many and their tokens are known, so they are not converted to text and back.
        given = (*prompt.reference.codes, *prompt.begun)
        codes = [self.vocabulary.token(code) for code in given]
        return [*self.encode(framed_text(prompt, self.style, self.emotions)), *codes]


def framed_text(
    prompt: CodePrompt, style: PromptStyle, emotions: frozenset[str] = _ALL_EMOTIONS
) -> str:
    """Return the text of a prompt, up to the codes of the reference."""
    return framed(f"{prompt.reference.phonemes} {prompt.phonemes}", style, emotions)


def framed(phonemes: str, style: PromptStyle, emotions: frozenset[str]) -> str:
    """Return phonemes as the text of a prompt, up to the first code."""
    text = f"{TEXT_START}{style.emotion}{only_emotions(phonemes, emotions)}{TEXT_END}"
    if style.format is PromptFormat.CHAT:
        text = f"{CHAT_HEAD}{text}{CHAT_TAIL}"
    return text + SPEECH_START


def only_emotions(phonemes: str, emotions: frozenset[str] = _ALL_EMOTIONS) -> str:
    """Remove all special tokens except these emotions: a text must not control the model."""
    return SPECIAL_TOKEN.sub(lambda found: found[0] if found[0] in emotions else " ", phonemes)


def shared_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Return the number of tokens that two prompts share at the beginning."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def _only_token(encode: Encode, name: str) -> int:
    token = _token_or_none(encode, name)
    if token is None:
        raise ModelLoadError(
            Translatable("The model has no token {name}: it is no VieNeu-TTS model.", name=name),
            remedy="Use a VieNeu-TTS model; vieneu doctor lists those that are known.",
        )
    return token


def _token_or_none(encode: Encode, name: str) -> int | None:
    tokens = encode(name)
    return tokens[0] if len(tokens) == 1 else None
