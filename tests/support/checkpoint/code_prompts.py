"""Prompts for a code model on the network of `network`, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator

from checkpoint import network

from vieneu_core.engines.speech_lm.model import CodeModelSettings, ReferencePrompt, Sampling
from vieneu_core.models.catalogue import PromptFormat

PLAIN = CodeModelSettings(
    format=PromptFormat.PLAIN, emotion="<|emotion_0|>", sampling=Sampling(temperature=0), threads=1
)
AN = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=tuple(range(40)))
CHI = ReferencePrompt(phonemes="sˈin tʃˈaːw.", codes=tuple(range(300, 340)))
SENTENCES = (
    "hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
    "tˈam bˈiɛ6t.",
    "mˈo6t hˈaːj bˈaː bˈoɜn nˈam sˈaɜw.",
    "ŋwˈiɛ5n hwˈe6 ŋˈiɛŋ ŋˈiɛŋ xwˈiə xwˈaɜt, tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
)


def codes_after(code: int) -> Iterator[int]:
    while True:
        code = network.code_after(code)
        yield code
