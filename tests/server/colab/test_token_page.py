"""The page that shows the token."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from vieneu_colab_server.colab.token_page import TokenPage
from vieneu_colab_server.i18n import cell_messages


@pytest.fixture
async def page() -> AsyncIterator[TokenPage]:
    page = TokenPage(lambda: SecretStr("a<token>"), cell_messages("vi"))
    await page.open()
    yield page
    await page.close()


async def test_the_token_is_on_its_page_and_nowhere_else(page: TokenPage) -> None:
    assert not page.opened
    async with aiohttp.ClientSession() as session:
        async with session.get(page.url) as answer:
            text = await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with session.get(page.url[:-1]) as answer:
            assert answer.status == 404
    assert 'data-token="a&lt;token&gt;"' in text
    assert text.count("a&lt;token&gt;") == 1, "hidden until it is asked for"
    assert page.opened
    assert 'lang="vi"' in text
    assert page.url.startswith("http://127.0.0.1:")
    await page.close()
    assert page.url == ""
