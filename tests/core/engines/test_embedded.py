"""The embedded voice: several small engines in one, of which each speaks for the others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from embedded_voice import TEXT, loaded_embedded, of_folder, speak_embedded
from engine_calls import never
from sano_voice import RATE_HZ, write_sano_voice

from vieneu_core import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.embedded import create
from vieneu_core.engines.espeak import VOICES as ESPEAK_VOICES
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    VoiceNotFoundError,
)
from vieneu_core.models.catalogue import known_model
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.worker.spec import EngineSpec

ESPEAK = [voice.id for voice in ESPEAK_VOICES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sano_voice(tmp_path / "vi-test")


def test_the_best_voice_is_the_default_and_all_are_offered(folder: Path) -> None:
    _, info, _ = loaded_embedded(of_folder(folder))

    assert info.engine == "sano"
    assert info.model.startswith("vi-test (")
    assert [voice.id for voice in info.voices] == ["sano-vi", *ESPEAK]
    assert info.sample_rate_hz == RATE_HZ


def test_each_voice_is_spoken_by_its_engine(folder: Path) -> None:
    engine, info, _ = loaded_embedded(of_folder(folder))

    spoken = [speak_embedded(engine, TEXT, voice) for voice in info.voices]

    assert [by.engine for by, _ in spoken] == ["sano", *["espeak"] * len(ESPEAK)]
    assert [by.voice for by, _ in spoken] == [voice.id for voice in info.voices]
    assert spoken[0][0].model == info.model != spoken[1][0].model
    assert len({pcm for _, pcm in spoken}) == len(spoken)


def test_a_voice_of_another_rate_sounds_equally_long(tmp_path: Path) -> None:
    usual, info, _ = loaded_embedded(of_folder(write_sano_voice(tmp_path / "a", rate_hz=16_000)))
    alone, espeak, _ = loaded_embedded(of_folder(tmp_path / "none"))

    assert (info.sample_rate_hz, espeak.sample_rate_hz) == (16_000, RATE_HZ)
    pcm, same = (speak_embedded(each, TEXT, ESPEAK_VOICES[0])[1] for each in (usual, alone))
    assert len(pcm) / 16_000 == pytest.approx(len(same) / RATE_HZ, abs=0.1)


@pytest.mark.parametrize("voice", [0, 1], ids=["sano", "espeak"])
def test_each_engine_speaks_at_the_requested_speed(folder: Path, voice: int) -> None:
    engine, info, _ = loaded_embedded(of_folder(folder))
    usual, fast = (
        len(speak_embedded(engine, TEXT, info.voices[voice], speed)[1]) for speed in (1.0, 1.6)
    )

    assert fast < usual * 0.85


@pytest.mark.parametrize("text", ["привет", "xin chào 你好"])
def test_what_the_neural_voice_cannot_read_is_spoken_by_espeak(folder: Path, text: str) -> None:
    engine, info, _ = loaded_embedded(of_folder(folder))

    by, pcm = speak_embedded(engine, text, info.voices[0])

    assert (by.engine, by.voice) == ("espeak", "vi-north")
    assert len(pcm) > RATE_HZ / 4


def test_a_failure_in_the_networks_is_spoken_by_espeak(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, info, _ = loaded_embedded(of_folder(folder))
    monkeypatch.setattr("sanotts.models.decoder_forward", lambda *_: 1 / 0)

    by, pcm = speak_embedded(engine, TEXT, info.voices[0])

    assert by.engine == "espeak"
    assert len(pcm) > RATE_HZ


def test_what_nobody_can_pronounce_is_an_error(folder: Path) -> None:
    engine, info, _ = loaded_embedded(of_folder(folder))

    with pytest.raises(EmptyTextError):
        list(engine.synthesize(Utterance(text="\u20a0", voice=info.voices[0]), never))
    with pytest.raises(CloningUnsupportedError):
        list(engine.synthesize(Utterance(text=TEXT, voice=None), never))
    other = Voice(id="ba", name="Ba", language="vi")
    with pytest.raises(VoiceNotFoundError, match="sano-vi, vi-north"):
        list(engine.synthesize(Utterance(text=TEXT, voice=other), never))


def test_a_damaged_voice_is_reported_and_the_next_one_speaks(folder: Path) -> None:
    (folder / "weights.fp16.bin").write_bytes(b"")

    engine, info, steps = loaded_embedded(of_folder(folder))

    assert info.engine == "espeak"
    assert any("is damaged" in now.step and str(folder) in now.step for now in steps)
    assert speak_embedded(engine, TEXT, info.voices[0])[0].engine == "espeak"


@pytest.mark.parametrize("error", [ImportError("libstdc++.so.6"), OSError("x"), KeyError("x")])
def test_a_package_that_is_broken_is_reported_and_the_next_one_speaks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def create(_: object) -> None:
        raise error

    monkeypatch.setattr("vieneu_core.engines.sano.create", create)

    _, info, steps = loaded_embedded(of_folder(folder))

    assert info.engine == "espeak"
    assert any(type(error).__name__ in now.step for now in steps)


def test_without_espeak_the_neural_voice_speaks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)

    _, info, _ = loaded_embedded(of_folder(folder))

    assert [voice.id for voice in info.voices] == ["sano-vi"]


def test_without_any_voice_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("espeakng_loader", "sanotts", "piper"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtraError, match="espeak"):
        loaded_embedded({"fetch": "never"})


def test_wrong_options_are_named() -> None:
    with pytest.raises(ModelLoadError, match="pitch"):
        create({"pitch": 1})


# --- in a process of its own ---------------------------------------------------------------


async def test_the_chunks_name_the_engine_that_spoke(folder: Path) -> None:
    backend = LocalBackend(EngineSpec("vieneu_core.engines.embedded:create", of_folder(folder)))
    try:
        await backend.load()
        usual = await synthesize(backend, SynthesisRequest(text="Xin chào các bạn."))
        other = await synthesize(backend, SynthesisRequest(text="Один, xin chào."))
        named = await synthesize(backend, SynthesisRequest(text="Chào.", voice="vi-south"))
        health = await backend.health()
    finally:
        await backend.aclose()

    speakers = [speech.speakers[0] for speech in (usual, other, named)]
    assert [(s.engine, s.voice, s.fallback) for s in speakers] == [
        ("sano", "sano-vi", False),
        ("espeak", "vi-north", True),
        ("espeak", "vi-south", False),
    ]
    assert health.engine == "sano"
    assert health.model == speakers[0].model


def test_the_catalogue_names_source_licence_and_size() -> None:
    model = known_model("sano-vi")

    assert model.licence == "GPL-3.0"
    assert model.is_public
    assert str(model.source).startswith("ampixa/sanoTTS:vi-vais1000-1p46m/manifest.json")
