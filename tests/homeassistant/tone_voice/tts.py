"""An entity whose sentences are tones, in the format and languages that its entry names.

A text with one of these words fails: ``raises``, ``nothing``, ``notaudio``, ``silent``.
"""

from __future__ import annotations

from typing import Any

from homeassistant.components.tts import TextToSpeechEntity, TtsAudioType, Voice
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.testing.tone import sentence_tone

RATE_HZ = 22_050


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entity."""
    async_add_entities([ToneEntity(entry)])


class ToneEntity(TextToSpeechEntity):
    """Speaks tones, and notes in the entry's runtime data what it was asked for."""

    _attr_name = "Tone voice"
    _attr_unique_id = "tone_voice"

    def __init__(self, entry: ConfigEntry) -> None:
        self._attr_supported_options = ["voice"]
        self._asked: list[tuple[str, str, dict[str, Any]]] = entry.runtime_data
        self._format = AudioFormat(entry.data.get("format", "mp3"))
        self._attr_supported_languages = entry.data.get("languages", ["vi-VN", "en-US"])
        self._attr_default_language = self._attr_supported_languages[0]

    def async_get_supported_voices(self, language: str) -> list[Voice] | None:
        """Return one voice."""
        return [Voice("lan", "Lan")] if language.startswith("vi") else None

    def get_tts_audio(self, message: str, language: str, options: dict[str, Any]) -> TtsAudioType:
        """Return a file; like most integrations it blocks."""
        self._asked.append((message, language, options))
        if "raises" in message:
            raise HomeAssistantError("the quota is used up")
        if "nothing" in message:
            return None, None
        if "notaudio" in message:
            return "mp3", b"<html>no</html>"
        pcm = sentence_tone(message).pcm(RATE_HZ)
        if "silent" in message:
            pcm = bytes(len(pcm))
        encoder = Encoder(self._format, RATE_HZ)
        return self._format.value, encoder.encode(pcm) + encoder.finish()
