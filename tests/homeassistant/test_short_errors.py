"""Errors on the device's page: a few words in the reader's language, the rest in attributes."""

from __future__ import annotations

import pytest
from conftest import SetUp, press
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from vieneu_core.errors import SynthesisFailedError, all_error_classes
from vieneu_core.i18n import error_text
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

ENGLISH = "RuntimeError: the graphics card answered 0x7F, and nobody knows why it did so"


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Sentence not spoken"), ("vi", "Câu không đọc được")]
)
async def test_an_error_that_has_no_translation_is_short_and_in_the_readers_language(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, object],
    engine: ScriptedBackend,
    language: str,
    title: str,
) -> None:
    await hass.config.async_update(language=language)
    await set_up(colab, mode="remote")
    engine.always = ScriptStep(error=SynthesisFailedError(ENGLISH))
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, "test_google_colab")

    last = hass.states.get("sensor.vieneu_last_error")
    assert last is not None
    assert last.state == title
    assert last.attributes["detail"] == ENGLISH
    assert last.attributes["code"] == "synthesis_failed"
    assert last.attributes["backend"] == "remote"
    assert last.attributes["remedy"]
    assert caught.value.translation_placeholders is not None
    stated = caught.value.translation_placeholders["detail"]
    assert stated == {"en": ENGLISH, "vi": f"{title}."}[language]


def test_the_title_of_every_error_is_short_in_every_language() -> None:
    ours = [cls for cls in all_error_classes() if cls.__module__ == "vieneu_core.errors"]
    assert len(ours) > 50
    for cls in ours:
        vietnamese = error_text(cls.code, "", "vi")
        assert vietnamese is not None, cls
        titles = [cls.title, vietnamese.title]
        for title in titles:
            assert 3 < len(title) <= 60, title
            assert "{" not in title
