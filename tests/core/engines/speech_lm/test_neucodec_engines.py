"""Whole engines with NeuCodec on PyTorch: voices that are cloned, and what is heard."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkpoint.folder import ModelFolder, heard_codes, make_folder
from checkpoint.transformers_model import write_transformers
from voice_clips import clip_samples

from vieneu_core.audio.pcm import floats_of_pcm
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.gguf import create as create_gguf
from vieneu_core.engines.pytorch import create as create_pytorch
from vieneu_core.engines.speech_lm.neucodec import NeuCodecEncoder
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

TEXT = "Xin chào các bạn, hôm nay trời đẹp quá."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    folder = make_folder(tmp_path_factory.mktemp("models"))
    write_transformers(folder.path / "hf", codes_per_token=1.0)
    shutil.copy(folder.path / "voices.json", folder.path / "hf")
    return folder


def reference(seed: int) -> ReferenceAudio:
    pcm = (clip_samples(seed) * 32_000).astype("<i2").tobytes()
    return ReferenceAudio(pcm=pcm, sample_rate_hz=16_000, transcript="Xin chào.")


@pytest.mark.parametrize("kind", ["gguf", "pytorch"])
def test_a_clip_gives_a_voice_that_goes_on_where_the_clip_ends(
    models: ModelFolder, folder: Path, encoder: NeuCodecEncoder, kind: str
) -> None:
    options = models.options(
        encoder=str(folder / "codec"), encoder_features=str(folder / "features")
    )
    if kind == "pytorch":
        options["model"] = str(models.path / "hf")
    engine = {"gguf": create_gguf, "pytorch": create_pytorch}[kind](options)
    engine.load(lambda _: None)

    pcm = b"".join(
        engine.synthesize(
            Utterance(text=TEXT * 5, voice=None, reference=reference(4)), lambda: False
        )
    )

    last = encoder.encode(floats_of_pcm(reference(4).pcm))[-1]
    pitches, voices = heard_codes(pcm)
    assert voices[0] == last >> 8
    assert pitches[0] == 50 * (3 + ((last & 0xFF) + 1 & 0xFF) % 64)


def test_a_clip_is_encoded_once_for_ever(
    models: ModelFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = models.options(
        encoder=str(folder / "codec"),
        encoder_features=str(folder / "features"),
        cache=str(models.path / "fresh"),
    )
    utterance = Utterance(text=TEXT * 5, voice=None, reference=reference(9))

    def spoken() -> bytes:
        engine = create_gguf(options)
        engine.load(lambda _: None)
        return b"".join(engine.synthesize(utterance, lambda: False))

    first = spoken()
    monkeypatch.setattr(NeuCodecEncoder, "encode", lambda *_: pytest.fail("encoded again"))
    assert spoken() == first


def test_the_engine_pytorch_speaks(models: ModelFolder) -> None:
    engine = create_pytorch(models.options(model=str(models.path / "hf"), batch=2))
    info = engine.load(lambda _: None)

    pcm = b"".join(
        engine.synthesize(
            Utterance(text=TEXT, voice=info.voices[1], upcoming=("Tạm biệt nhé.",)), lambda: False
        )
    )

    assert (info.engine, info.model) == ("pytorch", "hf + codec")
    assert isinstance(info.voices[1], Voice)
    assert set(heard_codes(pcm)[1]) == {1}


def test_the_engine_pytorch_decodes_on_pytorch_too(models: ModelFolder, folder: Path) -> None:
    engine = create_pytorch(
        models.options(model=str(models.path / "hf"), codec=str(folder / "codec"), device="cpu")
    )
    info = engine.load(lambda _: None)

    pcm = b"".join(engine.synthesize(Utterance(text=TEXT, voice=info.voices[0]), lambda: False))

    assert info.model == "hf + neucodec"
    assert len(pcm) > 20 * 960
