"""Writes a VieNeu v3 Turbo checkpoint that speaks codes it counts, in the SDK's own ONNX layout.

Its graphs have the inputs, outputs and roles of the real ones; the weights are set by hand. Of the
16 codes of a frame two are heard: the first counts up from the last frame of the voice (a rotation
by one step in a circle of 1 024 places), the second stays (the voice). The end comes once the
frames outnumber the tokens of the text ``frames_per_token`` times. The codec (`moss_codec`) makes
tones of them. The denoiser lets all pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from checkpoint.moss_codec import N_VQ
from checkpoint.onnx_graph import FLOAT, INT64, Step, save_graph
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

N_CODES, HIDDEN = 1024, 8
GRAPHS = "onnx_update"
"""Folder of the graphs in the model's repository."""
_KIND, _BALANCE = 0, 1
_STYLE, _TEXT_START, _TEXT_END, _SPEECH_START, _SPEECH_END, _SLOT, _PAD = range(1, 8)
_N_SPECIAL = 16
_SCALE = 1e5
Array = NDArray[np.float32]


def write_v3_turbo(folder: Path, *, frames_per_token: float = 0.4) -> None:
    """Write what the repository of the model holds: graphs, what cloning takes, two voices."""
    graphs = folder / GRAPHS
    graphs.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(graphs / "tokenizer.json")
    (graphs / "config.json").write_text(json.dumps(_config()))
    heads: dict[str, Any] = _heads()
    np.savez(graphs / "vieneu_v3_heads.npz", **heads)
    _write_backbone(graphs, frames_per_token)
    _write_acoustic(graphs / "vieneu_acoustic_cached.onnx")
    write_speaker_encoder(folder / "speaker_encoder.onnx")
    write_denoiser(folder / "denoiser.onnx")
    _write_voices(folder / "voices_v3_turbo.json")


def _config() -> dict[str, object]:
    return {
        "n_vq": N_VQ,
        "hidden_size": HIDDEN,
        "num_hidden_layers": 1,
        "local_num_hidden_layers": 1,
        "local_num_attention_heads": 1,
        "audio_pad_token_id": N_CODES,
        "text_prompt_start_token_id": _TEXT_START,
        "text_prompt_end_token_id": _TEXT_END,
        "speech_generation_start_token_id": _SPEECH_START,
        "speech_generation_end_token_id": _SPEECH_END,
        "audio_ref_slot_token_id": _SLOT,
        "text_vocab_size": _N_SPECIAL + 256,
        "default_style_token_id": _STYLE,
        "use_speaker_embedding": True,
        "speaker_embedding_dim": 192,
    }


def _heads() -> dict[str, Array]:
    """Return the embeddings, which are the heads too; the speaker's anchor adds nothing."""
    text = np.zeros((_N_SPECIAL + 256, HIDDEN), np.float32)
    text[_N_SPECIAL:, _KIND] = 1
    text[_SPEECH_END, _BALANCE] = -1000
    audio = np.zeros((N_VQ, N_CODES, HIDDEN), np.float32)
    turns = np.arange(N_CODES) * (2 * np.pi / N_CODES)
    for channel, at in ((0, 2), (1, 4)):
        audio[channel, :, at], audio[channel, :, at + 1] = np.cos(turns), np.sin(turns)
    return {
        "text_emb": text,
        "audio_emb": audio,
        "xvec_w": np.ones((HIDDEN, 192), np.float32),
        "xvec_b": np.arange(HIDDEN, dtype=np.float32),
        "xvec_ln_w": np.zeros(HIDDEN, np.float32),
        "xvec_ln_b": np.zeros(HIDDEN, np.float32),
        "xvec_ln_eps": np.array(1e-5, np.float32),
    }


def _write_tokenizer(path: Path) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {f"<{i}>": i for i in range(_N_SPECIAL)}
    vocabulary |= {letter: _N_SPECIAL + i for i, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(path))


def _write_backbone(folder: Path, frames_per_token: float) -> None:
    """The hidden state is the last row, and how much text is not yet spoken: kept as the cache."""
    only_kind, into_balance = np.zeros(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)
    only_kind[_KIND], into_balance[_BALANCE] = 1, 1
    constants: dict[str, Any] = {
        "only_kind": only_kind,
        "into_balance": into_balance,
        "spoken": np.array([[1 / frames_per_token]], np.float32),
    }
    count: list[Step] = [
        ("Mul", "inputs_embeds only_kind", "kinds"),
        ("ReduceSum", "kinds", "total", {"keepdims": 0}),
        ("Reshape", "total one_by_one", "present_k_0"),
    ]
    spend: list[Step] = [
        ("Sub", "past_k_0 spoken", "present_k_0"),
        ("Identity", "position_ids", "seen"),
    ]
    show: list[Step] = [
        ("Identity", "present_k_0", "present_v_0"),
        ("Mul", "present_k_0 into_balance", "balance"),
        ("Add", "inputs_embeds balance", "hidden"),
    ]
    outputs = [
        ("hidden", FLOAT, ["B", "T", HIDDEN]),
        ("present_k_0", FLOAT, [1, 1]),
        ("present_v_0", FLOAT, [1, 1]),
    ]
    embeds = ("inputs_embeds", FLOAT, ["B", "T", HIDDEN])
    shape = {"one_by_one": np.array([1, 1], np.int64)}
    save_graph(
        folder / "vieneu_prefill.onnx",
        count + show,
        [embeds],
        outputs,
        {k: v for k, v in (constants | shape).items() if k != "spoken"},
        data="vieneu_backbone_shared.data",
    )
    cache = [("past_k_0", FLOAT, [1, 1]), ("past_v_0", FLOAT, [1, 1])]
    save_graph(
        folder / "vieneu_decode_step.onnx",
        spend + show,
        [embeds, ("position_ids", INT64, [1, 1]), *cache],
        outputs,
        {k: constants[k] for k in ("into_balance", "spoken")},
        data="vieneu_backbone_shared.data",
    )


def _write_acoustic(path: Path) -> None:
    """Every position shows the first row that it was given, turned one step; the cache keeps it."""
    turn = 2 * np.pi / N_CODES
    weights = np.zeros((HIDDEN, HIDDEN), np.float32)
    weights[_BALANCE, _BALANCE] = 1
    weights[2:4, 2:4] = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    weights[4:6, 4:6] = np.eye(2)
    weights[2:6] *= _SCALE
    cache = ["B", "N", "T", HIDDEN]
    save_graph(
        path,
        [
            ("Unsqueeze", "token_emb head_axis", "new"),
            ("Concat", "past_k_0 new", "present_k_0", {"axis": 2}),
            ("Identity", "present_k_0", "present_v_0"),
            ("Gather", "present_k_0 first", "given", {"axis": 2}),
            ("MatMul", "given weights", "turned"),
            ("Mul", "token_emb nothing", "blank"),
            ("Squeeze", "turned head_axis", "shown"),
            ("Add", "blank shown", "hidden"),
        ],
        [
            ("token_emb", FLOAT, ["B", "S", HIDDEN]),
            ("position_ids", INT64, ["B", "S"]),
            ("past_k_0", FLOAT, cache),
            ("past_v_0", FLOAT, cache),
        ],
        [
            ("hidden", FLOAT, ["B", "S", HIDDEN]),
            ("present_k_0", FLOAT, cache),
            ("present_v_0", FLOAT, cache),
        ],
        {
            "head_axis": np.array([1], np.int64),
            "first": np.array([0], np.int64),
            "weights": weights,
            "nothing": np.array(0, np.float32),
        },
    )


def write_speaker_encoder(path: Path) -> None:
    """Write a graph that hears the same speaker, 192 ones, in everything."""
    save_graph(
        path,
        [
            ("ReduceMean", "input", "mean", {"axes": [1, 2], "keepdims": 1}),
            ("Mul", "mean nothing", "blank"),
            ("Squeeze", "blank last_axis", "flat"),
            ("Add", "flat row", "output"),
        ],
        [("input", FLOAT, ["B", "T", 80])],
        [("output", FLOAT, ["B", 192])],
        {
            "nothing": np.array(0, np.float32),
            "last_axis": np.array([2], np.int64),
            "row": np.ones((1, 192), np.float32),
        },
    )


def write_denoiser(path: Path) -> None:
    """Write a graph that changes nothing."""
    shape = [1, "F", "T"]
    parts = ("mag", "cos", "sin")
    save_graph(
        path,
        [("Identity", part, f"sep_{part}") for part in parts],
        [(part, FLOAT, shape) for part in parts],
        [(f"sep_{part}", FLOAT, shape) for part in parts],
        {},
    )


def _write_voices(path: Path) -> None:
    presets = {
        name: {
            "description": f"giọng thử {name}",
            "speaker_emb": [0.1] * 192,
            "codes": [[first + i, second, *[0] * 14] for i in range(10)],
            "aliases": [f"{name} cũ"],
        }
        for name, first, second in (("Thử An", 0, 0), ("Thử Chi", 500, 512))
    }
    layout = {"default_voice": "Thử An", "presets": presets}
    path.write_text(json.dumps(layout, ensure_ascii=False), "utf-8")
