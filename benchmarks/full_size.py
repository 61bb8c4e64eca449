"""Models of real sizes with random weights: their output is noise, but their cost is real.

The shapes are those of VieNeu-TTS: 0.5B is Qwen2.5-0.5B (24 layers of 896, embedding and head one
tensor), 0.3B a Llama of 204 M parameters beside its vocabulary. Weights are 4-bit blocks (Q4_0) of
random bits, the vocabulary's 8-bit ones (Q8_0), as llama.cpp's quantiser makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import gguf
import numpy as np
from checkpoint.network import EMOTIONS, END_OF_TEXT, MARKERS
from gguf import GGMLQuantizationType as Kind
from gguf import TokenType
from numpy.typing import NDArray

N_CODES = 65_536
_BLOCK = 32
_Q4_0_BYTES, _Q8_0_BYTES = 18, 34
"""Of a block of 32 weights: a 16-bit scale, and 16 or 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model."""

    architecture: str
    hidden: int
    feed_forward: int
    layers: int
    heads: int
    kv_heads: int
    n_text_tokens: int
    biases: bool


SHAPES = {
    "0.5B": Shape(
        architecture="qwen2",
        hidden=896,
        feed_forward=4864,
        layers=24,
        heads=14,
        kv_heads=2,
        n_text_tokens=151_665,
        biases=True,
    ),
    "0.3B": Shape(
        architecture="llama",
        hidden=896,
        feed_forward=4096,
        layers=16,
        heads=14,
        kv_heads=2,
        n_text_tokens=4_096,
        biases=False,
    ),
}
_VOWELS = "aeiouəɛɔɪʊʌɑɐæɨ"
_CONSONANTS = "bcdfghjklmnpqrstvwxyzŋɲɹʃʒθðɗɓʔɣ"
_SIGNS = "ˈˌː"


def write_full_size(path: Path, shape: Shape, *, seed: int = 0) -> None:
    """Write a model as a GGUF; takes seconds and little memory."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, shape.architecture)
    _add_shape(writer, shape)
    tokens = _add_tokenizer(writer, shape.n_text_tokens)
    tensors = [("token_embd.weight", (tokens, shape.hidden), Kind.Q8_0)]
    tensors += [
        (f"blk.{layer}.{name}", size, Kind.Q4_0)
        for layer in range(shape.layers)
        for name, size in _matrices(shape)
    ]
    for name, (rows, columns), kind in tensors:
        writer.add_tensor(name, _random_rows(random, rows, columns, kind), raw_dtype=kind)
    for name, size in _vectors(shape):
        writer.add_tensor(name, np.ones(size, np.float32) * ("norm" in name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("random weights")
    writer.add_context_length(32_768)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)


def _add_tokenizer(writer: gguf.GGUFWriter, n_text: int) -> int:
    """Write a vocabulary; return how many tokens it has."""
    ordinary, merges = _text_tokens(n_text)
    added = [END_OF_TEXT, *MARKERS, *EMOTIONS, *(f"<|speech_{i}|>" for i in range(N_CODES))]
    kinds = [TokenType.NORMAL] * len(ordinary) + [TokenType.USER_DEFINED] * len(added)
    kinds[len(ordinary)] = TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*ordinary, *added])
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(ordinary))
    return len(ordinary) + len(added)


def _text_tokens(n_text: int) -> tuple[list[str], list[str]]:
    """Make syllables, then words of two syllables, until there are enough tokens."""
    shown = _byte_letters()
    singles = list(shown.values())
    tokens, merges = dict.fromkeys(singles), []

    def learn(left: str, right: str) -> None:
        if left + right not in tokens:
            tokens[left + right] = None
            merges.append(f"{left} {right}")

    def spelled(char: str) -> str:
        """Return a character's token; that of two bytes has to be learnt first."""
        letters = [shown[byte] for byte in char.encode()]
        for i in range(1, len(letters)):
            learn("".join(letters[:i]), letters[i])
        return "".join(letters)

    vowels = [spelled(c) for c in _VOWELS]
    consonants = [spelled(c) for c in (*_CONSONANTS, *_SIGNS)]
    onsets = [shown[32], *consonants]
    syllables = []
    for onset, vowel in product(onsets, vowels):
        learn(onset, vowel)
        syllables.append(onset + vowel)
    closed = list(islice(product(syllables, consonants), max(0, n_text // 4)))
    for syllable, coda in closed:
        if len(tokens) < n_text:
            learn(syllable, coda)
    for first, second in product([a + b for a, b in closed], syllables):
        if len(tokens) >= n_text:
            break
        learn(first, second)
    return list(tokens), merges


def _byte_letters() -> dict[int, str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return {byte: chr(byte if byte in printable else next(spare)) for byte in range(256)}


def _matrices(shape: Shape) -> list[tuple[str, tuple[int, int]]]:
    hidden, wide = shape.hidden, shape.feed_forward
    narrow = hidden // shape.heads * shape.kv_heads
    return [
        ("attn_q.weight", (hidden, hidden)),
        ("attn_k.weight", (narrow, hidden)),
        ("attn_v.weight", (narrow, hidden)),
        ("attn_output.weight", (hidden, hidden)),
        ("ffn_gate.weight", (wide, hidden)),
        ("ffn_up.weight", (wide, hidden)),
        ("ffn_down.weight", (hidden, wide)),
    ]


def _vectors(shape: Shape) -> list[tuple[str, int]]:
    narrow = shape.hidden // shape.heads * shape.kv_heads
    found = [("output_norm.weight", shape.hidden)]
    for layer in range(shape.layers):
        found += [(f"blk.{layer}.{norm}_norm.weight", shape.hidden) for norm in ("attn", "ffn")]
        if shape.biases:
            sizes = {"q": shape.hidden, "k": narrow, "v": narrow}
            found += [(f"blk.{layer}.attn_{part}.bias", size) for part, size in sizes.items()]
    return found


def _random_rows(
    random: np.random.Generator, rows: int, columns: int, kind: Kind
) -> NDArray[np.uint8]:
    """Return rows of blocks: the same small scale for each, and random bits."""
    size = _Q4_0_BYTES if kind is Kind.Q4_0 else _Q8_0_BYTES
    blocks = random.integers(0, 256, (rows, columns // _BLOCK, size), np.uint8)
    spread = 8 if kind is Kind.Q4_0 else 128
    scale = np.float16(1.0 / (spread * columns**0.5))
    blocks[:, :, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    return blocks.reshape(rows, -1)
