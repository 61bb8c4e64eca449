"""Writes the codec of a v3 Turbo checkpoint, with the inputs, outputs and roles of the real one.

It makes of each frame 80 ms of a tone at 48 kHz: of the frame's 16 codes the first is its pitch,
the second its second harmonic.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from checkpoint.onnx_graph import FLOAT, INT32, INT64, Port, Step, save_graph
from numpy.typing import NDArray

N_VQ = 16
SAMPLE_RATE_HZ, SAMPLES_PER_FRAME = 48_000, 3840
N_PITCHES = 64
CLONED = (7, 300)
"""The first two codes of each frame that the codec hears in any clip."""


def moss_pitch_hz(code: int) -> float:
    """Return the pitch of a frame whose first code is this."""
    return 12.5 * (16 + code % N_PITCHES)


def moss_pitches_of(samples: NDArray[np.float64]) -> list[float]:
    """Hear the pitch of each frame, in Hz."""
    whole = len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
    spectra = np.abs(np.fft.rfft(samples[:whole].reshape(-1, SAMPLES_PER_FRAME), axis=1))
    return [float(k) * 12.5 for k in np.argmax(spectra, axis=1)]


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
        ("Cast", "low", "lowf", {"to": FLOAT}),
        ("Cast", "second", "secondf", {"to": FLOAT}),
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
    codes = [("audio_codes", INT32, [1, "T", N_VQ]), ("audio_code_lengths", INT32, [1])]
    audio = [("audio", FLOAT, [1, 2, "S"]), ("audio_lengths", INT32, [1])]
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
            ("Cast", "codesf", "codes", {"to": INT64}),
            ("Identity", "input_lengths", "lengths"),
        ],
        [("waveform", FLOAT, [1, 2, "S"]), ("input_lengths", INT32, [1])],
        [("codes", INT64, [1, "T", N_VQ]), ("lengths", INT32, [1])],
        {"nothing": np.array(0, np.float32), "row": row},
    )
    (folder / "moss_audio_tokenizer_encode.data").write_bytes(b"")


def _stream_state() -> tuple[list[Step], list[Port], list[Port], dict[str, Any]]:
    """What the decoder hands from one piece to the next: steps, inputs, outputs, description.

    Here it is only counted and handed on.
    """
    cache, positions = [1, 1, 4, 2], [1, 4]
    ports: list[Port] = [
        ("offset", INT32, [1]),
        ("layer_offset", INT32, [1]),
        ("keys", FLOAT, cache),
        ("values", FLOAT, cache),
        ("positions", INT32, positions),
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
