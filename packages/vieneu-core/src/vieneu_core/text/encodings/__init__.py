"""Encodings of text that users bring in files, pipes and arguments."""

from __future__ import annotations

from vieneu_core.text.encodings.decoding import TextDecoder, argument_text, decode_text

__all__ = ["TextDecoder", "argument_text", "decode_text"]
