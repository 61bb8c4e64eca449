"""Which text tokens of a model the phonemes can reach: all others may be trimmed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, product
from pathlib import Path

from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.engines.speech_lm.prompt import CHAT_HEAD, CHAT_TAIL

_MARKS = (".", ",", "!", "?", ";", ":", "…", "-", "—", '"', "'", "(", ")")
_BATCH = 2_000
"""Words tokenised at once."""


def reachable_tokens(
    path: Path, phonemes: Iterable[str], progress: Callable[[int], None]
) -> frozenset[int]:
    """Return the tokens that occur in these phonemes, in any surroundings. Blocking.

    Args:
        path: The model, a GGUF.
        phonemes: Of words. Each is looked at at the beginning of a text, behind a space, and
            before and behind punctuation: where a word is cut into tokens depends on no more.
        progress: Hears how many words have been looked at.

    Raises:
        ModelLoadError, DeviceMemoryError, MissingExtraError: the model cannot be read.
    """
    library = LlamaBinding()
    model = library.open_model(path, vocabulary_only=True)
    try:
        vocabulary = library.c.llama_model_get_vocab(model)
        found = set(library.tokens_of(vocabulary, CHAT_HEAD))
        found.update(library.tokens_of(vocabulary, CHAT_TAIL))
        for text in _punctuation():
            found.update(library.tokens_of(vocabulary, text))
        words, n_words = iter(dict.fromkeys(_words(phonemes))), 0
        while batch := list(islice(words, _BATCH)):
            for text in _surroundings(batch):
                found.update(library.tokens_of(vocabulary, text))
            n_words += len(batch)
            progress(n_words)
    finally:
        library.c.llama_model_free(model)
    return frozenset(found)


def _words(phonemes: Iterable[str]) -> Iterable[str]:
    for spoken in phonemes:
        yield from spoken.split()


def _surroundings(words: list[str]) -> Iterable[str]:
    yield " " + " ".join(words)
    yield "\n".join(words)  # a line break stands for a beginning
    # All marks are of one class to the tokeniser: each word meets one, and each mark many words.
    yield "".join(word + _MARKS[i % len(_MARKS)] for i, word in enumerate(words))


def _punctuation() -> Iterable[str]:
    for one, other in product(_MARKS, repeat=2):
        yield from (f"a{one}", f"a {one}", f"a{one}{other} a", f"a {one}{other}", one * 3)
