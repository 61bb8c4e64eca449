"""Web and e-mail addresses, tags and versions, read sign by sign."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import digit_by_digit, spelled
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_+%\-]{0,62})"
_HOST = rf"(?:{_NAME}\.){{1,6}}[A-Za-z]{{2,12}}"
_PORT = r"(?::\d{1,5})?"
_PATH = r"(?:[/?#][A-Za-z0-9_.~%&=+/?#\-]{0,200})?"
_TOP = (
    r"(?:com|net|org|edu|gov|info|vn|io|dev|casa|app|me|co|uk|us|jp|asia|tv|ai|xyz|ly|gl|be|gg|to"
    r"|local"
    r"|cloud|online|shop|store|site|page|id|eu|de|fr|kr|cn|sg|th|blog|news|tech|wiki|pro|live"
    r"|games?|link|club)"
)
_SIGNS = {
    ".": "chấm",
    "-": "gạch ngang",
    "_": "gạch dưới",
    "/": "gạch chéo",
    "@": "a còng",
    "+": "cộng",
    ":": "hai chấm",
    "?": "hỏi chấm",
    "=": "bằng",
    "&": "và",
    "#": "thăng",
    "%": "phần trăm",
    "~": "ngã",
}
_AS_WORDS = {
    "vn": "vê en",
    "www": "vê kép vê kép vê kép",
    "http": "http",
    "tv": "ti vi",
    "io": "ai ô",
    "ai": "ây ai",
    "uk": "u ca",
    "us": "u ét",
    "eu": "i u",
    "id": "ai đi",
    "ip": "ai pi",
    "gg": "gi gi",
}
_IP_NUMBERS = 256
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)


def _dictated(address: str) -> str:
    """Return an address as words: names unchanged, numbers digit by digit, signs by name."""
    parts = re.findall(r"[A-Za-z]+|\d+|[^A-Za-z\d]", address)
    return " ".join(filter(None, map(_part, parts)))


def _part(part: str) -> str:
    if part in _SIGNS:
        return _SIGNS[part]
    if part.isdigit():
        return digit_by_digit(part)
    if not part.isalpha():
        return ""
    known = _AS_WORDS.get(part.lower())
    return known or (part if _VOWEL.search(part) else spelled(part))


def _address(match: re.Match[str]) -> str:
    whole = match[0]
    address = whole.rstrip(".?!,")
    return f" {_dictated(address)} {whole[len(address) :]}"


def _link(match: re.Match[str]) -> str:
    whole = re.sub(r"^[a-z]{3,5}://", "", match[0])
    address = whole.rstrip(".?!,/")
    return f" {_dictated(address)} {whole[len(address) :].replace('/', '')}"


def _tag(match: re.Match[str]) -> str:
    words = re.sub(r"(?<=[a-zà-ỹ])(?=[A-ZĐ\d])|_", " ", match[1])
    return f" hashtag {words}"


def _is_ip(text: str) -> bool:
    """Return whether this is an IP address, not a number in thousands: 1.500.000.000."""
    numbers = re.split("[:/]", text)[0].split(".")
    return numbers[-1] != "000" and all(int(number) < _IP_NUMBERS for number in numbers)


ADDRESSES: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)file://(?=/)", ""),
    rewrite(r"(?:https?|ftp)://[A-Za-z0-9_.~%&=+/?#:@\-]{1,250}", _link),
    rewrite(rf"(?<![\w.@]){_NAME}(?:\.{_NAME}){{0,4}}@{_HOST}(?!\w)", _address),
    rewrite(rf"(?<![\w.@])www\.{_HOST}{_PATH}", _address),
    rewrite(rf"(?<![\w.@/])(?:{_NAME}\.){{1,4}}{_TOP}(?![\w@]|\.\w){_PORT}{_PATH}", _address),
    rewrite(rf"(?<![\w.@/])(?:localhost|homeassistant){_PORT}(?<=\d){_PATH}", _address),
    rewrite(
        r"(?<![\w.@/])[A-Za-z0-9-]{3,40}\.(?i:(?:com|edu|gov|net|org)\.vn|com|net|org|vn|io|ai"
        r"|app|dev)(?![\w@]|\.\w)",
        lambda m: f" {_dictated(m[0].lower())} ",
    ),
    # 192.168.1.1, 10.0.0.1:8080
    rewrite(
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}(?!\w)|/\d{1,2}(?!\w))?(?![\w]|\.\d)",
        lambda m: f" {_dictated(m[0])} " if _is_ip(m[0]) else m[0],
    ),
    rewrite(r"(?i:(?<=hashtag) )#(?=[^\W\d])", " "),
    rewrite(r"(?<![\w&])#(?=[A-Z]{1,4}-?\d{3,12}(?!\w))", ""),
    rewrite(r"(?<![\w&])#([^\W\d]\w{0,60})", _tag),
    rewrite(r"(?<![\w.])@(?=\w)", " a còng "),
)
