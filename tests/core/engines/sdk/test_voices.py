"""The SDK's voices, the text that it gets, and clips in place of a voice: on a fake SDK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_sdk import FakeVieneu, load, speak_sdk

from vieneu_core.engines.base import EngineMemory, Utterance
from vieneu_core.errors import ModelLoadError, ReferenceAudioError
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice


def clip_of(number: int, *, transcript: str = "a", rate: int = 16_000) -> ReferenceAudio:
    pcm = bytes([number, 8]) * (2 * rate)
    return ReferenceAudio(pcm=pcm, sample_rate_hz=rate, transcript=transcript)


def test_the_default_voice_goes_first_and_gets_the_text_as_it_is(sdk: FakeVieneu) -> None:
    engine, info = load(temperature=0.5)

    assert [(voice.id, voice.name) for voice in info.voices] == [
        ("An", "Anh An"),
        ("Bình", "Chị Bình"),
    ]
    assert [voice.id for voice in load(voice="Bình")[1].voices] == ["Bình", "An"]
    assert len(speak_sdk(engine)) == 200
    text, more = sdk.asked
    assert text == "Số 5.", "texts are made words before they come to any engine"
    assert (more["apply_watermark"], more["temperature"]) == (False, 0.5)
    assert more["voice"]["text"] == "An"
    assert engine.memory() == EngineMemory()


def test_a_name_with_control_characters_gets_an_id_that_can_be_written(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "list_preset_voices", lambda: [("\t", "An\x00\n Bình")])
    monkeypatch.setattr(sdk, "_default_voice", "An\x00\n Bình")
    engine, info = load()

    assert info.voices == (Voice("An Bình", "An Bình", "vi"),)
    assert speak_sdk(engine, info.voices[0])
    assert sdk.asked[1]["voice"]["text"] == "An\x00\n Bình"


def test_no_voices_are_an_error_and_no_warning(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "list_preset_voices", list)
    with pytest.raises(ModelLoadError, match="no voices"):
        load()


@pytest.mark.usefixtures("sdk")
def test_an_unknown_default_voice_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="nobody") as caught:
        load(voice="nobody")
    assert "An" in caught.value.remedy


def test_a_voice_of_another_kind_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(mode="turbo")
    monkeypatch.setattr(sdk, "get_preset_voice", lambda _: {"codes": np.ones(50, np.int64)})
    with pytest.raises(ModelLoadError, match="turbo"):
        load(mode="turbo")


def test_a_clip_goes_to_it_as_a_file_and_only_once(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bytes, int]] = []

    def encode(path: str) -> list[int]:
        seen.append((Path(path).read_bytes()[:4], Path(path).stat().st_mode & 0o777))
        return [1, 2]

    monkeypatch.setattr(sdk, "encode_reference", encode, raising=False)
    engine = load()[0]
    clips = [clip_of(i) for i in range(18)]
    for clip in (*clips, clips[-1], clip_of(17)):
        list(engine.synthesize(Utterance(text="Số 5.", voice=None, reference=clip), lambda: False))
    assert seen == [(b"RIFF", 0o600)] * 18
    assert sdk.asked[1]["voice"] == {"codes": [1, 2], "text": "a"}

    other = clip_of(17, transcript="b")
    list(engine.synthesize(Utterance(text="Số 5.", voice=None, reference=other), lambda: False))
    assert sdk.asked[1]["voice"]["text"] == "b", "the same sound, other words"


def test_a_clip_that_it_cannot_use_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(_: str) -> object:
        raise ValueError("Audio too short for fbank")

    monkeypatch.setattr(sdk, "encode_reference", encode, raising=False)
    with pytest.raises(ReferenceAudioError, match="too short"):
        list(load()[0].synthesize(Utterance(text="a", voice=None, reference=clip_of(1)), bool))
