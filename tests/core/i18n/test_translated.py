"""Every text of an error has a translation in every language, and every translation a use."""

from __future__ import annotations

import ast
import errno
import os
from collections import Counter
from collections.abc import Iterator
from string import Formatter

import pytest
from error_sources import (
    SOURCES,
    TREES,
    calls,
    constants,
    error_names,
    named,
    translations,
)

from vieneu_core.errors import AllBackendsFailedError, ModelLoadError, OutputError
from vieneu_core.i18n import DEFAULT_LANGUAGE, languages, translated
from vieneu_core.translatable import Translatable, has_words, joined
from vieneu_core.validation import TEMPLATES

OTHERS = [language for language in languages() if language != DEFAULT_LANGUAGE]
PYDANTIC_ERRORS = {"ValueError", "AssertionError", "PydanticCustomError", "PydanticKnownError"}
OF_MUSL = {
    *("Address in use", "Address not available", "Connection aborted", "Cross-device link"),
    *("Filename too long", "Host is unreachable", "I/O error", "Network unreachable"),
    *("No file descriptors available", "Operation timed out", "Out of memory", "Quota exceeded"),
    *("Resource busy", "Symbolic link loop"),
}
"""Texts of the system where its library is musl, as in the container of Home Assistant."""


def texts_of_errors() -> set[str]:
    errors = error_names() - {"MissingExtraError"}  # whose arguments are names of things
    found: set[str] = set()
    for call in calls():
        if named(call.func) == "Translatable":
            found.update(text for node in call.args[:1] for text in constants(node))
        if named(call.func) in errors:
            remedies = [keyword.value for keyword in call.keywords if keyword.arg == "remedy"]
            found.update(text for node in (*call.args[:1], *remedies) for text in constants(node))
        found.update(text for node in texts_of_validators(call) for text in constants(node))
    found.update(TEMPLATES, descriptions_of_settings())
    return set(filter(has_words, found))


def descriptions_of_settings() -> Iterator[str]:
    """Yield what completes "Write …" where a setting of a file is wrong."""
    for path, tree in zip(SOURCES, TREES, strict=True):
        if {"config", "engines"}.isdisjoint(path.parts):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "description":
                yield from constants(node.value)


def texts_of_validators(call: ast.Call) -> list[ast.expr]:
    """Return the arguments that complete a sentence about a wrong value of a field."""
    if named(call.func) in {"invalid", "conflict"}:
        return call.args[1:2]
    return []


def placeholders(text: str) -> Counter[tuple[str | None, ...]]:
    return Counter(field[1:] for field in Formatter().parse(text) if field[1] is not None)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_an_error_is_translated(language: str) -> None:
    assert texts_of_errors() - set(translations(language)) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_is_of_a_text_that_exists(language: str) -> None:
    literals = {
        node.value for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Constant)
    }
    of_the_system = {os.strerror(number) for number in errno.errorcode} | OF_MUSL
    assert set(translations(language)) - literals - of_the_system == set()


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_placeholders_of_the_english_text(language: str) -> None:
    both = translations(language).items()
    assert [text for text, other in both if placeholders(text) != placeholders(other)] == []
    assert [text for text, other in both if text[-1:] in ".:" and text[-1:] != other[-1:]] == []


def test_no_validator_gives_a_text_that_cannot_be_translated() -> None:
    of_validators = [
        tree
        for tree in TREES
        if any(isinstance(n, ast.alias) and n.name.endswith("alidator") for n in ast.walk(tree))
    ]
    raised = [
        node.exc
        for tree in of_validators
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    plain = [ast.unparse(each) for each in raised if named(each.func) in PYDANTIC_ERRORS]
    assert plain == [], "invalid() or conflict() of vieneu_core.validation keep the template"
    formatted = [
        ast.unparse(call)
        for call in calls()
        if any(isinstance(text, ast.JoinedStr) for text in texts_of_validators(call))
    ]
    assert formatted == []


def test_values_are_translated_within_texts() -> None:
    error = OutputError(
        "Standard output is closed.", remedy="Send the output to a file, or to /dev/null."
    )
    assert translated(error.detail, "vi") == "Đầu ra chuẩn đã đóng."
    assert translated(error.detail, "en") is error.detail
    assert translated("Something of a newer server.", "vi") == "Something of a newer server."
    unknown = Translatable("Something of {what}.", what="a newer server")
    assert translated(unknown, "vi") is unknown, "which tells that it needs its title"
    nested = Translatable("The server {host} {words}.", host="h", words="is shutting down")
    assert translated(nested, "vi") == "Máy chủ h đang tắt."


def test_what_is_only_joined_needs_no_translation() -> None:
    reasons = joined("; ", ("The text is empty.", "x{y}"))
    assert reasons == "The text is empty.; x{y}"
    assert translated(reasons, "vi") == "Văn bản trống.; x{y}"
    assert translated(joined("; ", ()), "vi") == ""


def test_a_text_without_values_may_hold_braces() -> None:
    assert translated("{", "vi") == "{"
    error = AllBackendsFailedError("No.", causes=(ModelLoadError("{x}"),))
    assert "{x}" in str(error)


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_system_says_of_files_and_connections_is_translated(language: str) -> None:
    names = (
        *("EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAGAIN", "EBADF", "EBUSY", "ECONNABORTED"),
        *("ECONNREFUSED", "ECONNRESET", "EDQUOT", "EEXIST", "EFBIG", "EHOSTDOWN", "EHOSTUNREACH"),
        *("EINVAL", "EIO", "EISDIR", "ELOOP", "EMFILE", "ENAMETOOLONG", "ENETDOWN", "ENETUNREACH"),
        *("ENFILE", "ENODEV", "ENOENT", "ENOEXEC", "ENOMEM", "ENOSPC", "ENOTDIR", "ENOTEMPTY"),
        *("ENXIO", "EPERM", "EPIPE", "EROFS", "ESTALE", "ETIMEDOUT", "ETXTBSY", "EXDEV"),
    )
    texts = {os.strerror(getattr(errno, name)) for name in names}
    assert (texts | OF_MUSL) - set(translations(language)) == set()
