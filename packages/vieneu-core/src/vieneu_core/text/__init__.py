"""Text processing: split into sentences and passages, normalized, and turned into phonemes."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.text.clean import has_speech, one_line
    from vieneu_core.text.encodings import TextDecoder, argument_text, decode_text
    from vieneu_core.text.sentence_splitter import sentences, split_sentences

__all__ = [
    "TextDecoder",
    "argument_text",
    "decode_text",
    "has_speech",
    "one_line",
    "sentences",
    "split_sentences",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "clean": ("has_speech", "one_line"),
        "encodings": ("TextDecoder", "argument_text", "decode_text"),
        "sentence_splitter": ("sentences", "split_sentences"),
    },
)
