"""Files of the relay's pages: how they are sent, and that their texts are complete."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import escape
from importlib.resources import files
from pathlib import Path
from posixpath import dirname, normpath

import pytest
from relay_site import RelaySite, relaying
from voice_clips import clip

from vieneu_colab_server import i18n
from vieneu_colab_server.i18n import section_texts
from vieneu_colab_server.relay import pages
from vieneu_colab_server.relay.notebook_routes import notebook_form
from vieneu_colab_server.relay.pages.routes import MEDIA_TYPES, index_file, page_files
from vieneu_core.backends.base import BackendState
from vieneu_core.i18n import languages
from vieneu_core.notebook import NotebookSettings
from vieneu_core.router import LAST_RESORT, BackendLoading, CircuitState, Mode, RouterEvent

STRANGER = {"Authorization": ""}
"""In place of the admin's token."""
FOLDER = Path(str(files(pages)))
PAGES = sorted({path.parent.name for path in FOLDER.glob("*/*.js")} - {"shared"})
LANGUAGES = languages(i18n.__name__)
ALL_FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in MEDIA_TYPES)
EXTERNAL = re.compile(r"(?:https?:)?//[\w-]+\.[\w.-]+")
NAMESPACE = "http://www.w3.org/2000/svg"
"""A name, which nothing fetches."""
FIELDS = notebook_form().fields
FAMILIES: dict[str, set[str]] = {
    "backend": {*(mode.value for mode in Mode), LAST_RESORT, "test", "load", "unload"},
    "state": {state.value for state in BackendState},
    "circuit": {state.value for state in CircuitState if state is not CircuitState.CLOSED},
    "event": {cls.__name__ for cls in RouterEvent.__subclasses__()} - {BackendLoading.__name__},
    "session": {"soon", "urgent"},
    "chart": {"latency_ms", "first_audio_ms"},
    "language_name": {"vi", "en"},
    "notebook.field": {field.name for field in FIELDS},
    "notebook.choice": {
        f"{field.name}.{choice}"
        for field in FIELDS
        for choice in field.choices
        if choice not in field.labels and field.name != "language"
    },
}
"""Keys of the admin page that are put together from a name, by what comes before it."""
OPTIONAL = {"notebook.help"}
"""Keys of this kind may be missing."""
MARKS = {"format.decimal", "format.thousands"}
"""The browser knows them."""
FACTS = "fact"
"""Keys of this kind are written in a table of the code."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


def texts(page: str, language: str) -> dict[str, str]:
    return section_texts(page)[language]["texts"]


def sources(page: str, *endings: str) -> str:
    """Return the text of a page's files, and of those that all pages use."""
    return "\n".join(
        path.read_text("utf-8")
        for folder in (page, "shared")
        for path in sorted((FOLDER / folder).iterdir())
        if path.suffix in endings
    )


def literal_keys(page: str) -> set[str]:
    """Return the keys that stand in a page as they are."""
    html, scripts = sources(page, ".html"), sources(page, ".js")
    return {
        *re.findall(r'data-i18n(?:-\w+)?="([\w.]+)"', html),
        *re.findall(r'<!-- text: "([\w.]+)"', html),
        *re.findall(r'\bt(?:Or)?\(\s*"([\w.]+)"', scripts),
    }


def made_prefixes(page: str) -> set[str]:
    """Return the beginnings of keys that a page puts together."""
    found = re.findall(r"\bt(?:Or)?\(\s*`([\w.]+)\.\$\{", sources(page, ".js"))
    return {name.partition(".$")[0] for name in found}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_all_languages_have_the_same_keys_and_placeholders(page: str, language: str) -> None:
    english, other = texts(page, "en"), texts(page, language)
    assert set(english) == set(other)
    assert [key for key in other if not other[key].strip()] == []
    placeholders = re.compile(r"\{\w+\}")
    assert [
        key
        for key in english
        if sorted(placeholders.findall(english[key])) != sorted(placeholders.findall(other[key]))
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_text_that_a_page_names_is_there(page: str) -> None:
    assert literal_keys(page)
    assert literal_keys(page) - set(texts(page, "en")) == set()


def test_every_key_that_the_admin_page_puts_together_is_there_and_no_text_is_unused() -> None:
    english = set(texts("admin", "en")) - MARKS
    made = {f"{prefix}.{name}" for prefix, names in FAMILIES.items() for name in names}
    optional = {key for key in english if key.rpartition(".")[0] in OPTIONAL}
    facts = {key for key in english if key.startswith(f"{FACTS}.")}
    table = sources("admin", ".js")

    assert made_prefixes("admin") == {*FAMILIES, *OPTIONAL, FACTS}
    assert made - english == set()
    assert {key for key in facts if f"{key.partition('.')[2]}:" not in table} == set()
    assert english - literal_keys("admin") - made - optional - facts == set()


def test_the_form_of_the_notebook_asks_for_all_but_the_source_and_clips() -> None:
    names = {field.name for field in FIELDS}
    assert names == set(NotebookSettings.model_fields) - {"source"}
    defaults = {field.name: field.default for field in FIELDS}
    assert NotebookSettings.model_validate(defaults) == NotebookSettings()


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_no_file_names_another_site(path: Path) -> None:
    assert EXTERNAL.findall(path.read_text("utf-8").replace(NAMESPACE, "")) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_sent(page: str) -> None:
    sent = {file.path: file.content.decode() for file in page_files(page)}
    named = set(re.findall(r'(?:href|src)="(static/[^"]+)"', sent["/"]))
    assert {f"/{name}" for name in named} - set(sent) == set()
    for path, content in sent.items():
        imported = re.findall(r' from "([^"]+)"', content) if path.endswith(".js") else []
        assert {normpath(f"{dirname(path)}/{name}") for name in imported} <= set(sent)


@pytest.mark.parametrize("page", PAGES)
def test_no_script_or_style_is_inline(page: str) -> None:
    """The content security policy forbids them: they would not run."""
    html = sources(page, ".html")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html) == []
    assert "innerHTML" not in sources(page, ".js")


def test_the_parts_of_a_page_are_in_their_places() -> None:
    (index,) = [file for file in page_files("admin") if file.path == "/"]
    html = index.content.decode()

    assert "part:" not in html
    for part in FOLDER.glob("admin/*.html"):
        assert part.stem == "index" or f'<section id="{part.stem}"' in html


def test_there_is_no_page_without_an_index() -> None:
    with pytest.raises(FileNotFoundError):
        page_files("shared")


@pytest.mark.parametrize("page", ["admin", "speak"])
def test_a_text_for_everybody_is_on_the_page_in_all_languages(page: str) -> None:
    html = index_file(page).content.decode()

    assert "<!-- text:" not in html
    (noscript,) = re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    for language in LANGUAGES:
        said = escape(texts(page, language)["no_script"])
        marked = said if language == "en" else f'<span lang="{language}">{said}</span>'
        assert noscript.count(marked) == 1


async def test_the_page_and_its_files_are_open_and_have_their_types(site: RelaySite) -> None:
    for file in page_files("admin"):
        async with site.session.get(f"{site.url}/relay{file.path}", headers=STRANGER) as answer:
            assert answer.status == 200, file.path
            assert answer.headers["Content-Type"] == file.media_type
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-cache"
            assert await answer.read() == file.content


async def test_the_texts_are_sent_in_all_languages_with_the_name_of_each(site: RelaySite) -> None:
    for path, section in (("/relay/static/admin/", "admin"), ("/static/speak/", "speak")):
        async with site.session.get(f"{site.url}{path}texts.json", headers=STRANGER) as answer:
            assert answer.status == 200
            assert answer.content_type == "application/json"
            found = await answer.json()
        assert tuple(found) == LANGUAGES
        assert {code: each["name"] for code, each in found.items()}["vi"] == "Tiếng Việt"
        assert {code: each["texts"] for code, each in found.items()} == {
            code: texts(section, code) for code in LANGUAGES
        }


async def test_a_file_that_the_browser_has_is_not_sent_again(site: RelaySite) -> None:
    address = f"{site.url}/relay/static/shared/style.css"
    async with site.session.get(address, headers=STRANGER) as answer:
        etag = answer.headers["ETag"]
    for sent, status in ((etag, 304), (f'"other", W/{etag}', 304), ('"other"', 200)):
        headers = {**STRANGER, "If-None-Match": sent}
        async with site.session.get(address, headers=headers) as answer:
            assert answer.status == status
            assert answer.headers["ETag"] == etag
            assert bool(await answer.read()) == (status == 200)


async def test_the_path_without_its_slash_leads_to_the_page(site: RelaySite) -> None:
    async with site.session.get(f"{site.url}/relay", headers=STRANGER) as answer:
        assert answer.status == 200
        assert answer.url.path == "/relay/"


@pytest.mark.parametrize(
    "path", ["/static/admin/", "/static/admin/index.html", "/static/../history.py", "/static/x.js"]
)
async def test_other_files_are_not_there(site: RelaySite, path: str) -> None:
    async with site.session.get(f"{site.url}/relay{path}", headers=STRANGER) as answer:
        assert answer.status == 401
    async with site.session.get(f"{site.url}/relay{path}") as answer:
        assert answer.status == 404


async def test_a_problem_is_in_the_language_of_its_reader(site: RelaySite) -> None:
    headers = {**STRANGER, "Accept-Language": "vi"}
    body = {"password": "sai"}
    problem = await site.call("POST", "/login", status=401, headers=headers, json=body)
    assert problem["title"] == "Đăng nhập bị từ chối"
    assert problem["detail"] == "Mật khẩu không đúng."
    assert "--login-code" in problem["remedy"]
    english = await site.call("POST", "/login", status=401, headers=STRANGER, json=body)
    assert english["detail"] == "The password is wrong."


async def test_values_within_a_problem_are_kept_in_every_language(site: RelaySite) -> None:
    headers = {"Accept-Language": "vi-VN"}
    problem = await site.call("GET", "/voices/moon/clip", status=404, headers=headers)
    assert problem["title"] == "Không có giọng này"
    assert problem["detail"] == "Chưa thêm giọng 'moon'."
    choices = {"domain": "no host"}
    problem = await site.call("POST", "/notebook", status=422, headers=headers, json=choices)
    assert problem["detail"] == "domain: hãy ghi tên máy chủ, ví dụ my-home.ngrok.app."


async def test_the_login_says_whether_there_is_a_password(site: RelaySite) -> None:
    state = await site.call("GET", "/login", headers=STRANGER)
    assert state == {"logged_in": False, "has_password": False}
    site.account.set_password("một mật khẩu dài")
    state = await site.call("GET", "/login", headers=STRANGER)
    assert state == {"logged_in": False, "has_password": True}


async def test_a_voice_is_heard_as_a_sample_and_as_its_clip(site: RelaySite) -> None:
    usable = (await site.call("GET", "/voices/usable"))["voices"]
    async with site.api("POST", f"/voices/{usable[0]['id']}/sample") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "audio/wav"
        assert (await answer.read())[:4] == b"RIFF"
    await site.call("POST", "/voices/moon/sample", status=404)
    site.administration.voices.add("Bà Ngoại", clip())
    async with site.api("GET", "/voices/ba-ngoai/clip") as answer:
        assert answer.status == 200
        assert (await answer.read())[44:] == clip().pcm
