"""Every control of the relay's pages is used by a test of tests/browser.

Controls are read from the templates, and from the form of the notebook. Scripts that make further
ones are in `MADE`, with what a test calls them; a script that makes a control and is not there
fails. A control is used where an action of a test, such as a click, names it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vieneu_colab_server.relay.notebook_routes import notebook_form

TESTS = Path(__file__).parents[1]
PAGES = TESTS.parent / "packages/vieneu-colab-server/src/vieneu_colab_server/relay/pages"
CONTROLS = ("a", "audio", "button", "input", "select", "summary", "textarea")
ACTIONS = {"check", "click", "fill", "press", "select_option", "set_input_files", "uncheck"}
OUR_TESTS = {
    "speak": [*TESTS.glob("browser/test_speak_*.py"), TESTS / "support/speak_page.py"],
    "admin": [*TESTS.glob("browser/test_admin_*.py"), TESTS / "support/admin_visit.py"],
}
MADE = {
    ("speak/job_item.js", "a"): ["Download MP3", "Download .srt"],
    ("speak/job_item.js", "button"): ["Try again", "Cancel", "Remove"],
    ("speak/jobs_view.js", "select"): ["Minh"],
    ("speak/wav.js", "a"): [],  # pressed by the script itself
    ("admin/backends.js", "button"): [
        f"[data-action={name}]" for name in ("test", "load", "unload")
    ],
    ("admin/dictionary.js", "button"): ["#dictionary-lines button"],
    ("admin/notebook.js", "a"): [],  # pressed by the script itself
    # The form of the notebook, and its boxes for voices.
    ("admin/notebook.js", "input"): ["[data-field=samples] input[value=giong-3]"],
    ("admin/notebook.js", "select"): [],
    ("admin/voices.js", "button"): [
        "[data-voice=ba-ngoai] .danger",
        "[data-voice=ba-ngoai] button:not(.danger)",
        "#usable-voices li:first-child button",
    ],
    ("shared/outcome.js", "button"): ["dialog button[value=yes]", "dialog button[value=no]"],
}
"""Controls that scripts make."""
N_MADE = {
    ("admin/notebook.js", "input"): 2,
    ("admin/voices.js", "button"): 2,
    ("shared/outcome.js", "button"): 2,
}
"""In how many places a script makes them, where it is not one."""


class Template(HTMLParser):
    """Collects the controls of a template, as selectors that tests use."""

    def __init__(self) -> None:
        super().__init__()
        self.controls: list[str] = []
        self._within: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag in {"section", "form", "details"} and "id" in known:
            self._within.append((tag, known["id"]))
        elif tag in {"section", "form", "details"}:
            self._within.append((tag, self._around))
        if tag in CONTROLS and known.get("name") != "username":  # which password managers need
            self.controls.append(self._selector(tag, known))

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1][0] == tag:
            self._within.pop()

    @property
    def _around(self) -> str:
        return self._within[-1][1] if self._within else ""

    def _selector(self, tag: str, known: dict[str, str]) -> str:
        if "id" in known:
            return f"#{known['id']}"
        for name in ("data-mode", "data-format", "href"):
            if name in known:
                quote = "'" if name == "href" else ""
                return f"[{name}={quote}{known[name]}{quote}]"
        if known.get("type") == "radio":
            return f"[name={known['name']}][value={known['value']}]"
        submits = "[type=submit]" if known.get("type") == "submit" else ""
        return f"#{self._around} {tag}{submits}"


def controls_of(page: str) -> set[str]:
    """Return all controls of a page."""
    template = Template()
    for path in sorted((PAGES / page).rglob("*.html")):
        template.feed(path.read_text("utf-8"))
    found = {*template.controls}
    if page == "admin":
        fields = [each for each in notebook_form().fields if each.kind != "samples"]
        found |= {f"#notebook-{each.name.replace('_', '-')}" for each in fields}
    shared = "shared" if page == "admin" else page
    for (script, _), names in MADE.items():
        if script.startswith((page, shared)):
            found |= set(names)
    return found


def made_in_scripts() -> Counter[tuple[str, str]]:
    """Count the places where scripts make controls."""
    made = re.compile(rf'(?:make|createElement)\("({"|".join(CONTROLS)})"')
    return Counter(
        (path.relative_to(PAGES).as_posix(), tag)
        for path in PAGES.rglob("*.js")
        for tag in made.findall(path.read_text("utf-8"))
    )


def named_by(source: str) -> Iterator[re.Pattern[str]]:
    """Yield what each action in the source of a test names; anything may be in a placeholder."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=action) as func, args=args) if action in ACTIONS:
                for part in (func, *args[:1]):
                    yield from map(_pattern, ast.walk(part))


def _pattern(node: ast.AST) -> re.Pattern[str]:
    match node:
        case ast.JoinedStr(values=parts):
            return re.compile("".join(_fixed(part) or r"[\w-]+" for part in parts))
        case _:
            return re.compile(_fixed(node) or "(?!)")


def _fixed(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case _:
            return ""


def unused(controls: Iterable[str], sources: Iterable[str]) -> set[str]:
    """Return the controls that no action names, alone or as a part of a longer selector."""
    named = [pattern for source in sources for pattern in named_by(source)]
    return {each for each in controls if not any(_names(pattern, each) for pattern in named)}


def _names(pattern: re.Pattern[str], control: str) -> bool:
    if pattern.fullmatch(control):
        return True
    literal = re.sub(r"\\(.)", r"\1", pattern.pattern)
    return re.search(rf"(?<![\w-]){re.escape(control)}(?![\w-])", literal) is not None


@pytest.mark.parametrize("page", OUR_TESTS)
def test_every_control_is_used_by_a_test_in_a_browser(page: str) -> None:
    controls = controls_of(page)
    assert len(controls) > 40
    assert unused(controls, [path.read_text("utf-8") for path in OUR_TESTS[page]]) == set()


def test_every_script_that_makes_controls_is_listed() -> None:
    assert made_in_scripts() == {key: N_MADE.get(key, 1) for key in MADE}


def test_a_control_counts_only_where_an_action_names_it() -> None:
    source = """
async def test(page):
    await page.click("#form button[type=submit]")
    await page.click(f"[data-format={fmt}]")
    await page.get_by_role("button", name="Cancel: story").click()
    await page.locator("#list").nth(1).press("Enter")
    assert await page.is_visible("#seen")
"""
    used = {"#form button[type=submit]", "[data-format=mp3]", "Cancel", "#list"}
    others = {"#seen", "#lis", "[data-format=]", "#form button[type=button]"}
    assert unused(used | others, [source]) == others
