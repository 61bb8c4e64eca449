"""Both pages in Home Assistant's frame, below the prefix of its ingress: no login is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from free_port import free_port
from ingress_site import ADDRESS, PREFIX, ingress
from page_visit import Visit, visiting
from playwright.async_api import Browser, Frame, expect
from relay_site import relaying

from vieneu_colab_server.relay.ingress import Ingress


@pytest.fixture
async def visit(browser: Browser, tmp_path: Path) -> AsyncIterator[Visit]:
    """Whoever is logged in to Home Assistant, in its window."""
    port = free_port()
    async with (
        relaying(tmp_path, ingress=Ingress(port=port, proxy=ADDRESS)),
        ingress(port) as origin,
        visiting(browser, origin) as visit,
    ):
        await visit.page.goto(f"{origin}/")
        yield visit


async def shown_in(visit: Visit) -> Frame:
    """Return the frame of the panel."""
    element = await visit.page.wait_for_selector("iframe")
    assert element is not None
    found = await element.content_frame()
    assert found is not None
    return found


async def test_a_text_is_spoken_without_a_login(visit: Visit) -> None:
    frame = await shown_in(visit)
    await expect(frame.locator("#login")).to_be_hidden()
    await frame.fill("#text", "Xin chào.")
    await frame.click("#speak-form button[type=submit]")
    await expect(frame.locator("#speak-status")).to_contain_text("Finished")


async def test_the_admin_page_opens_and_changes_something(visit: Visit) -> None:
    frame = await shown_in(visit)
    await frame.click("a[href='relay/']")
    await frame.wait_for_selector("#page[data-ready]")
    assert PREFIX in frame.url
    await expect(frame.locator("#login")).to_be_hidden()
    await expect(frame.locator("#choose")).to_be_hidden()
    await frame.fill("#dictionary-text", "VieNeu = viên niu")
    await frame.click("#dictionary-form button[type=submit]")
    outcome = frame.locator("#dictionary-outcome.done")
    await expect(outcome).to_have_text("Saved. Entries in use: 1.")
