"""Writes a small NeuCodec checkpoint with random weights, and a small w2v-BERT to listen with.

The formats and names are those of https://huggingface.co/neuphonic/neucodec and
https://huggingface.co/facebook/w2v-bert-2.0; the sizes are as small as the parts allow.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

HIDDEN, FEATURES, VQ = 64, 32, 16
_LAYERS_HEARD = 16
"""NeuCodec takes the output of w2v-BERT's 16th layer."""


def write_neucodec(folder: Path, *, seed: int = 0) -> Path:
    """Write ``pytorch_model.bin``; return its path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from neucodec.codec_decoder_vocos import CodecDecoderVocos
        from neucodec.codec_encoder import CodecEncoder
        from neucodec.module import SemanticEncoder

        torch.manual_seed(seed)
        parts = {
            "generator": CodecDecoderVocos(
                hidden_dim=HIDDEN, depth=2, heads=1, pos_meb_dim=64, hop_length=480, vq_dim=VQ
            ),
            "CodecEnc": CodecEncoder(ngf=2, hidden_dim=HIDDEN),
            "SemanticEncoder_module": SemanticEncoder(FEATURES, HIDDEN, FEATURES),
            "fc_prior": torch.nn.Linear(2 * HIDDEN, VQ),
            "fc_post_a": torch.nn.Linear(VQ, HIDDEN),
        }
    with torch.no_grad():  # else each clip would be one code
        parts["fc_prior"].weight.mul_(30)
    state = {
        f"{name}.{key}": value.clone()
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pytorch_model.bin"
    torch.save(state, path)
    return path


def write_features(folder: Path, *, seed: int = 0) -> Path:
    """Write a folder of w2v-BERT; return it."""
    torch.manual_seed(seed)
    config = Wav2Vec2BertConfig(
        hidden_size=FEATURES,
        num_hidden_layers=_LAYERS_HEARD,
        num_attention_heads=2,
        intermediate_size=16,
        feature_projection_input_dim=160,
        conv_depthwise_kernel_size=3,
        use_intermediate_ffn_before_adapter=False,
        add_adapter=False,
    )
    Wav2Vec2BertModel(config).save_pretrained(folder)
    extractor: Any = SeamlessM4TFeatureExtractor
    extractor().save_pretrained(folder)
    return folder
