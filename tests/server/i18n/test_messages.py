"""Catalogues: every language has all texts; what the cells use is there. (Pages have own tests.)"""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from vieneu_colab_server import colab, i18n
from vieneu_colab_server.i18n import cell_messages, section_texts
from vieneu_core.i18n import DEFAULT_LANGUAGE, languages
from vieneu_core.i18n.catalog import catalogue

PACKAGE = i18n.__name__
OTHERS = [language for language in languages(PACKAGE) if language != DEFAULT_LANGUAGE]
SAME = {"colab.gpu_memory", "colab.fetched"}
"""Nothing in them is a word of a language."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_keys_and_the_placeholders_of_english(language: str) -> None:
    english, other = catalogue(DEFAULT_LANGUAGE, PACKAGE), catalogue(language, PACKAGE)
    assert set(other) == set(english)
    assert [k for k in english if placeholders(english[k]) != placeholders(other[k])] == []
    assert {k for k in english if english[k] == other[k] and k.startswith("colab.")} <= SAME


def test_every_message_is_used() -> None:
    folder = Path(str(colab.__file__)).parent.parent
    code = "\n".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    quoted = set(re.findall(r'["\'](\w+)["\']', code))
    keys = {key for key in catalogue("en", PACKAGE) if key.startswith("colab.")}
    assert {key.removeprefix("colab.") for key in keys} - quoted == set()


def test_every_message_that_a_cell_names_is_there() -> None:
    folder = Path(str(colab.__file__)).parent
    code = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'messages\(\s*"(\w+)"', code))
    assert len(named) > 20
    assert {f"colab.{key}" for key in named} - set(catalogue("en", PACKAGE)) == set()


def test_each_section_belongs_to_a_part_that_has_tests_for_its_texts() -> None:
    sections = {key.partition(".")[0] for key in catalogue("en", PACKAGE)}
    assert sections == {"name", "colab", "shared", "admin", "speak"}


@pytest.mark.parametrize("language", languages(PACKAGE))
def test_numbers_and_durations_have_their_formats_in_the_core_alone(language: str) -> None:
    own, core = catalogue(language, PACKAGE), catalogue(language)
    formats = {key: text for key, text in core.items() if key.startswith("format.")}

    assert {"format.hours", "format.minutes", "format.seconds", "format.ago"} <= set(formats)
    assert [key for key in own if "format" in key.split(".")[:-1]] == []
    assert [key for key in own if own[key] in formats.values()] == []
    assert {key for key in core if core[key] in formats.values()} == set(formats)
    for page in ("admin", "speak"):
        assert formats.items() <= section_texts(page)[language]["texts"].items()


def test_a_language_that_is_not_known_is_vietnamese() -> None:
    assert cell_messages("fr").language == cell_messages(" vi ").language == "vi"
    assert cell_messages("EN").language == "en"
