"""Routes of the files of a page. Reads them once; sends no other files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vieneu_colab_server.i18n import section_texts
from vieneu_colab_server.relay import pages
from vieneu_core.i18n import DEFAULT_LANGUAGE

STATIC = "/static/"
SHARED = "shared"
INDEX = "index.html"
TEXTS = "texts.json"
"""Name of the file with the texts of a page, in all languages."""
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""A file of another type is no part of a page."""
_PART = re.compile(r"<!-- part: ([\w-]+\.html) -->\n")
"""Place of a part of a page, which is a file beside its ``index.html``."""
_TEXT = re.compile(r'<!-- text: "([\w.]+)", joined by "([^"]*)" -->')
"""Place of a text in all languages: before a script runs, that of the reader is not known."""
_CACHE_CONTROL = "no-cache"
"""A browser keeps a file, and asks each time whether it is still current."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of a page, as it is sent."""

    path: str
    """Below the prefix of the app, such as ``/static/shared/style.css``."""
    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """Quoted hash of the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


def page_files(page: str) -> tuple[PageFile, ...]:
    """Read all files of a page, its texts, and the files that all pages share. Blocking.

    Args:
        page: Folder of the page, such as ``admin``. Its ``index.html`` is served at ``/``.

    Raises:
        FileNotFoundError: there is no such page.
    """
    root = files(pages)
    return (
        index_file(page),
        *_read(root / page, page),
        *_read(root / SHARED, SHARED),
        page_texts(page),
    )


def index_file(page: str) -> PageFile:
    """Return the page itself, with its parts and texts in their places. Blocking.

    Args:
        page: Folder of the page, and section of the catalogues.

    Raises:
        FileNotFoundError: there is no such page, or one of its parts is missing.
    """
    folder = files(pages) / page

    def part(mark: re.Match[str]) -> str:
        return (folder / mark[1]).read_text("utf-8")

    whole = _PART.sub(part, (folder / INDEX).read_text("utf-8"))
    html = _TEXT.sub(lambda mark: mark[2].join(_in_all_languages(page, mark[1])), whole)
    return PageFile("/", html.encode(), MEDIA_TYPES[".html"])


def page_texts(page: str) -> PageFile:
    """Return the texts of a page as a file, which is made of the catalogues. Blocking.

    Args:
        page: Section of the catalogues.
    """
    content = json.dumps(section_texts(page), ensure_ascii=False).encode()
    return PageFile(f"{STATIC}{page}/{TEXTS}", content, "application/json")


def page_routes(page_files: tuple[PageFile, ...]) -> list[Route]:
    """Return a route for each file."""
    return [_route(file) for file in page_files]


def _in_all_languages(page: str, key: str) -> Iterator[str]:
    """Yield the HTML of a text in each language; the page itself is in `DEFAULT_LANGUAGE`."""
    for language, section in section_texts(page).items():
        text = escape(section["texts"][key])
        yield text if language == DEFAULT_LANGUAGE else f'<span lang="{language}">{text}</span>'


def _read(folder: Traversable, name: str) -> Iterator[PageFile]:
    """Yield the files that a page loads."""
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        ending = PurePath(entry.name).suffix
        if ending in MEDIA_TYPES and ending != ".html":
            yield PageFile(f"{STATIC}{name}/{entry.name}", entry.read_bytes(), MEDIA_TYPES[ending])


def _route(file: PageFile) -> Route:
    headers = {"Cache-Control": _CACHE_CONTROL, "ETag": file.etag}

    async def send(request: Request) -> Response:
        known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
        if known & {file.etag, f"W/{file.etag}", "*"}:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return Route(file.path, send, methods=["GET"], include_in_schema=False)
