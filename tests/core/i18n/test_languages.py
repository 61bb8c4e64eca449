"""Every set of texts has every language of the core, and each list of languages names them all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vieneu_core.i18n import DEFAULT_LANGUAGE, languages

ROOT = Path(__file__).parents[3]
SERVER = ROOT / "packages/vieneu-colab-server/src/vieneu_colab_server"
PAGES = SERVER / "relay/pages"
ADMIN, SPEAK = PAGES / "admin", PAGES / "speak/static"
FOLDERS = (
    SERVER / "i18n",
    ADMIN,
    SPEAK / "i18n",
    ROOT / "custom_components/vieneu/translations",
)
LISTS = {
    PAGES / "shared/i18n.js": re.compile(r"\bLANGUAGES = \{(.*?)\};"),
    SPEAK / "texts.js": re.compile(r"\bLANGUAGES = \[(.*?)\];"),
    SPEAK / "index.html": re.compile(
        r"(<option value=\"(\w\w)\" lang=\"\2\">.*)</select>", re.DOTALL
    ),
}
"""Files that name the languages, and where."""
CODE = re.compile(r"(\w\w)(?=: \")|\"(\w\w)\"")


def test_english_and_vietnamese_are_there() -> None:
    assert {DEFAULT_LANGUAGE, "vi"} <= set(languages())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_set_of_texts_has_every_language(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.json")} == set(languages())


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.relative_to(PAGES).as_posix())
def test_every_list_has_every_language(path: Path) -> None:
    found = LISTS[path].search(path.read_text("utf-8"))
    assert found is not None
    named = {code for codes in CODE.findall(found[1].partition("</select>")[0]) for code in codes}
    assert named - {""} == set(languages())


def test_the_admin_page_names_every_language_of_a_notebook() -> None:
    for language in languages():
        texts = json.loads((ADMIN / f"{language}.json").read_text("utf-8"))
        assert set(texts["notebook"]["choice"]["language"]) == set(languages())
