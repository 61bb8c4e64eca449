"""Text processing: split into sentences and passages, normalized, and turned into phonemes."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.text.clean import has_speech, one_line
    from vieneu_core.text.encodings import TextDecoder, argument_text, decode_text
    from vieneu_core.text.sentence_splitter import sentences, split_sentences
    from vieneu_core.text.user_dictionary import UserDictionary
    from vieneu_core.text.watched_dictionary_file import (
        MAX_DICTIONARY_BYTES,
        DictionaryFile,
        content_of,
        path_of_dictionary,
        version_of,
        write_dictionary,
    )

__all__ = [
    "MAX_DICTIONARY_BYTES",
    "DictionaryFile",
    "TextDecoder",
    "UserDictionary",
    "argument_text",
    "content_of",
    "decode_text",
    "has_speech",
    "one_line",
    "path_of_dictionary",
    "sentences",
    "split_sentences",
    "version_of",
    "write_dictionary",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "clean": ("has_speech", "one_line"),
        "encodings": ("TextDecoder", "argument_text", "decode_text"),
        "sentence_splitter": ("sentences", "split_sentences"),
        "user_dictionary": ("UserDictionary",),
        "watched_dictionary_file": (
            "MAX_DICTIONARY_BYTES",
            "DictionaryFile",
            "content_of",
            "path_of_dictionary",
            "version_of",
            "write_dictionary",
        ),
    },
)
