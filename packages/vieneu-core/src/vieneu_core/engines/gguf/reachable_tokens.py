"""Search for the text tokens of a model that phonemes can produce: all others may be pruned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, product
from pathlib import Path

from vieneu_core.engines.gguf import open_binding
from vieneu_core.engines.speech_lm.prompt import CHAT_HEAD, CHAT_TAIL

_MARKS = (".", ",", "!", "?", ";", ":", "…", "-", "—", '"', "'", "(", ")")
_BATCH = 2_000
"""Number of words tokenised at once."""


def reachable_tokens(
    path: Path, phonemes: Iterable[str], progress: Callable[[int], None]
) -> frozenset[int]:
    """Return the tokens that occur in these phonemes in any context. Blocking.

    Args:
        path: The GGUF model.
        phonemes: Phonemes of words. Each is tokenised at the beginning of a text, after a space,
            and before and after punctuation: its tokens depend on nothing else.
        progress: Called with the number of words processed so far.

    Raises:
        ModelLoadError, DeviceMemoryError, MissingExtraError: the model cannot be read.
    """
    library = open_binding()
    model = library.open_model(path, vocabulary_only=True)
    try:
        found = set(library.tokens_of(model, CHAT_HEAD))
        found.update(library.tokens_of(model, CHAT_TAIL))
        for text in _punctuation():
            found.update(library.tokens_of(model, text))
        words, n_words = iter(dict.fromkeys(_words(phonemes))), 0
        while batch := list(islice(words, _BATCH)):
            for text in _surroundings(batch):
                found.update(library.tokens_of(model, text))
            n_words += len(batch)
            progress(n_words)
    finally:
        library.free_model(model)
    return frozenset(found)


def _words(phonemes: Iterable[str]) -> Iterable[str]:
    for spoken in phonemes:
        yield from spoken.split()


def _surroundings(words: list[str]) -> Iterable[str]:
    yield " " + " ".join(words)
    yield "\n".join(words)  # a line break is equivalent to the beginning of a text
    # The tokeniser treats all marks alike, so each word is combined with one of them only.
    yield "".join(word + _MARKS[i % len(_MARKS)] for i, word in enumerate(words))


def _punctuation() -> Iterable[str]:
    for one, other in product(_MARKS, repeat=2):
        yield from (f"a{one}", f"a {one}", f"a{one}{other} a", f"a {one}{other}", one * 3)
