"""Old Vietnamese encodings: CP1258 by Python's codec, TCVN3 and VNI by the tables here.

Sources: TCVN 5712:1993 for TCVN3, as glibc's converter TCVN5712-1 has it, with the punctuation of
Windows where fonts of the set "ABC" have it; for VNI (Windows) the table of the VNI Software
Company, as in the comparison of Vietnamese encodings at vietunicode.sourceforge.net.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

_WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", "replace")
_TCVN3 = (
    _WINDOWS + "\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ"
    "\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽ"
    "éẹềểễếệìỉỄẾỒĩíịò"
    "Ổỏõóọồổỗốộờởỡớợù"
    "Ỗủũúụừửữứựỳỷỹýỵ"
    "Ố"
)
"""Characters of the bytes from 0x80 on."""
_SAC, _HUYEN, _HOI, _NGA, _NANG = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_CIRCUMFLEX, _BREVE = "\u0302", "\u0306"
_TONES = dict(zip("ùøûõï", (_SAC, _HUYEN, _HOI, _NGA, _NANG), strict=True))
_CIRCUMFLEXED = {
    "â": _CIRCUMFLEX,
    **{
        mark: _CIRCUMFLEX + tone
        for mark, tone in zip("áàåãä", (_SAC, _HUYEN, _HOI, _NGA, _NANG), strict=True)
    },
}
_BREVED = {
    "ê": _BREVE,
    **{
        mark: _BREVE + tone
        for mark, tone in zip("éèúüë", (_SAC, _HUYEN, _HOI, _NGA, _NANG), strict=True)
    },
}
_VNI_MARKS: Mapping[str, Mapping[str, str]] = {
    "a": {**_TONES, **_CIRCUMFLEXED, **_BREVED},
    "e": {**_TONES, **_CIRCUMFLEXED},
    "o": {**_TONES, **_CIRCUMFLEXED},
    "u": _TONES,
    "y": _TONES,
    "ô": _TONES,
    "ö": _TONES,
}
"""What follows each letter, and its marks."""
_VNI_LETTERS = {
    "ô": "ơ",
    "ö": "ư",
    "ñ": "đ",
    "í": "í",
    "ì": "ì",
    "æ": "ỉ",
    "ó": "ĩ",
    "ò": "ị",
    "î": "ỵ",
}


def _cp1258(data: bytes) -> str:
    return data.decode("cp1258")


def _tcvn3(data: bytes) -> str:
    text = "".join(chr(byte) if byte < 0x80 else _TCVN3[byte - 0x80] for byte in data)  # noqa: PLR2004 - ASCII
    return _without_gaps(data, text)


def _vni(data: bytes) -> str:
    found: list[str] = []
    base = ""
    for at, char in enumerate(data.decode("cp1252", "replace")):
        lower = char.lower()
        marks = _VNI_MARKS.get(base, {}).get(lower)
        base = ""
        if marks is not None:
            found.append(marks)
        elif lower in _VNI_LETTERS:
            letter = _VNI_LETTERS[lower]
            found.append(letter if char == lower else letter.upper())
            base = lower
        elif char == "\ufffd" or (not char.isascii() and char.isalpha() and char not in "ªº"):
            raise UnicodeDecodeError("vni", data, at, at + 1, "no letter takes this mark")
        else:
            found.append(char)
            base = lower
    return "".join(found)


def _without_gaps(data: bytes, text: str) -> str:
    at = text.find("\ufffd")
    if at >= 0:
        raise UnicodeDecodeError("tcvn3", data, at, at + 1, "not assigned")
    return text


LEGACY: Mapping[str, Callable[[bytes], str]] = {"CP1258": _cp1258, "TCVN3": _tcvn3, "VNI": _vni}
"""Each encoding by name, and the function that decodes it; that raises UnicodeDecodeError.

A letter and its marks may be apart: an ASCII letter is always one character at the same place.
"""


def composed(text: str) -> str:
    """Return the text with each letter and its marks as one character (NFC)."""
    return unicodedata.normalize("NFC", text)
