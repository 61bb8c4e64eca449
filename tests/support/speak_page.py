"""The Speak page in a browser, in the hands of a user who has logged in."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Literal

import av
from exposition import Exposed
from page_browser import BrowserPage, browsing
from relay_site import TONES, RelaySite
from server_site import TOKEN
from tone_engine import Heard, heard

SENTENCES = ("Đây là câu 3.", "Đây là câu 17.", "Còn đây là câu 42.")
# Without a fallback: on a busy machine the engine begins later than one waits.
SLOW = f"{TONES}  options:\n    chunk_delay_s: 0.1\n"


@asynccontextmanager
async def speaking_page(
    url: str,
    *,
    language: str = "en-US",
    width: int = 1440,
    colours: Literal["light", "dark"] = "light",
) -> AsyncIterator[BrowserPage]:
    """Open the page, and log in; at the end nothing was asked of others, and no script failed."""
    async with browsing(url, language=language, width=width, colours=colours) as shown:
        await log_in(shown)
        yield shown
        assert shown.origins == {url}
        assert shown.errors == []


async def log_in(shown: BrowserPage) -> None:
    await shown.page.fill("#token", TOKEN)
    await shown.page.press("#token", "Enter")
    await shown.page.locator("#voice option:nth-child(2)").wait_for(state="attached")


async def speak(shown: BrowserPage, text: str = " ".join(SENTENCES)) -> None:
    await shown.page.fill("#text", text)
    await shown.page.click("#speak-start")


async def tones_heard(shown: BrowserPage) -> list[Heard]:
    """The tones that are heard; no piece begins before the end of the one before it."""
    found = await shown.pieces()
    for before, after in pairwise(found):
        if before.context == after.context:
            assert after.start_s >= before.end_s - 0.5 / after.rate_hz
    assert {piece.rate_hz for piece in found} == {24_000}
    return heard(b"".join(piece.pcm for piece in found), 24_000)


async def until_cancelled(site: RelaySite) -> None:
    """Wait until a backend saw that a request was cancelled."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    while True:
        async with site.session.get(f"{site.url}/metrics", headers=token) as answer:
            requests = Exposed(await answer.text()).counted("vieneu_requests_total")
        if any(("outcome", "cancelled") in labels for labels in requests):
            return
        await asyncio.sleep(0.5)


def decoded(content: bytes) -> bytes:
    """Return the samples of a file at 24 kHz."""
    with av.open(io.BytesIO(content), "r") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=24_000)
        frames = [one for frame in file.decode(audio=0) for one in resampler.resample(frame)]
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
