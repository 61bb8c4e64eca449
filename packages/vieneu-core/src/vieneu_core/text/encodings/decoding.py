"""Decoding of a user's text: UTF-8, UTF-16 or UTF-32 with a mark, or an old Vietnamese encoding.

An old encoding is taken only if the bytes are clean Vietnamese in one of them and in no other.
All else is an error that names the byte: it is never read as letters.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable

from vieneu_core.errors import TextEncodingError
from vieneu_core.text.encodings.detection import Evidence, candidates
from vieneu_core.text.encodings.tables import LEGACY, composed
from vieneu_core.translatable import Translatable

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before the mark of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ASCII = 0x80
_MANY_NULS = 0.2
_CONTEXT_BYTES = 64
_ENOUGH_WORDS = 3
_MOST_HELD = 4096
_MOST_OTHERS = 5


def decode_text(data: bytes, name: str) -> str:
    """Return the text of some bytes, composed (NFC) if it was in an old encoding.

    Args:
        data: The bytes.
        name: What they are, for the message: a file's name.

    Raises:
        TextEncodingError: it is not certain in which encoding they are text.
    """
    decoder = TextDecoder(name, enough_words=sys.maxsize, most_held=sys.maxsize)
    return composed(decoder.push(data) + decoder.finish())


def argument_text(argument: str, name: str) -> str:
    """Return an argument of a command as it was typed, whatever the locale.

    Python has decoded it by the locale; where that failed, its bytes are in it as surrogates.

    Raises:
        TextEncodingError: as `decode_text`.
    """
    if sys.getfilesystemencoding() == "utf-8" and argument.isprintable():
        return argument
    try:
        data = os.fsencode(argument)
    except UnicodeEncodeError:  # it was no argument of a process
        return argument
    return decode_text(data, name)


class TextDecoder:
    """Decodes a text that arrives in pieces: UTF-8 and ASCII at once, an old encoding once certain.

    Args:
        name: What is decoded, for the message.
        enough_words: Words with Vietnamese letters after which an old encoding is decided on.
        most_held: Bytes after which it must have been.
    """

    def __init__(
        self, name: str, *, enough_words: int = _ENOUGH_WORDS, most_held: int = _MOST_HELD
    ) -> None:
        self._name = name
        self._enough_words = enough_words
        self._most_held = most_held
        self._held = b""
        self._begun = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoding = ""
        self._context = b""  # the last ASCII bytes that were passed on: marks may follow them
        self._evidence = Evidence()
        self._unjudged = ""
        self._n_bytes = 0  # before what is held
        self._n_lines = 0
        self._line_begin = 0

    def push(self, data: bytes) -> str:
        """Return the text that is certain by now.

        Raises:
            TextEncodingError: the bytes are no text in a known encoding.
        """
        self._held += data
        if not self._begun and not self._begin():
            return ""
        return self._decoded(ended=False)

    def finish(self) -> str:
        """Return the rest of the text at its end.

        Raises:
            TextEncodingError: as `push`; or the text ends within a character.
        """
        self._begun = self._begun or self._begin(ended=True)
        return self._decoded(ended=True)

    def _begin(self, *, ended: bool = False) -> bool:
        """Choose an encoding by the mark at the begin; return whether that is decided."""
        may_be_mark = any(mark.startswith(self._held[:4]) for mark, _ in _MARKS)
        if not ended and len(self._held) < len(codecs.BOM_UTF32_LE) and may_be_mark:
            return False
        self._begun = True
        for mark, encoding in _MARKS:
            if self._held.startswith(mark):
                self._choose(encoding)
                self._take(len(mark))
                break
        return True

    def _choose(self, encoding: str) -> None:
        self._encoding = encoding
        if encoding not in LEGACY:
            self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def _decoded(self, *, ended: bool) -> str:
        if self._encoding in LEGACY:
            return self._of_legacy()
        if self._decoder is not None:
            return self._of_unicode(ended=ended)
        passed = self._ascii()
        if self._held and not self._encoding:
            self._decide(ended=ended)
            if self._encoding:
                return passed + self._decoded(ended=ended)
        return passed

    def _ascii(self) -> str:
        """Pass on the bytes before the first that is not ASCII."""
        n_ascii = next((i for i, b in enumerate(self._held) if b >= _ASCII), len(self._held))
        self._refuse_nuls(n_ascii)
        text = self._held[:n_ascii]
        self._context = (self._context + text)[-_CONTEXT_BYTES:]
        self._take(n_ascii)
        return text.decode("ascii")

    def _refuse_nuls(self, n_ascii: int) -> None:
        """Refuse UTF-16 or UTF-32 without a mark: every other byte of it is zero."""
        nul = self._held.find(0, 0, n_ascii)
        if nul >= 0 and self._held.count(0) > _MANY_NULS * len(self._held):
            raise self._error(nul, "UTF-8")

    def _decide(self, *, ended: bool) -> None:
        """Choose UTF-8 by the first character that is not ASCII, or an old encoding."""
        try:
            codecs.utf_8_decode(self._held, "strict", ended)
        except UnicodeDecodeError as error:
            if error.start > 0:  # the first character is one
                self._choose("utf-8")
                return
        else:
            if codecs.utf_8_decode(self._held, "ignore", False)[1]:  # noqa: FBT003 - of a C function
                self._choose("utf-8")
            return
        found = self._candidates(ended=ended)
        if len(found) == 1:
            [(encoding, evidence)] = found.items()
            if ended or evidence.syllables >= self._enough_words:
                self._choose(encoding)
                return
        if not ended and len(self._held) < self._most_held:
            return
        if len(found) > 1:
            raise self._ambiguous(list(found))
        raise self._error(0, "UTF-8")

    def _candidates(self, *, ended: bool) -> dict[str, Evidence]:
        data = self._context + self._held
        if not ended:  # the last word may go on
            data = data[: max(data.rfind(b" "), data.rfind(b"\n")) + 1]
        return candidates(data)

    def _of_unicode(self, *, ended: bool) -> str:
        assert self._decoder is not None  # noqa: S101 - for the type checker
        before = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(self._held, ended)
        except UnicodeDecodeError as error:
            raise self._error(error.start - before, self._encoding.upper()) from error
        self._take(len(self._held))
        return text

    def _of_legacy(self) -> str:
        decode = LEGACY[self._encoding]
        try:
            text = decode(self._context + self._held)[len(decode(self._context)) :]
        except UnicodeDecodeError as error:
            raise self._error(error.start - len(self._context), self._encoding) from error
        self._judge(text)
        if self._held:
            self._context = self._held[-1:] if _is_letter(decode, self._held[-1:]) else b""
        self._take(len(self._held))
        return text

    def _judge(self, text: str) -> None:
        """Refuse what is no Vietnamese any more: another encoding begins there."""
        words = self._unjudged + text
        end = max(words.rfind(" "), words.rfind("\n")) + 1
        self._evidence.add(words[:end])
        self._unjudged = words[end:][-_CONTEXT_BYTES:]
        if self._evidence.others > _MOST_OTHERS and not self._evidence.clean:
            raise self._error(0, self._encoding)

    def _take(self, n_bytes: int) -> None:
        taken, self._held = self._held[:n_bytes], self._held[n_bytes:]
        if b"\n" in taken:
            self._n_lines += taken.count(b"\n")
            self._line_begin = self._n_bytes + taken.rfind(b"\n") + 1
        self._n_bytes += n_bytes

    def _error(self, at: int, encoding: str) -> TextEncodingError:
        """Return the error for a byte of what is held."""
        before = self._held[: max(at, 0)]
        begin = before.rfind(b"\n")
        byte = at - begin if begin >= 0 else self._n_bytes + at - self._line_begin + 1
        return TextEncodingError(
            Translatable(
                "{name} is not {encoding}: byte {byte} of line {line}.",
                name=self._name,
                encoding=encoding,
                byte=byte,
                line=self._n_lines + before.count(b"\n") + 1,
            )
        )

    def _ambiguous(self, found: list[str]) -> TextEncodingError:
        return TextEncodingError(
            Translatable(
                "{name} may be in any of these encodings: {encodings} (from byte {byte} of"
                " line {line} on).",
                name=self._name,
                encodings=", ".join(found),
                byte=self._n_bytes - self._line_begin + 1,
                line=self._n_lines + 1,
            )
        )


def _is_letter(decode: Callable[[bytes], str], byte: bytes) -> bool:
    """Return whether marks may follow this byte: it is no mark itself."""
    try:
        return bool(decode(byte))
    except UnicodeDecodeError:
        return False
