"""Headless Chromium on a page of the relay: what it asks for, what it plays, what axe finds."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from chromium import MISSING, find_chromium
from guard import GUARD_S
from playwright.async_api import Page, Request, async_playwright

# The pages fetch nothing from elsewhere; Chromium itself must not either.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Notes what is scheduled, and passes it on: the page plays as for everybody.
_EAR = """
window.ear = {pieces: [], contexts: []};
const {start, stop} = AudioBufferSourceNode.prototype;
AudioBufferSourceNode.prototype.start = function (when = 0) {
  let context = ear.contexts.indexOf(this.context);
  if (context < 0) context = ear.contexts.push(this.context) - 1;
  const samples = Array.from(this.buffer.getChannelData(0), (x) => Math.round(x * 32768));
  const bytes = new Uint8Array(Int16Array.from(samples).buffer);
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  const rate = this.buffer.sampleRate;
  this.piece = {context, when, rate, stoppedAt: null, pcm: btoa(letters)};
  ear.pieces.push(this.piece);
  start.call(this, when);
};
AudioBufferSourceNode.prototype.stop = function () {
  this.piece.stoppedAt = this.context.currentTime;
  stop.call(this);
};
"""


@dataclass(frozen=True)
class Piece:
    """Samples that the page scheduled, as far as they are heard."""

    context: int
    start_s: float
    rate_hz: int
    pcm: bytes

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.pcm) / 2 / self.rate_hz


@dataclass
class BrowserPage:
    """A page, and what was observed of it."""

    page: Page
    url: str
    origins: set[str] = field(default_factory=set)
    """All origins that it asked for something."""
    errors: list[str] = field(default_factory=list)
    """Errors of its scripts, and what its policy refused."""

    async def text(self, selector: str) -> str:
        return " ".join((await self.page.locator(selector).inner_text()).split())

    async def until_text(self, selector: str, text: str) -> str:
        await self.page.locator(selector, has_text=text).wait_for()
        return await self.text(selector)

    async def pieces(self) -> list[Piece]:
        """What is heard, in order; a piece that was stopped before its start is not."""
        found: list[Piece] = []
        for one in await self.page.evaluate("window.ear.pieces"):
            pcm = base64.b64decode(one["pcm"])
            if one["stoppedAt"] is not None:
                n_heard = max(0, round((one["stoppedAt"] - one["when"]) * one["rate"]))
                pcm = pcm[: 2 * n_heard]
            if pcm:
                found.append(Piece(one["context"], one["when"], one["rate"], pcm))
        return found

    async def violations(self) -> list[str]:
        """What axe-core finds, with an element for each."""
        source = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        await self.page.evaluate(source)
        result: dict[str, Any] = await self.page.evaluate("axe.run()")
        return [
            f"{found['id']}: {found['nodes'][0]['html'][:200]}" for found in result["violations"]
        ]

    async def scrolls_sideways(self) -> bool:
        wide: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


@asynccontextmanager
async def browsing(
    url: str,
    *,
    language: str = "en-US",
    width: int = 1440,
    colours: Literal["light", "dark"] = "light",
) -> AsyncIterator[BrowserPage]:
    """Open a page in a fresh browser."""
    program = find_chromium()
    if program is None:
        pytest.skip(f"{MISSING} nox -s browser gets one.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            page = await browser.new_page(
                locale=language, viewport={"width": width, "height": 900}, color_scheme=colours
            )
            page.set_default_timeout(GUARD_S * 1_000)
            shown = BrowserPage(page, url)
            page.on("request", lambda request: _note(shown, request))
            page.on("pageerror", lambda error: shown.errors.append(str(error)))
            page.on(
                "console",
                lambda message: (
                    shown.errors.append(message.text)
                    if "Content Security Policy" in message.text
                    else None
                ),
            )
            await page.add_init_script(_EAR)
            await page.goto(url)
            yield shown
        finally:
            await browser.close()


def _note(shown: BrowserPage, request: Request) -> None:
    parts = urlsplit(request.url)
    if parts.scheme in {"http", "https", "ws", "wss"}:
        shown.origins.add(f"{parts.scheme}://{parts.netloc}")
