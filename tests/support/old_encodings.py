"""Vietnamese text in the encodings before Unicode, written by tables of the tests' own."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

_TONES = "\u0301\u0300\u0309\u0303\u0323"
_VNI_TONES = dict(zip(_TONES, "ùøûõï", strict=True))
_VNI_CIRCUMFLEX = dict(zip(_TONES, "áàåãä", strict=True))
_VNI_BREVE = dict(zip(_TONES, "éèúüë", strict=True))
_VNI_I = dict(zip(_TONES, "íìæóò", strict=True))
_TCVN3 = {
    **dict(zip("ĂÂÊÔƠƯĐăâêôơưđ", range(0xA1, 0xAF), strict=True)),
    **dict(zip("àảãáạ", range(0xB5, 0xBA), strict=True)),
    **dict(zip("ằẳẵắ", range(0xBB, 0xBF), strict=True)),
    **dict(zip("ặầẩẫấậè", range(0xC6, 0xCD), strict=True)),
    **dict(zip("ẻẽéẹềểễếệìỉ", range(0xCE, 0xD9), strict=True)),
    **dict(zip("ĩíịò", range(0xDC, 0xE0), strict=True)),
    **dict(zip("ỏõóọồổỗốộờởỡớợù", range(0xE1, 0xF0), strict=True)),
    **dict(zip("ủũúụừửữứựỳỷỹýỵ", range(0xF1, 0xFF), strict=True)),
}


def _parts(char: str) -> tuple[str, str]:
    """Return a letter without its tone, and the tone."""
    spelled = unicodedata.normalize("NFD", char)
    tone = "".join(mark for mark in spelled if mark in _TONES)
    return unicodedata.normalize("NFC", "".join(m for m in spelled if m not in _TONES)), tone


def cp1258(text: str) -> bytes:
    """Write as Windows did: the tone follows its letter."""
    return "".join("".join(_parts(char)) for char in text).encode("cp1258")


def tcvn3(text: str) -> bytes:
    """Write as for the fonts of the set ABC, which have no capital letters with tones."""
    lower = "".join(char if char in _TCVN3 or char.isascii() else char.lower() for char in text)
    return bytes(_TCVN3.get(char, ord(char) if char.isascii() else 0) for char in lower)


def vni(text: str) -> bytes:
    """Write as VNI did: the marks follow their letter, as letters."""
    return "".join(_in_vni(char) for char in text).encode("latin-1")


def _in_vni(char: str) -> str:
    if char.isascii():
        return char
    letter, tone = _parts(char)
    written = _of_letter(letter.lower(), tone)
    return written if char.islower() else written.upper()


def _of_letter(letter: str, tone: str) -> str:
    if letter == "đ":
        return "ñ"
    if letter == "i":
        return _VNI_I[tone]
    if letter == "y" and tone == "\u0323":
        return "î"
    if letter in "âêô":
        base = {"â": "a", "ê": "e", "ô": "o"}[letter]
        return base + (_VNI_CIRCUMFLEX[tone] if tone else "â")
    if letter == "ă":
        return "a" + (_VNI_BREVE[tone] if tone else "ê")
    base = {"ơ": "ô", "ư": "ö"}.get(letter, letter)
    return base + (_VNI_TONES[tone] if tone else "")


OLD: Mapping[str, Callable[[str], bytes]] = {"CP1258": cp1258, "TCVN3": tcvn3, "VNI": vni}
