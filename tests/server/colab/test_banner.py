"""The banner of an open server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vieneu_colab_server import i18n
from vieneu_colab_server.colab.banner import BannerFacts, banner_html, banner_text, qr_svg
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
    assert 'data-port="4711" data-path="/secret-path"' in " ".join(made.split())
    assert "vieneu connect https://a<b>.ngrok.app" in plain
    assert "25.11.2026" in plain
    told = BannerFacts(
        url=FACTS.url, token_page_url="", ends_at=None, engine="espeak", address_updated=True
    )
    assert messages("next_connected") in banner_text(told, messages)
    assert messages("no_end") in banner_text(told, messages)


def test_the_qr_code_is_drawn_without_anything_from_elsewhere() -> None:
    drawn = qr_svg("https://abc.ngrok.app")

    assert drawn.startswith("<svg")
    assert "http://" not in drawn.replace("http://www.w3.org", "")
