"""Another text-to-speech entity as a fallback, and what the chosen voice has said before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp
from custom_components.vieneu.entity_backend import EntityBackend
from guard import GUARD_S
from homeassistant.components import tts
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from test_tts import decoded, spoken
from tone_engine import expected, heard, same

from vieneu_core.errors import (
    BackendError,
    BackendUnavailableError,
    BadAudioError,
    SynthesisFailedError,
    UnpronounceableError,
)
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend

TONE = "tts.tone_voice"
OWN = "tts.vieneu_voice"
SENTENCES = ("Đây là câu 11 nhé.", "Còn đây là câu 12 nhé.")
TEXT = " ".join(SENTENCES)


@pytest.fixture
async def tone_voice(hass: HomeAssistant) -> AsyncGenerator[MockConfigEntry]:
    """The other integration, set up."""
    entry = MockConfigEntry(domain="tone_voice", title="Tone")
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


def asked(entry: MockConfigEntry) -> list[str]:
    return [message for message, _, _ in entry.runtime_data]


def patient(entry: MockConfigEntry) -> None:
    """Wait for the disk however slow it is: else what was said before would be made again."""
    entry.runtime_data.cached.cache._lookup_within_s = GUARD_S


async def lose_colab(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await entry.runtime_data.router.unload_backend("remote")
    await hass.async_block_till_done()


def private_files(folder: str) -> set[str]:
    assert Path(folder).stat().st_mode & 0o077 == 0
    return {path.name for path in Path(folder).iterdir()}


async def say(hass: HomeAssistant, text: str) -> list[Any]:
    rate, pcm = decoded(await spoken(hass, text, preferred_format="wav"))
    return heard(pcm, rate)


async def test_the_order_is_own_speech_entity_embedded_voice(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], tone_voice: MockConfigEntry
) -> None:
    entry = await set_up(colab, mode="remote", fallback_entity=TONE)
    patient(entry)
    assert same(await say(hass, SENTENCES[0]), [expected(SENTENCES[0])])
    await entry.runtime_data.cached.flush()
    await lose_colab(hass, entry)

    assert same(await say(hass, SENTENCES[0]), [expected(SENTENCES[0])])
    assert asked(tone_voice) == [], "its own speech comes first"

    assert same(await say(hass, TEXT), [expected(sentence) for sentence in SENTENCES])
    assert asked(tone_voice) == [SENTENCES[1]]

    failing = "Câu này raises mất."
    n_tones = len(await say(hass, f"{failing} {SENTENCES[0]}"))
    assert asked(tone_voice)[1:], "it was asked"
    assert n_tones > 1, "and the embedded voice has spoken"


async def test_what_the_entity_says_is_not_kept_as_the_chosen_voice(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], tone_voice: MockConfigEntry
) -> None:
    entry = await set_up(colab, mode="remote", fallback_entity=TONE)
    patient(entry)
    await lose_colab(hass, entry)
    await say(hass, SENTENCES[0])
    assert asked(tone_voice) == [SENTENCES[0]]
    await entry.runtime_data.cached.flush()
    assert (await entry.runtime_data.cached.cache.count()).entries == 0

    await entry.runtime_data.router.load_backend("remote")
    await hass.async_block_till_done()
    await say(hass, SENTENCES[0])

    assert asked(tone_voice) == [SENTENCES[0]]
    await entry.runtime_data.cached.flush()
    assert (await entry.runtime_data.cached.cache.count()).entries == 1


async def test_a_restarted_home_assistant_replays_without_the_server(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    engine: ScriptedBackend,
) -> None:
    entry = await set_up(colab, mode="remote", voice="en-tone")
    patient(entry)
    await say(hass, TEXT)
    await entry.runtime_data.cached.flush()
    assert (await entry.runtime_data.cached.cache.count()).entries == len(SENTENCES)
    n_asked = len(engine.record.requests)
    assert private_files(hass.config.path(".cache/vieneu/speech")) >= {"cache.db"}
    await hass.config_entries.async_unload(entry.entry_id)

    gone = {**colab, "colab": {**colab["colab"], "url": "http://127.0.0.1:9"}}
    hass.config_entries.async_update_entry(entry, data=gone)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    patient(entry)
    assert entry.runtime_data.router.active != "remote"
    assert same(await say(hass, TEXT), [expected(sentence) for sentence in SENTENCES])
    assert len(engine.record.requests) == n_asked


async def test_speech_is_not_kept_where_the_option_is_off(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote")
    patient(entry)
    await say(hass, SENTENCES[0])
    await entry.runtime_data.cached.flush()
    assert (await entry.runtime_data.cached.cache.count()).entries == 1

    hass.config_entries.async_update_entry(entry, options={**entry.options, "keep_speech": False})
    await hass.async_block_till_done()
    assert (await entry.runtime_data.cached.cache.count()).entries == 0

    await say(hass, SENTENCES[1])
    await entry.runtime_data.cached.flush()
    assert (await entry.runtime_data.cached.cache.count()).entries == 0


# --- the option --------------------------------------------------------------------------------


async def test_it_is_chosen_in_the_options_and_holds_at_once(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], tone_voice: MockConfigEntry
) -> None:
    entry = await set_up(colab, mode="remote")
    patient(entry)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    given = {"speed": 1.0, "sentence_pause": 0.0, "automatic_fallback": True, "keep_speech": True}
    done = await hass.config_entries.options.async_configure(
        flow["flow_id"], {**given, "fallback_entity": TONE}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    await lose_colab(hass, entry)
    await say(hass, SENTENCES[0])
    assert asked(tone_voice) == [SENTENCES[0]]

    flow = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(flow["flow_id"], given)
    await hass.async_block_till_done()
    assert "fallback_entity" not in entry.options
    await say(hass, SENTENCES[1])
    assert asked(tone_voice) == [SENTENCES[0]], "it is no longer asked"


async def test_its_own_entity_cannot_be_chosen(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(EMBEDDED)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    given = {"speed": 1.0, "sentence_pause": 0.0, "automatic_fallback": True, "keep_speech": True}
    with pytest.raises(InvalidData):  # the form does not offer it
        await hass.config_entries.options.async_configure(
            flow["flow_id"], {**given, "fallback_entity": OWN}
        )
    named = er.async_get(hass).async_get(OWN)
    assert named is not None
    refused = await hass.config_entries.options.async_configure(  # the form's check knows no ids
        flow["flow_id"], {**given, "fallback_entity": named.id}
    )
    assert refused["errors"] == {"fallback_entity": "own_entity"}
    backend = EntityBackend(hass, OWN, name="last_resort")
    with pytest.raises(BackendUnavailableError, match="VieNeu's own voice"):
        await backend.load()


# --- the backend --------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["mp3", "wav", "flac", "ogg"])
async def test_every_format_of_an_entity_is_heard(hass: HomeAssistant, fmt: str) -> None:
    entry = MockConfigEntry(domain="tone_voice", data={"format": fmt})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with EntityBackend(hass, TONE, name="last_resort") as backend:
        speech = await collect(backend.stream(SynthesisRequest(text=TEXT)))

        assert same(
            heard(speech.pcm, speech.sample_rate_hz), [expected(text) for text in SENTENCES]
        )
        assert [(m, lang) for m, lang, _ in entry.runtime_data] == [
            (sentence, "vi-VN") for sentence in SENTENCES
        ]
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("Câu này raises mất.", SynthesisFailedError, "the quota is used up"),
        ("Câu này nothing hết.", SynthesisFailedError, "No TTS from"),
        ("Câu này notaudio đâu.", BadAudioError, "not a WAV"),
        ("Câu này silent quá.", BadAudioError, "silent"),
    ],
)
async def test_what_an_entity_does_wrong_has_a_name(
    hass: HomeAssistant,
    tone_voice: MockConfigEntry,
    text: str,
    kind: type[BackendError],
    message: str,
) -> None:
    async with EntityBackend(hass, TONE, name="last_resort") as backend:
        with pytest.raises(kind, match=message):
            await collect(backend.stream(SynthesisRequest(text=text)))


async def test_voices_and_languages(hass: HomeAssistant, tone_voice: MockConfigEntry) -> None:
    async with EntityBackend(hass, TONE, name="last_resort") as backend:
        assert [voice.id for voice in await backend.voices()] == [TONE, "lan", TONE]
        await collect(backend.stream(SynthesisRequest(text=SENTENCES[0], voice="lan")))
        await collect(backend.stream(SynthesisRequest(text=SENTENCES[0], language="en")))

    assert [(lang, options) for _, lang, options in tone_voice.runtime_data] == [
        ("vi-VN", {"voice": "lan"}),
        ("en-US", {}),
    ]


async def test_an_entity_of_another_language_does_not_read_vietnamese(
    hass: HomeAssistant,
) -> None:
    entry = MockConfigEntry(domain="tone_voice", data={"languages": ["en-US"]})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with EntityBackend(hass, TONE, name="last_resort") as backend:
        with pytest.raises(UnpronounceableError, match="does not speak"):
            await collect(backend.stream(SynthesisRequest(text=SENTENCES[0])))
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_entity_that_comes_later_and_goes(
    hass: HomeAssistant, tone_voice: MockConfigEntry
) -> None:
    assert tts.DOMAIN in hass.config.components
    await hass.config_entries.async_unload(tone_voice.entry_id)
    backend = EntityBackend(hass, TONE, name="last_resort")
    with pytest.raises(BackendUnavailableError, match="not available"):
        await backend.load()
    assert await hass.config_entries.async_setup(tone_voice.entry_id)
    await backend.load()
    assert (await backend.health()).ready
    await hass.config_entries.async_unload(tone_voice.entry_id)
    with pytest.raises(BackendUnavailableError):
        await backend.health()
    await backend.aclose()
