"""Writes a VieNeu v3 Turbo checkpoint that speaks codes it counts, in the SDK's own ONNX layout.

Its graphs have the inputs, outputs and roles of the real ones; the weights are set by hand. Of the
16 codes of a frame two are heard: the first counts up from the last frame of the voice (a rotation
by one step in a circle of 1 024 places), the second stays (the voice). The end comes once the
frames outnumber the tokens of the text ``frames_per_token`` times. The codec makes of each frame
80 ms of a tone at 48 kHz: the first code is its pitch, the second its second harmonic. The denoiser
lets all pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

N_VQ, N_CODES, HIDDEN = 16, 1024, 8
SAMPLE_RATE_HZ, SAMPLES_PER_FRAME = 48_000, 3840
GRAPHS = "onnx_update"
"""Folder of the graphs in the model's repository."""
N_PITCHES = 64
CLONED = (7, 300)
"""The first two codes of each frame that the codec hears in any clip."""
_KIND, _BALANCE = 0, 1
_STYLE, _TEXT_START, _TEXT_END, _SPEECH_START, _SPEECH_END, _SLOT, _PAD = range(1, 8)
_N_SPECIAL = 16
_SCALE = 1e5
_LARGE_BYTES = 65  # onnx counts 33 of its own: 32 of weights; shapes must stay in the graph

Array = NDArray[np.float32]


def pitch_hz(code: int) -> float:
    """Return the pitch of a frame whose first code is this."""
    return 12.5 * (16 + code % N_PITCHES)


def pitches_of(samples: NDArray[np.float64]) -> list[float]:
    """Hear the pitch of each frame, in Hz."""
    whole = len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
    spectra = np.abs(np.fft.rfft(samples[:whole].reshape(-1, SAMPLES_PER_FRAME), axis=1))
    return [float(k) * 12.5 for k in np.argmax(spectra, axis=1)]


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


Step = tuple[Any, ...]
"""Operator, inputs, outputs, and attributes where it has some."""
Port = tuple[Any, ...]
"""Name, type and shape of an input or output."""


def save_graph(
    path: Path,
    steps: Sequence[Step],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    constants: Mapping[str, Any],
    *,
    data: str | None = None,
) -> None:
    """Write a graph (opset 17), its larger weights into the file ``data`` beside it, if named."""
    nodes = []
    for step in steps:
        op, ins, outs = step[:3]
        more: Mapping[str, Any] = step[3] if len(step) > 3 else {}
        node = helper.make_node(op, ins.split(), outs.split())
        node.attribute.extend(helper.make_attribute(key, value) for key, value in more.items())
        nodes.append(node)
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    more = {"save_as_external_data": True, "location": data, "size_threshold": _LARGE_BYTES}
    onnx.save(model, path, **(more if data is not None else {}))


_F, _I32, _I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


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
        ("hidden", _F, ["B", "T", HIDDEN]),
        ("present_k_0", _F, [1, 1]),
        ("present_v_0", _F, [1, 1]),
    ]
    embeds = ("inputs_embeds", _F, ["B", "T", HIDDEN])
    shape = {"one_by_one": np.array([1, 1], np.int64)}
    save_graph(
        folder / "vieneu_prefill.onnx",
        count + show,
        [embeds],
        outputs,
        {k: v for k, v in (constants | shape).items() if k != "spoken"},
        data="vieneu_backbone_shared.data",
    )
    cache = [("past_k_0", _F, [1, 1]), ("past_v_0", _F, [1, 1])]
    save_graph(
        folder / "vieneu_decode_step.onnx",
        spend + show,
        [embeds, ("position_ids", _I64, [1, 1]), *cache],
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
            ("token_emb", _F, ["B", "S", HIDDEN]),
            ("position_ids", _I64, ["B", "S"]),
            ("past_k_0", _F, cache),
            ("past_v_0", _F, cache),
        ],
        [
            ("hidden", _F, ["B", "S", HIDDEN]),
            ("present_k_0", _F, cache),
            ("present_v_0", _F, cache),
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
        [("input", _F, ["B", "T", 80])],
        [("output", _F, ["B", 192])],
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
        [(part, _F, shape) for part in parts],
        [(f"sep_{part}", _F, shape) for part in parts],
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


def write_moss_codec(folder: Path) -> None:
    """Write what the repository of the codec holds."""
    folder.mkdir(parents=True, exist_ok=True)
    turn = np.arange(SAMPLES_PER_FRAME) * (2 * np.pi / SAMPLES_PER_FRAME)
    constants = {
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "n_pitches": np.array(N_PITCHES, np.int32),
        "lowest": np.array(16, np.float32),
        "turn": turn.astype(np.float32),
        "tint": np.array(1 / 1024, np.float32),
        "quarter": np.array(0.25, np.float32),
        "flat": np.array([1, 1, -1], np.int64),
        "both": np.array([1, 2, 1], np.int64),
        "per_frame": np.array(SAMPLES_PER_FRAME, np.int32),
    }
    steps: list[Step] = [
        ("Gather", "audio_codes zero", "first", {"axis": 2}),
        ("Gather", "audio_codes one", "second", {"axis": 2}),
        ("Mod", "first n_pitches", "low"),
        ("Cast", "low", "lowf", {"to": _F}),
        ("Cast", "second", "secondf", {"to": _F}),
        ("Add", "lowf lowest", "cycles"),
        ("Mul", "cycles turn", "phase"),
        ("Add", "phase phase", "phase2"),
        ("Sin", "phase", "sine"),
        ("Sin", "phase2", "sine2"),
        ("Mul", "secondf tint", "harmonic"),
        ("Mul", "sine2 harmonic", "tinted"),
        ("Add", "sine tinted", "mix"),
        ("Mul", "mix quarter", "frames"),
        ("Reshape", "frames flat", "mono"),
        ("Tile", "mono both", "audio"),
        ("Mul", "audio_code_lengths per_frame", "audio_lengths"),
    ]
    codes = [("audio_codes", _I32, [1, "T", N_VQ]), ("audio_code_lengths", _I32, [1])]
    audio = [("audio", _F, [1, 2, "S"]), ("audio_lengths", _I32, [1])]
    keep, before, after, spec = _stream_state()
    shared = "moss_audio_tokenizer_decode_shared.data"
    full, step = (folder / f"moss_audio_tokenizer_decode_{kind}.onnx" for kind in ("full", "step"))
    save_graph(full, steps, codes, audio, constants, data=shared)
    save_graph(step, [*steps, *keep], [*codes, *before], [*audio, *after], constants, data=shared)
    meta = {"streaming_decode": spec}
    (folder / "codec_browser_onnx_meta.json").write_text(json.dumps(meta))
    row = np.zeros((1, 1, N_VQ), np.float32)
    row[0, 0, :2] = CLONED
    save_graph(
        folder / "moss_audio_tokenizer_encode.onnx",
        [
            (
                "AveragePool",
                "waveform",
                "pooled",
                {"kernel_shape": [SAMPLES_PER_FRAME], "strides": [SAMPLES_PER_FRAME]},
            ),
            ("ReduceMean", "pooled", "mono", {"axes": [1], "keepdims": 1}),
            ("Transpose", "mono", "frames", {"perm": [0, 2, 1]}),
            ("Mul", "frames nothing", "blank"),
            ("Add", "blank row", "codesf"),
            ("Cast", "codesf", "codes", {"to": _I64}),
            ("Identity", "input_lengths", "lengths"),
        ],
        [("waveform", _F, [1, 2, "S"]), ("input_lengths", _I32, [1])],
        [("codes", _I64, [1, "T", N_VQ]), ("lengths", _I32, [1])],
        {"nothing": np.array(0, np.float32), "row": row},
    )
    (folder / "moss_audio_tokenizer_encode.data").write_bytes(b"")


def _stream_state() -> tuple[list[Step], list[Port], list[Port], dict[str, Any]]:
    """What the decoder hands from one piece to the next: steps, inputs, outputs, description.

    Here it is only counted and handed on.
    """
    cache, positions = [1, 1, 4, 2], [1, 4]
    ports: list[Port] = [
        ("offset", _I32, [1]),
        ("layer_offset", _I32, [1]),
        ("keys", _F, cache),
        ("values", _F, cache),
        ("positions", _I32, positions),
    ]
    steps: list[Step] = [
        ("Add", f"{name} audio_code_lengths", f"{name}_out") for name in ("offset", "layer_offset")
    ]
    steps += [("Identity", name, f"{name}_out") for name in ("keys", "values", "positions")]
    layer: dict[str, Any] = {
        "cache_shape": cache,
        "positions_shape": positions,
        "offset_shape": [1],
    }
    for part, name in (
        ("offset", "layer_offset"),
        ("cached_keys", "keys"),
        ("cached_values", "values"),
        ("cached_positions", "positions"),
    ):
        layer |= {f"{part}_input_name": name, f"{part}_output_name": f"{name}_out"}
    offsets = [{"input_name": "offset", "output_name": "offset_out", "shape": [1]}]
    spec = {"transformer_offsets": offsets, "attention_caches": [layer]}
    return steps, ports, [(f"{name}_out", *rest) for name, *rest in ports], spec
