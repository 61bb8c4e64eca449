"""One word for one thing: dropped words are names of nothing, and are not in the documents.

The glossary (docs/index.md) has the terms. Words that are used in another sense too, such as
"order" or "turn", are not refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIRE = ROOT / "packages/vieneu-core/src/vieneu_core/wire"
"""The protocol's fields keep their names."""
SOURCES = [
    path
    for path in sorted(
        {*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("custom_components/**/*.py")}
    )
    if path.parent != WIRE
]
OTHER_SOURCES = [
    path
    for folder in ("benchmarks", "examples", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
"""Modules whose identifiers are checked, names of tests aside: those are sentences."""
STANDARD_TERMS = {
    ("added_voice", "own_voice", "own_voices", "sent_voice"): "custom voice",
    ("allowance", "allowances", "budget"): "quota",
    ("modelling", "piping", "voicing"): "the name of the command",
    ("announced_id", "announced_name", "announced_type"): "advertised_…",
    ("announced_as", "announced_server", "announced_service"): "advertised_…",
    ("classify",): "error mapping",
    ("desk",): "service",
    ("foresee", "foreseen", "get_ahead"): "prefetch",
    ("glimpse",): "read_magic",
    ("grave",): "trash",
    ("happening", "happenings"): "bus events",
    ("hear", "hears"): "on_<event>",
    ("house", "houses"): "Home Assistant, home or runtime",
    ("ledger",): "index",
    ("look", "looks", "looked", "looking"): "health check, check or verify",
    ("network_announcement",): "advertisement",
    ("nobody",): "all_failed",
    ("nonsense", "misfit"): "invalid",
    ("nudge", "nudged"): "notify or wake",
    ("orders",): "planned requests",
    ("overheard",): "capture_warnings",
    ("patience",): "deadlines, a timeout or a retry policy",
    ("place", "places"): "tracked backend, or backend",
    ("plainly",): "short_traceback",
    ("plausible",): "sanity check",
    ("ring",): "rotation",
    ("shelf",): "buffer",
    ("stand_in", "stand_ins"): "fallback",
    ("supersede", "superseded", "supersedes"): "cancel_prefetch",
    ("tally",): "stats",
    ("tell", "tells", "told", "telling"): "publish, notify, send or show",
}
"""Words that were dropped, and the standard term to use in their stead."""
TERM_OF = {word: term for words, term in STANDARD_TERMS.items() for word in words}
ALLOWED = {
    "BUDGET_SHARE": "issue keys that Home Assistant has stored",
    "PLACES": "names of places, in a text that is read aloud",
    "_quiet_place": "a place in a clip",
    "budget": "the section `budget` of users' settings files",
    "stand_in": "the field of a frame",
}
"""Identifiers in which a dropped word is another word, or one that users have in files."""
PAGES = [
    path
    for path in sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/*.md")]
    )
    if path.name not in {"home-assistant.md", "cli.md"}
]
DROPPED_IN_PROSE = re.compile(
    r"\b(house|stand-ins?|is told|was told|tells?|looks at"
    r"|announcements? in the (?:local )?network)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def identifiers(path: Path) -> Iterator[str]:
    """Yield what a module names: itself, classes, functions, arguments, attributes, variables."""
    yield from (path.parent.name, path.stem)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def dropped_word(identifier: str) -> str | None:
    """Return the dropped word in an identifier, if any."""
    words = f"_{BOUNDARY.sub('_', identifier).lower()}_"
    return next((word for word in TERM_OF if f"_{word}_" in words), None)


def dropped_names(path: Path, *, allowed: Callable[[str], bool] = ALLOWED.__contains__) -> set[str]:
    """Describe the identifiers of a module that use a dropped word."""
    return {
        f"{path.relative_to(ROOT)}: {name}: instead of {word!r} use {TERM_OF[word]}"
        for name in identifiers(path)
        if not allowed(name) and (word := dropped_word(name))
    }


def allowed_in_tests(name: str) -> bool:
    """Whether it is allowed everywhere, the name of a test, or the position in an open file."""
    return name in ALLOWED or name.startswith("test_") or name == "tell"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_uses_a_word_that_was_dropped(path: Path) -> None:
    assert dropped_names(path) == set()


def test_no_name_of_the_tests_or_examples_uses_such_a_word() -> None:
    assert len(OTHER_SOURCES) > 300
    found = [dropped_names(path, allowed=allowed_in_tests) for path in OTHER_SOURCES]
    assert set().union(*found) == set()


@pytest.mark.parametrize(
    ("identifier", "word"),
    [
        ("TrackedPlace", "place"),
        ("_get_ahead_of", "get_ahead"),
        ("n_looks", "looks"),
        ("HTTPHouse", "house"),
        ("NetworkAnnouncement", "network_announcement"),
        ("placeholder", None),
        ("string", None),
        ("outlook", None),
        ("order", None),
        ("announcement", None),
    ],
)
def test_a_dropped_word_is_found_as_a_whole_word_only(identifier: str, word: str | None) -> None:
    assert dropped_word(identifier) == word


def test_no_file_beside_the_packages_is_named_by_such_a_word() -> None:
    folders = ("benchmarks", "examples", "scripts", "tests")
    paths = [path for name in folders for path in (ROOT / name).rglob("*") if path.suffix != ".pyc"]

    assert len(paths) > 200
    assert [path for path in paths if dropped_word(path.stem)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_described_by_a_noun_or_a_verb(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition(" ")[0]

    assert first not in {"How", "What", "When", "Where", "Which", "Who", "Why"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_document_uses_a_term_of_our_own_invention(page: Path) -> None:
    prose = CODE.sub("", page.read_text("utf-8"))

    assert DROPPED_IN_PROSE.findall(prose) == []
