"""The banner of an open server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from vieneu_colab_server import i18n
from vieneu_colab_server.colab.banner import BannerFacts, banner_html, banner_text
from vieneu_colab_server.i18n import cell_messages
from vieneu_core.i18n import languages

LANGUAGES = languages(i18n.__name__)
FACTS = BannerFacts(
    url="https://a<b>.ngrok.app",
    token_page_url="http://127.0.0.1:4711/secret-path",
    ends_at=datetime(2026, 11, 25, 20, 0, tzinfo=UTC),
    engine="pytorch · VieNeu-TTS · Tesla T4",
    address_updated=False,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_banner_says_what_to_do_next(language: str) -> None:
    messages = cell_messages(language)
    made, plain = banner_html(FACTS, messages), banner_text(FACTS, messages)

    assert "a&lt;b&gt;.ngrok.app" in made
    assert "<b>.ngrok" not in made
    assert messages("token_below") in made
    assert "http://127.0.0.1:4711/secret-path" in plain
    assert "vieneu connect https://a<b>.ngrok.app" in plain
    assert "25.11.2026" in plain
    reported = replace(FACTS, token_page_url="", ends_at=None, address_updated=True)
    assert messages("next_connected") in banner_text(reported, messages)
    assert messages("no_end") in banner_text(reported, messages)


def test_the_banner_opens_no_window_and_fetches_nothing() -> None:
    made = banner_html(FACTS, cell_messages("vi"))

    for refused in ("_blank", "proxyPort", "src=", "href=", "127.0.0.1", "<svg"):
        assert refused not in made
