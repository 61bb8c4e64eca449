"""Message catalogues: ``en.json``, ``vi.json``, … in a package, one file per language.

A file has nested sections of texts; ``{"cli": {"saved": "Saved in"}}`` has the key ``cli.saved``.
Placeholders are those of `str.format`. A further file adds a language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from vieneu_core.i18n.number_formatting import LocalizedFormatter

DEFAULT_LANGUAGE = "en"
CORE = "vieneu_core.i18n"
"""The package with the catalogues of the core."""
_MOST_WANTED = 20
"""Preferences that are read; browsers send fewer."""
_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@cache
def languages(package: str = CORE) -> tuple[str, ...]:
    """Return the languages of a package's catalogues, such as ``("en", "vi")``."""
    names = (entry.name for entry in files(package).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def best_language(wanted: str, package: str = CORE) -> str:
    """Return the language that fits best, else English.

    Args:
        wanted: A tag or a locale (``vi-VN``, ``vi_VN.UTF-8``), or the languages that a browser
            prefers, as in ``Accept-Language: vi,en;q=0.8`` (RFC 9110, 12.5.4).
        package: The package with the catalogues.
    """
    known = languages(package)
    preferred = [_weighted(each) for each in wanted.split(",", _MOST_WANTED)[:_MOST_WANTED]]
    for code, weight in sorted(preferred, key=lambda each: -each[1]):
        if weight > 0 and code in known:
            return code
    return DEFAULT_LANGUAGE


def _weighted(wanted: str) -> tuple[str, float]:
    """Return the language of one preference, and its weight from 0 to 1."""
    tag, _, weight = wanted.partition(";")
    code = re.split(r"[-_.]", tag.strip(), maxsplit=1)[0].lower()
    given = _WEIGHT.fullmatch(weight.strip())
    return code, float(given[1]) if given else 1.0


@cache
def catalogue(language: str, package: str = CORE) -> Mapping[str, str]:
    """Return all texts of a language by their full keys. Reads the file once.

    Raises:
        FileNotFoundError: the package has no catalogue of this language.
    """
    text = files(package).joinpath(f"{language}.json").read_text("utf-8")
    return dict(_flattened(json.loads(text)))


@cache
def formatter(language: str) -> LocalizedFormatter:
    """Return the formatter of texts with numbers; of English, if the core lacks the language."""
    texts = catalogue(best_language(language))
    return LocalizedFormatter(decimal=texts["format.decimal"], thousands=texts["format.thousands"])


class Messages:
    """The messages of one section of a catalogue, in one language.

    The first instance of a language reads a file; create it on a thread if that must not block.

    Args:
        language: A tag or a locale; English if there is no catalogue of it.
        section: Prefix of the keys, such as ``cli``; empty for full keys.
        package: The package with the catalogues.
    """

    def __init__(self, language: str, section: str = "", *, package: str = CORE) -> None:
        self.language = best_language(language, package)
        self._texts = catalogue(self.language, package)
        self._prefix = f"{section}." if section else ""
        self._formats = catalogue(best_language(language))
        self._formatter = formatter(language)

    def __contains__(self, key: object) -> bool:
        return f"{self._prefix}{key}" in self._texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a message with its values filled in.

        Raises:
            KeyError: there is no such message, or a value is missing.
        """
        return self._formatter.format(self._texts[self._prefix + key], **values)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with its thousands grouped, such as 1,234.5 or 1.234,5."""
        return self._formatter.format_field(value, f",.{digits}f")

    def duration(self, seconds: float) -> str:
        """Return a duration in its largest units, rounded down: 59 s, 12 min, 8 h 2 min."""
        minutes, rest = divmod(max(0, int(seconds)), 60)
        if not minutes:
            return self._formats["format.seconds"].format(seconds=rest)
        hours, minutes = divmod(minutes, 60)
        if not hours:
            return self._formats["format.minutes"].format(minutes=minutes)
        return self._formats["format.hours"].format(hours=hours, minutes=minutes)

    def ago(self, seconds: float) -> str:
        """Return how long ago something was: 12 min ago."""
        return self._formats["format.ago"].format(duration=self.duration(seconds))


def _flattened(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        if isinstance(value, str):
            yield prefix + name, value
        else:
            yield from _flattened(value, f"{prefix}{name}.")
