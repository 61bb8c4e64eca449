"""The network of the synthetic checkpoints: a tiny language model whose weights are set by hand.

It is a Qwen2 network of two layers and 32 dimensions that behaves like a VieNeu model where that
can be heard, so that a test can tell from the sound alone what the model was given:

* After ``<|SPEECH_GENERATION_START|>`` it says speech code 0; after code ``n`` it says
  `code_after` (n): the low byte counts up and wraps, the high byte stays. So the last code of the
  reference chooses the voice (the high byte) and where the count begins.
* Every code beats its rivals by 25 logits, so sampling gives the same codes as greedy decoding.
* ``<|SPEECH_GENERATION_END|>`` comes once the codes in the context, those of the reference
  included, outnumber the tokens of the text ``codes_per_token`` times: a longer text gives a longer
  sound. Where exactly may differ by a few codes between implementations (rounding).

How: one attention head with equal weights (queries and keys are zero) averages "text or speech"
over the context, and a steep gate turns the sign of that average into the end's logit. A code's
name is its 16 bits in four Hamming(7,4) words, so that two names differ in at least three signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

HIDDEN, FEED_FORWARD, N_LAYERS, N_HEADS, N_KV_HEADS = 32, 32, 2, 2, 1
CONTEXT_LENGTH = 4096
NORM_EPSILON, ROPE_BASE = 1e-6, 1_000_000.0
END_OF_TEXT = "<|endoftext|>"
MARKERS = (
    "<|TEXT_PROMPT_START|>",
    "<|TEXT_PROMPT_END|>",
    "<|SPEECH_GENERATION_START|>",
    "<|SPEECH_GENERATION_END|>",
    "<|SPEECH_REPLACE|>",
    "<|TEXT_REPLACE|>",
)
EMOTIONS = tuple(f"<|emotion_{i}|>" for i in range(4))
BANK = 256
"""Codes of one voice: the low byte."""

# What each dimension of the residual stream means.
_ONE, _KIND, _BALANCE, _STOP = range(4)
_NAME = slice(4, HIDDEN)
_STEEPNESS, _END_LOGIT, _CODE_LOGIT = 400.0, 1000.0, 4.0

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The style of the prompts that a network was trained with."""

    chat: bool
    emotion: bool


def code_after(code: int) -> int:
    """Return the code that the network says after this one."""
    return (code & ~0xFF) | ((code + 1) & 0xFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Tokens by id: ordinary ones, then the added ones, the speech codes last."""

    ordinary: tuple[str, ...]
    merges: tuple[str, ...]
    added: tuple[str, ...]
    n_codes: int

    @property
    def tokens(self) -> tuple[str, ...]:
        """All of them."""
        return self.ordinary + self.added

    @property
    def first_code(self) -> int:
        """Id of ``<|speech_0|>``."""
        return len(self.tokens) - self.n_codes

    def id_of(self, token: str) -> int:
        """Return the id of an added token."""
        return len(self.ordinary) + self.added.index(token)


def vocabulary(
    n_codes: int = 65_536, *, n_words: int = 0, emotions: tuple[str, ...] = EMOTIONS
) -> Vocabulary:
    """Make the vocabulary of a byte-level BPE.

    Args:
        n_codes: Speech codes, a multiple of 256.
        n_words: So many merges of Latin letters more, which stand for the words of a real
            vocabulary: a model's text is in phonemes, most of which never need them.
        emotions: The tokens of emotions; upstream's older models have none.
    """
    letters = ascii_lowercase
    words = [f"{a} {b}" for a, b in product(letters, letters)]
    words += [f"{a}{b} {c}" for a, b, c in product(letters, letters, letters)]
    sounds = ("Ġ t", "n h", "n g")
    merges = (*sounds, *[word for word in words if word not in sounds][:n_words])
    return Vocabulary(
        ordinary=(*_byte_alphabet(), *(m.replace(" ", "") for m in merges)),
        merges=merges,
        added=(END_OF_TEXT, *MARKERS, *emotions, *(f"<|speech_{i}|>" for i in range(n_codes))),
        n_codes=n_codes,
    )


def weights(
    vocabulary: Vocabulary, *, codes_per_token: float = 2.0, trained: Training | None = None
) -> dict[str, Array]:
    """Return the weights: ``embed`` and ``head`` [n_vocab, 32], ``norm``, and ``LAYER.PART``.

    With ``trained``, speech codes are likely after prompts in its style only: after others the end
    is. A text then does not count, and the speech ends after 100 codes, the reference's included.

    The parts are named q, k, v, o, gate, up and down, each with ``.w`` [out, in] and, for q, k and
    v, ``.b``; and norm1 and norm2.
    """
    first, n_codes = vocabulary.first_code, vocabulary.n_codes
    codes = np.arange(n_codes)
    embed = np.zeros((len(vocabulary.tokens), HIDDEN), np.float32)
    embed[:, _ONE] = 1
    embed[: len(vocabulary.ordinary), _KIND] = 1
    embed[first:, _KIND] = -1 / codes_per_token
    embed[:first, _NAME] = _names(np.arange(first))
    if trained is not None:
        embed[: len(vocabulary.ordinary), _KIND] = 0
        embed[first:, _KIND] = -0.02
        for token, kind in _kinds_of(vocabulary, trained).items():
            embed[token, _KIND] = kind
    embed[first:, _NAME] = _names(codes)
    # The code before code 0, so that code 0 follows.
    embed[vocabulary.id_of(MARKERS[2]), _NAME] = _names(np.array([0xFF]))[0]
    head = np.zeros_like(embed)
    head[first:, _NAME] = _CODE_LOGIT * _names((codes & ~0xFF) | ((codes - 1) & 0xFF))
    head[vocabulary.id_of(MARKERS[3]), _STOP] = _END_LOGIT
    made = {"embed": embed, "head": head, "norm": np.ones(HIDDEN, np.float32)}
    for layer in range(N_LAYERS):
        made |= {f"{layer}.{part}": array for part, array in _idle_layer().items()}
    made["0.v.w"][0, _KIND] = 1
    made["0.o.w"][_BALANCE, 0] = 1
    made["0.gate.w"][0, _BALANCE] = -_STEEPNESS
    made["0.up.w"][0, _ONE] = 1
    made["0.down.w"][_STOP, 0] = 1
    return made


def _kinds_of(vocabulary: Vocabulary, trained: Training) -> dict[int, float]:
    """Return what each token adds to the balance, which is 2 for the right style, else below -1.

    The chat alone has a line break.
    """
    chat, emotion = (4.0 if is_in else -4.0 for is_in in (trained.chat, trained.emotion))
    rest = 2.0 - max(chat, 0) - max(emotion, 0)
    kinds = {_byte_alphabet().index("Ċ"): chat}
    kinds |= {vocabulary.id_of(marker): rest / 2 for marker in MARKERS[:2]}
    if EMOTIONS[0] in vocabulary.added:
        kinds[vocabulary.id_of(EMOTIONS[0])] = emotion
    # The network sees each token divided by its length: of 32 numbers, 29 are 1 or -1.
    return {token: kind * (29 / (32 - kind**2)) ** 0.5 for token, kind in kinds.items()}


def _idle_layer() -> dict[str, Array]:
    """Return a layer that adds nothing."""
    n_kv = N_KV_HEADS * HIDDEN // N_HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "q.w": (HIDDEN, HIDDEN),
        "k.w": (n_kv, HIDDEN),
        "v.w": (n_kv, HIDDEN),
        "q.b": (HIDDEN,),
        "k.b": (n_kv,),
        "v.b": (n_kv,),
        "o.w": (HIDDEN, HIDDEN),
        "gate.w": (FEED_FORWARD, HIDDEN),
        "up.w": (FEED_FORWARD, HIDDEN),
        "down.w": (HIDDEN, FEED_FORWARD),
    }
    layer = {part: np.zeros(shape, np.float32) for part, shape in shapes.items()}
    return layer | {norm: np.ones(HIDDEN, np.float32) for norm in ("norm1", "norm2")}


def _names(numbers: NDArray[np.int64]) -> Array:
    """Return the names of numbers below 65 536: shape [n, 28], of +1 and -1."""
    bits = ((numbers[:, None] >> np.arange(16)) & 1).reshape(-1, 4, 4)
    one, two, three, four = np.moveaxis(bits, -1, 0)
    parity = np.stack([one ^ two ^ four, one ^ three ^ four, two ^ three ^ four], -1)
    return (2.0 * np.concatenate([bits, parity], -1) - 1).reshape(-1, 28).astype(np.float32)


def _byte_alphabet() -> list[str]:
    """Return the printable character that stands for each byte in GPT-2's BPE."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte if byte in printable else next(spare)) for byte in range(256)]
