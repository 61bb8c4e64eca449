from __future__ import annotations

from vieneu_core.cli.language import choose_language


def test_the_language_follows_the_option_then_the_locale() -> None:
    assert choose_language([], {"LANG": "vi_VN.UTF-8"}) == "vi"
    assert choose_language([], {"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}) == "en"
    assert choose_language([], {}) == "en"
    assert choose_language(["say", "--lang", "vi"], {}) == "vi"
    assert choose_language(["say", "--lang=en"], {"LANG": "vi"}) == "en"
    assert choose_language(["say", "--lang", "xx"], {"LANG": "vi"}) == "vi"
    assert choose_language(["say", "--", "--lang", "vi"], {}) == "en"
