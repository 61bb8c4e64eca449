"""Every package has every language of the core, and one file for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vieneu_colab_server.i18n import section_texts
from vieneu_core.i18n import DEFAULT_LANGUAGE, languages

ROOT = Path(__file__).parents[3]
SERVER = ROOT / "packages/vieneu-colab-server/src/vieneu_colab_server"
PAGES = SERVER / "relay/pages"
FOLDERS = (SERVER / "i18n", ROOT / "custom_components/vieneu/translations")
CHOICE = re.compile(r"notebook\.choice\.language\.(\w+)")


def test_english_and_vietnamese_are_there() -> None:
    assert {DEFAULT_LANGUAGE, "vi"} <= set(languages())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_package_has_every_language(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.json")} == set(languages())


def test_a_page_has_no_texts_and_no_list_of_languages_of_its_own() -> None:
    assert list(PAGES.rglob("*.json")) == []
    names = {each["name"] for each in section_texts("speak").values()}
    for path in (*PAGES.rglob("*.js"), *PAGES.rglob("*.html")):
        assert {name for name in names if f'"{name}"' in path.read_text("utf-8")} == set(), path


def test_the_admin_page_names_every_language_of_a_notebook() -> None:
    for each in section_texts("admin").values():
        assert set(CHOICE.findall(" ".join(each["texts"]))) == set(languages())
