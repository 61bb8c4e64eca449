"""Writes the network of `network` as a GGUF file, as llama.cpp's converter would."""

from __future__ import annotations

from pathlib import Path

import gguf
from checkpoint import network
from gguf import GGMLQuantizationType, TokenType

_LAYER_NAMES = {
    **{f"{part}.w": f"attn_{part}.weight" for part in ("q", "k", "v")},
    **{f"{part}.b": f"attn_{part}.bias" for part in ("q", "k", "v")},
    "o.w": "attn_output.weight",
    **{f"{part}.w": f"ffn_{part}.weight" for part in ("gate", "up", "down")},
    "norm1": "attn_norm.weight",
    "norm2": "ffn_norm.weight",
}


def write_gguf(
    path: Path,
    *,
    n_codes: int = 65_536,
    n_words: int = 0,
    codes_per_token: float = 2.0,
    control_markers: bool = False,
    architecture: str = "qwen2",
    emotions: tuple[str, ...] = network.EMOTIONS,
    trained: network.Training | None = None,
    norm: float = 1.0,
    begins: bool = False,
) -> network.Vocabulary:
    """Write the model; return its vocabulary.

    Args:
        path: The file.
        n_codes, n_words: See `network.vocabulary`.
        codes_per_token: See `network.weights`.
        control_markers: Make the markers CONTROL tokens, which have no text, in place of
            USER_DEFINED ones as in a converted checkpoint.
        architecture: What the file claims to be.
        emotions: See `network.vocabulary`.
        trained: See `network.weights`.
        norm: Factor of all logits.
        begins: Whether llama.cpp puts a token for the beginning before each text.
    """
    vocabulary = network.vocabulary(n_codes, n_words=n_words, emotions=emotions)
    weights = network.weights(vocabulary, codes_per_token=codes_per_token, trained=trained)
    weights["norm"] *= norm
    writer = gguf.GGUFWriter(path, architecture)
    _add_shape(writer)
    _add_tokenizer(writer, vocabulary, control_markers=control_markers)
    writer.add_add_bos_token(begins)
    if begins:
        writer.add_bos_token_id(vocabulary.id_of(network.END_OF_TEXT))
    _add_tensors(writer, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return vocabulary


def _add_shape(writer: gguf.GGUFWriter) -> None:
    writer.add_name("VieNeu synthetic")
    writer.add_context_length(network.CONTEXT_LENGTH)
    writer.add_embedding_length(network.HIDDEN)
    writer.add_block_count(network.N_LAYERS)
    writer.add_feed_forward_length(network.FEED_FORWARD)
    writer.add_head_count(network.N_HEADS)
    writer.add_head_count_kv(network.N_KV_HEADS)
    writer.add_layer_norm_rms_eps(network.NORM_EPSILON)
    writer.add_rope_freq_base(network.ROPE_BASE)


def _add_tokenizer(
    writer: gguf.GGUFWriter, vocabulary: network.Vocabulary, *, control_markers: bool
) -> None:
    n_ordinary = len(vocabulary.ordinary)
    kinds = [TokenType.NORMAL] * n_ordinary + [TokenType.USER_DEFINED] * len(vocabulary.added)
    end_of_text = vocabulary.id_of(network.END_OF_TEXT)
    kinds[end_of_text] = TokenType.CONTROL
    if control_markers:
        for marker in network.MARKERS:
            kinds[vocabulary.id_of(marker)] = TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(list(vocabulary.tokens))
    writer.add_token_types(kinds)
    writer.add_token_merges(list(vocabulary.merges))
    writer.add_eos_token_id(end_of_text)
    writer.add_pad_token_id(end_of_text)


def _add_tensors(writer: gguf.GGUFWriter, weights: dict[str, network.Array]) -> None:
    eight_bits = GGMLQuantizationType.Q8_0
    for name, key in (("token_embd.weight", "embed"), ("output.weight", "head")):
        packed = gguf.quants.quantize(weights[key], eight_bits)
        writer.add_tensor(name, packed, raw_dtype=eight_bits)
    writer.add_tensor("output_norm.weight", weights["norm"])
    for layer in range(network.N_LAYERS):
        for part, name in _LAYER_NAMES.items():
            writer.add_tensor(f"blk.{layer}.{name}", weights[f"{layer}.{part}"])
