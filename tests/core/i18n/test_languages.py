"""Every package has every language of the core, and one file for each."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from vieneu_colab_server.i18n import section_texts
from vieneu_core.i18n import DEFAULT_LANGUAGE, languages
from vieneu_core.synthesis import LANGUAGES

ROOT = Path(__file__).parents[3]
SERVER = ROOT / "packages/vieneu-colab-server/src/vieneu_colab_server"
PAGES = SERVER / "relay/pages"
FOLDERS = (
    SERVER / "i18n",
    ROOT / "custom_components/vieneu/translations",
    ROOT / "apps/vieneu/translations",
)
SAME_IN_EVERY_LANGUAGE = {
    *("", "en", "VieNeu Relay", "MP3", "WAV", "OGG"),
    "vieneu models use vi_VN-vais1000-medium",
}
"""``en``: scripts set the language of the page."""


def test_english_and_vietnamese_are_there() -> None:
    assert {DEFAULT_LANGUAGE, "vi"} <= set(languages())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_package_has_every_language(folder: Path) -> None:
    assert {path.stem for path in folder.iterdir() if path.suffix in {".json", ".yaml"}} == set(
        languages()
    )


def test_a_page_has_no_texts_and_no_list_of_languages_of_its_own() -> None:
    assert list(PAGES.rglob("*.json")) == []
    names = {each["name"] for each in section_texts("speak").values()}
    for path in (*PAGES.rglob("*.js"), *PAGES.rglob("*.html")):
        assert {name for name in names if f'"{name}"' in path.read_text("utf-8")} == set(), path


class Words(HTMLParser):
    """Collects what a template says to its reader."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.found.add(data.strip())

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = {"alt", "aria-label", "lang", "placeholder", "title"}
        self.found |= {value or "" for name, value in attrs if name in shown}


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.html")), ids=lambda path: path.parent.name)
def test_a_page_says_nothing_in_a_language_of_its_own(path: Path) -> None:
    assert Words(path.read_text("utf-8")).found <= SAME_IN_EVERY_LANGUAGE


def test_no_catalogue_names_the_other_languages() -> None:
    """A third language is one new file: no other file has to name it."""
    for section in ("admin", "colab", "speak"):
        for each in section_texts(section).values():
            named = {key for key in each["texts"] if key.rpartition(".")[2] in languages()}
            assert named == {f"language_name.{one}" for one in LANGUAGES if section == "admin"}
