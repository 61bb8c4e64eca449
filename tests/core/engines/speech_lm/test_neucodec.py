"""NeuCodec's halves on PyTorch: codes of clips, sound of codes, and what makes either fail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint.neucodec_weights import write_features, write_neucodec
from voice_clips import clip_samples

from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice, suppress_warnings
from vieneu_core.engines.speech_lm.neucodec import NeuCodecEncoder, TorchDecoder
from vieneu_core.errors import (
    MissingExtraError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
)

CPU = TorchDevice.choose(DeviceChoice.CPU)


def test_a_second_has_fifty_codes(encoder: NeuCodecEncoder) -> None:
    codes = encoder.encode(clip_samples(1))

    assert len(codes) == 150
    assert len(set(codes)) > 1
    assert all(0 <= code <= 0xFFFF for code in codes)


def test_the_same_clip_has_the_same_codes_and_another_has_others(encoder: NeuCodecEncoder) -> None:
    assert (
        encoder.encode(clip_samples(1))
        == encoder.encode(clip_samples(1))
        != encoder.encode(clip_samples(2))
    )


def test_it_is_what_neucodec_itself_computes(
    encoder: NeuCodecEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's own class, its parts made small and filled by its own names."""
    import torch
    from neucodec import model as upstream
    from neucodec.codec_decoder_vocos import CodecDecoderVocos
    from neucodec.codec_encoder import CodecEncoder
    from neucodec.module import SemanticEncoder
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertModel

    features = folder / "features"
    small = {
        "SemanticEncoder": lambda *_: SemanticEncoder(32, 64, 32),
        "CodecEncoder": lambda: CodecEncoder(ngf=2, hidden_dim=64),
        "CodecDecoderVocos": lambda hop_length: CodecDecoderVocos(
            hidden_dim=64, depth=2, heads=1, hop_length=hop_length, vq_dim=16
        ),
    }
    for name, make in small.items():
        monkeypatch.setattr(upstream, name, make)
    heard_by = Wav2Vec2BertModel.from_pretrained(features, output_hidden_states=True)
    extractor: Any = SeamlessM4TFeatureExtractor.from_pretrained(features)
    for cls, made in (("Wav2Vec2BertModel", heard_by), ("AutoFeatureExtractor", extractor)):
        monkeypatch.setattr(getattr(upstream, cls), "from_pretrained", lambda *_, m=made, **__: m)
    with suppress_warnings():
        whole = upstream.NeuCodec(24_000, 480)
    whole.fc_prior = torch.nn.Linear(128, 16)
    whole.fc_post_a = torch.nn.Linear(16, 64)
    state = torch.load(folder / "codec" / "pytorch_model.bin", weights_only=True)
    whole.load_state_dict(state, strict=False)
    whole.eval()

    with torch.inference_mode():
        codes = whole.encode_code(torch.from_numpy(clip_samples(1))[None, None])
        samples = whole.decode_code(codes).reshape(-1).numpy()

    assert encoder.encode(clip_samples(1)) == tuple(codes.reshape(-1).tolist())
    ours = TorchDecoder(folder / "codec", CPU).decode(codes.reshape(-1).tolist())
    assert np.allclose(ours, samples, atol=1e-5)


def test_a_code_is_480_samples(folder: Path) -> None:
    decoder = TorchDecoder(folder / "codec", CPU)

    assert decoder.decode([1, 2, 3]).shape == (3 * 480,)
    assert decoder.decode(list(range(50))).dtype == np.float32


def test_other_weights_have_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    write_neucodec(tmp_path, seed=5)

    ours, other = (
        NeuCodecEncoder(path, folder / "features").fingerprint
        for path in (folder / "codec", tmp_path)
    )
    assert ours != other


def test_other_ears_have_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    other = write_features(tmp_path / "features", seed=1)

    here = NeuCodecEncoder(folder / "codec", folder / "features").fingerprint
    assert NeuCodecEncoder(folder / "codec", other).fingerprint != here


def test_features_that_are_cut_off_are_an_error_that_names_them(
    folder: Path, tmp_path: Path
) -> None:
    other = write_features(tmp_path / "features")
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])

    with pytest.raises(ModelLoadError, match=r"features is no usable folder of w2v-BERT"):
        NeuCodecEncoder(folder / "codec", other)


def test_a_clip_that_is_too_short_to_be_heard_is_an_error(encoder: NeuCodecEncoder) -> None:
    with pytest.raises(ReferenceAudioError, match="only 1 samples"):
        encoder.encode(np.zeros(1, np.float32))


def test_a_clip_that_neucodec_cannot_encode_is_an_error(
    encoder: NeuCodecEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder._parts, "fc_prior", _refuse)

    with pytest.raises(ReferenceAudioError, match="cannot encode"):
        encoder.encode(clip_samples(1))


def _refuse(features: object) -> object:
    del features
    raise ValueError("odd shape")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 broken archive"])
def test_what_is_no_checkpoint_is_an_error_that_names_it(
    folder: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(content)

    with pytest.raises(ModelLoadError, match=r"pytorch_model\.bin"):
        TorchDecoder(tmp_path, CPU)
    with pytest.raises(ModelLoadError, match=r"pytorch_model\.bin"):
        NeuCodecEncoder(tmp_path, folder / "features")


def test_a_checkpoint_that_lacks_a_part_is_an_error(folder: Path, tmp_path: Path) -> None:
    import torch

    state = torch.load(folder / "codec" / "pytorch_model.bin", weights_only=True)
    del state["generator.backbone.embed.weight"]
    torch.save(state, tmp_path / "pytorch_model.bin")

    with pytest.raises(ModelLoadError, match="generator"):
        TorchDecoder(tmp_path, CPU)


def test_features_that_are_missing_are_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="w2v-BERT"):
        NeuCodecEncoder(folder / "codec", tmp_path)


def test_packages_that_do_not_fit_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "neucodec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchaudio", None)

    with pytest.raises(ModelLoadError, match=r"torchao below 0\.18"):
        TorchDecoder(folder / "codec", CPU)


def test_a_code_that_the_codec_lacks_is_an_error(folder: Path) -> None:
    decoder = TorchDecoder(folder / "codec", CPU)
    decoder._library = type("Other", (), {"NeuCodec": _TooShort})

    with pytest.raises(SynthesisFailedError, match="480 samples of 2 codes"):
        decoder.decode([1, 2])


class _TooShort:
    @staticmethod
    def decode_code(parts: object, codes: object) -> object:
        import torch

        del parts, codes
        return torch.zeros(1, 1, 480)


def test_neucodec_that_is_not_installed_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "neucodec", None)

    with pytest.raises(MissingExtraError, match=r"vieneu-core\[torch\]"):
        TorchDecoder(folder / "codec", CPU)
