"""Vietnamese text front ends on the same pairs: written text, and what a speaker would say.

The pairs are the tables of tests/core/text/rules. They were written for this project, so they
favour it: the table shows where the others read what a home writes, not how good they are at what
they were made for. Ways of saying the same ("linh" for "lẻ", "ngàn" for "nghìn", a hyphen, the word
"phút" at the end of a time) count as equal. The others are no dependencies of the project:

    pip install sea-g2p==0.10.* vietnormalizer==0.2.3 g2p-hamster==0.2.8
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from report import Row, ms, times

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.spoken import spoken

_TABLES = Path(__file__).resolve().parent.parent / "tests/core/text/rules"
_EQUAL = {
    "linh": "lẻ",
    "ngàn": "nghìn",
    "tỉ": "tỷ",
    "tư": "bốn",
    "bẩy": "bảy",
    "lăm": "năm",
    "mốt": "một",
}
_PART = "Text front ends"

FrontEnd = Callable[[str], str]


def measure() -> list[Row]:
    pairs = [pair for name in ("spoken_pairs.tsv", "home_pairs.tsv") for pair in _pairs(name)]
    ours = _measured(_ours(), pairs)
    rows = [_row("ours", ours, ours, len(pairs))]
    for name, load in (
        ("sea-g2p", _sea_g2p),
        ("g2p-hamster", _g2p_hamster),
        ("vietnormalizer", _vietnormalizer),
    ):
        try:
            front_end = load()
        except ImportError as error:
            rows.append(
                Row(
                    part=_PART,
                    what=name,
                    measured=f"not measured: {error.name} is not installed",
                    against="-",
                    ratio="-",
                )
            )
            continue
        rows.append(_row(name, _measured(front_end, pairs), ours, len(pairs)))
    return rows


def _row(name: str, got: tuple[int, float], ours: tuple[int, float], n_pairs: int) -> Row:
    n_right, seconds = got
    return Row(
        part=_PART,
        what=name,
        measured=f"{n_right} of {n_pairs} read right, {ms(seconds)} each",
        against="-" if got is ours else f"ours: {ours[0]}, {ms(ours[1])}",
        ratio="-" if got is ours else times(n_right, ours[0]),
    )


def _pairs(name: str) -> list[tuple[str, str]]:
    with (_TABLES / name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["written"], row["spoken"]) for row in rows]


def _measured(front_end: FrontEnd, pairs: list[tuple[str, str]]) -> tuple[int, float]:
    """Return how many pairs are read right, and the processor's time for one of them in seconds."""
    front_end(pairs[0][0])  # loads its tables
    began_s = time.process_time()
    said = [front_end(written) for written, _ in pairs]
    seconds = (time.process_time() - began_s) / len(pairs)
    right = [_alike(got) == _alike(wanted) for got, (_, wanted) in zip(said, pairs, strict=True)]
    return sum(right), seconds


def _alike(text: str) -> str:
    """Return the words of a text, with ways of saying the same made equal."""
    words = re.sub(r"[^\w\s]|_", " ", re.sub(r"</?\w{1,10}>", " ", text.lower())).split()
    equal = " ".join(_EQUAL.get(word, word) for word in words)
    return re.sub(r"(?<= giờ )((?:\w+ ){0,2}\w+) phút$", r"\1", equal)


def _ours() -> FrontEnd:
    def convert(text: str) -> str:
        try:
            return spoken(text, "vi")
        except EmptyTextError:
            return ""

    return convert


def _sea_g2p() -> FrontEnd:
    convert = import_module("sea_g2p").Normalizer(lang="vi").normalize
    return lambda text: str(convert(text))


def _vietnormalizer() -> FrontEnd:
    convert = import_module("vietnormalizer").VietnameseNormalizer().normalize
    return lambda text: str(convert(text))


def _g2p_hamster() -> FrontEnd:
    """Its words are in the units of its result; it has no function for them alone."""
    convert = import_module("g2p_hamster").text_to_profile_v2_full
    return lambda text: " ".join(unit["word"] for unit in convert(text)["units"])
