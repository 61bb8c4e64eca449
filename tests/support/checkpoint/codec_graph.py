"""Writes a graph of the shape of NeuCodec's decoder, and hears codes again from its sound.

Codes int32 [B, 1, F] become audio float32 [B, 1, 480 * F] at 24 kHz. Each code is one frame: a sine
of `pitch_hz` (code), whose frequency is a multiple of 50 Hz, so that frames join without a click,
with a second harmonic that grows with the high byte (the voice). ``context`` makes the loudness of
a frame depend on that many frames on either side, so that a streaming decoder that forgets its
context is caught. No sample exceeds 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SAMPLE_RATE_HZ, SAMPLES_PER_CODE = 24_000, 480
N_PITCHES = 64
Samples = NDArray[np.float32]
_LOWEST = 3


def pitch_hz(code: int) -> int:
    """Return the pitch of a code's frame."""
    return 50 * (_LOWEST + code % N_PITCHES)


def pitches_of(samples: Samples) -> list[int]:
    """Hear the pitch of each frame of 480 samples from -1 to 1, in Hz; 0 where it is silent."""
    spectra = _spectra(samples)
    loudest = np.argmax(spectra, axis=1) * SAMPLE_RATE_HZ // SAMPLES_PER_CODE
    return [int(hz) if top > 1 else 0 for hz, top in zip(loudest, spectra.max(axis=1), strict=True)]


def voices_of(samples: Samples) -> list[int]:
    """Hear the high byte of each frame's code, by the strength of its second harmonic."""
    spectra = _spectra(samples)
    first = np.argmax(spectra, axis=1)
    rows = np.arange(len(spectra))
    ratios = spectra[rows, 2 * first] / np.maximum(spectra[rows, first], 1e-9)
    return [round(float(ratio) * 256) for ratio in ratios]


def pitches_after(code: int, n_codes: int) -> list[int]:
    """Return the pitches of so many codes, counted up from this one on."""
    return [pitch_hz((code + i) & 0xFF) for i in range(n_codes)]


def _spectra(samples: Samples) -> NDArray[np.float64]:
    whole = len(samples) // SAMPLES_PER_CODE * SAMPLES_PER_CODE
    frames = samples[:whole].astype(np.float64).reshape(-1, SAMPLES_PER_CODE)
    return np.abs(np.fft.rfft(frames, axis=1))


def write_codec(path: Path, *, context: int = 0) -> None:
    """Write the graph (opset 17)."""
    graph = helper.make_graph(
        [
            helper.make_node(op, ins.split(), [out], **more)
            for op, ins, out, more in _steps(context)
        ],
        "synthetic_decoder",
        [helper.make_tensor_value_info("codes", TensorProto.INT32, ["B", 1, "F"])],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["B", 1, "T"])],
        [numpy_helper.from_array(array, name) for name, array in _CONSTANTS.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


_TURN = np.arange(SAMPLES_PER_CODE) * (2 * np.pi / SAMPLES_PER_CODE)
_CONSTANTS: dict[str, NDArray[np.generic]] = {
    "n_pitches": np.array(N_PITCHES, np.int32),
    "bank": np.array(256, np.int32),
    "tint": np.array(1 / 256, np.float32),
    "lowest": np.array(_LOWEST, np.float32),
    "slope": np.array(0.1 / (N_PITCHES - 1), np.float32),
    "floor": np.array(0.15, np.float32),
    "turn": _TURN.astype(np.float32),
    "last_axis": np.array([3], np.int64),
    "flat": np.array([0, 1, -1], np.int64),
}


def _steps(context: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield operator, inputs, output and attributes of each node."""
    width = 2 * context + 1
    neighbours: dict[str, Any] = {"kernel_shape": [width], "pads": [context, context]}
    yield "Mod", "codes n_pitches", "low_int", {}
    yield "Cast", "low_int", "low", {"to": TensorProto.FLOAT}
    yield "Div", "codes bank", "high_int", {}
    yield "Cast", "high_int", "high", {"to": TensorProto.FLOAT}
    yield "AveragePool", "low", "near", neighbours
    yield "Mul", "near slope", "rise", {}
    yield "Add", "rise floor", "loudness", {}
    yield "Mul", "high tint", "harmonic", {}
    yield "Add", "low lowest", "cycles", {}
    for name in ("loudness", "harmonic", "cycles"):
        yield "Unsqueeze", f"{name} last_axis", f"{name}_4d", {}
    yield "Mul", "cycles_4d turn", "phase", {}
    yield "Add", "phase phase", "double_phase", {}
    yield "Sin", "phase", "first", {}
    yield "Sin", "double_phase", "second", {}
    yield "Mul", "second harmonic_4d", "tinted", {}
    yield "Add", "first tinted", "mix", {}
    yield "Mul", "mix loudness_4d", "frames", {}
    yield "Reshape", "frames flat", "audio", {}
