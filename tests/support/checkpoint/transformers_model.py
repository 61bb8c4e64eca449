"""Writes the network of `network` as a folder of transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from checkpoint import network
from safetensors.numpy import save_file

_LAYER_NAMES = {
    **{f"{part}.w": f"self_attn.{part}_proj.weight" for part in "qkvo"},
    **{f"{part}.b": f"self_attn.{part}_proj.bias" for part in "qkv"},
    **{f"{part}.w": f"mlp.{part}_proj.weight" for part in ("gate", "up", "down")},
    "norm1": "input_layernorm.weight",
    "norm2": "post_attention_layernorm.weight",
}
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2's tokeniser cuts a text before it joins bytes."""


def write_transformers(
    folder: Path,
    *,
    n_codes: int = 65_536,
    codes_per_token: float = 2.0,
    emotions: tuple[str, ...] = network.EMOTIONS,
    trained: network.Training | None = None,
    norm: float = 1.0,
) -> network.Vocabulary:
    """Write the model; return its vocabulary. See `gguf_model.write_gguf` for the arguments."""
    vocabulary = network.vocabulary(n_codes, emotions=emotions)
    weights = network.weights(vocabulary, codes_per_token=codes_per_token, trained=trained)
    weights["norm"] *= norm
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        "model.embed_tokens.weight": weights["embed"],
        "lm_head.weight": weights["head"],
        "model.norm.weight": weights["norm"],
    }
    for layer in range(network.N_LAYERS):
        for part, name in _LAYER_NAMES.items():
            tensors[f"model.layers.{layer}.{name}"] = weights[f"{layer}.{part}"]
    halves = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    for name, content in (
        ("config.json", _config(vocabulary)),
        ("generation_config.json", {"eos_token_id": vocabulary.id_of(network.END_OF_TEXT)}),
        ("tokenizer.json", _tokenizer(vocabulary)),
        ("tokenizer_config.json", _tokenizer_config()),
    ):
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return vocabulary


def _config(vocabulary: network.Vocabulary) -> dict[str, object]:
    end = vocabulary.id_of(network.END_OF_TEXT)
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": len(vocabulary.tokens),
        "hidden_size": network.HIDDEN,
        "intermediate_size": network.FEED_FORWARD,
        "num_hidden_layers": network.N_LAYERS,
        "num_attention_heads": network.N_HEADS,
        "num_key_value_heads": network.N_KV_HEADS,
        "hidden_act": "silu",
        "max_position_embeddings": network.CONTEXT_LENGTH,
        "rms_norm_eps": network.NORM_EPSILON,
        "rope_theta": network.ROPE_BASE,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "eos_token_id": end,
        "pad_token_id": end,
    }


def _tokenizer(vocabulary: network.Vocabulary) -> dict[str, object]:
    n_ordinary = len(vocabulary.ordinary)
    added = [
        {
            "id": n_ordinary + index,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": token == network.END_OF_TEXT,
        }
        for index, token in enumerate(vocabulary.added)
    ]
    bytes_only = {"add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": _SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [split, {"type": "ByteLevel", **bytes_only}],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", **bytes_only},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: index for index, token in enumerate(vocabulary.ordinary)},
            "merges": list(vocabulary.merges),
        },
    }


def _tokenizer_config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": network.END_OF_TEXT,
        "pad_token": network.END_OF_TEXT,
        "model_max_length": network.CONTEXT_LENGTH,
    }
