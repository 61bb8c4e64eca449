"""Writes a VieNeu v3 Nano model whose sound is the speaker's own, in the SDK's own ONNX layout.

Its graphs have the inputs, outputs and roles of the real ones. The flow leads from any noise to one
place, which is the sum of the speaker's embedding; the codec makes of it a tone at 24 kHz, whose
pitch is that sum. Each phoneme takes 0.06 s. The voices are those that the SDK brings along.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from checkpoint.onnx_graph import save_graph
from checkpoint.v3_turbo import write_denoiser, write_speaker_encoder
from numpy.typing import NDArray
from onnx import TensorProto

SAMPLE_RATE_HZ, SAMPLES_PER_FRAME = 24_000, 1536
SECONDS_PER_SIGN = 0.06
GUIDANCE = 3.0
_N_LATENT, _N_STYLE, _STYLE, _SPEAKER = 144, 50, 256, 192
_LOWEST, _HIGHEST, _MIDDLE = 16, 300, 150
_SPREAD = 1.0
_F, _I64, _BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def speaker_pitch_hz(speaker: Sequence[float]) -> float:
    """Return the pitch of a speaker, in Hz."""
    cycles = _MIDDLE + np.round(_SPREAD * GUIDANCE * float(np.sum(np.array(speaker, np.float32))))
    return float(np.clip(cycles, _LOWEST, _HIGHEST)) * SAMPLE_RATE_HZ / SAMPLES_PER_FRAME


def pitch_of(samples: NDArray[np.float64]) -> float:
    """Hear the pitch in the middle of a sound, in Hz."""
    start = (len(samples) - SAMPLES_PER_FRAME) // 2
    spectrum = np.abs(np.fft.rfft(samples[start : start + SAMPLES_PER_FRAME]))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / SAMPLES_PER_FRAME


def write_v3_nano(folder: Path, *, left_out: str = "") -> None:
    """Write what the repository of the model holds.

    Args:
        folder: Where.
        left_out: Signs that its vocabulary shall lack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config(left_out)))
    np.savez(
        folder / "constants.npz",
        null_spk=np.zeros(_SPEAKER, np.float32),
        null_style=np.zeros((_N_STYLE, _STYLE), np.float32),
        latent_mean=np.zeros(24, np.float32),
        latent_std=np.ones(24, np.float32),
        latent_scale=np.float32(1),
    )
    _write_text(folder)
    _write_flow(folder / "vector_estimator.onnx")
    _write_codec(folder)
    write_speaker_encoder(folder / "speaker_encoder.onnx")
    write_denoiser(folder / "denoiser.onnx")


def _config(left_out: str) -> dict[str, object]:
    signs = [chr(code) for code in (*range(32, 0x370), *range(0x1D00, 0x1DC0))]
    vocabulary = {sign: 3 + i for i, sign in enumerate(signs) if sign not in left_out}
    return {"vocab": vocabulary, "bos_id": 1, "eos_id": 2, "pad_id": 0, "group": 6}


def _write_text(folder: Path) -> None:
    context, mask = ("ctx", _F, [1, "L", 1]), ("ctx_mask", _BOOL, [1, "L"])
    save_graph(
        folder / "text_encoder.onnx",
        [("Cast", "ids", "numbers", {"to": _F}), ("Unsqueeze", "numbers last", "ctx")],
        [("ids", _I64, [1, "L"]), ("style", _F, [1, _N_STYLE, _STYLE])],
        [context],
        {"last": np.array([2], np.int64)},
    )
    save_graph(
        folder / "duration_predictor.onnx",
        [
            ("Cast", "ctx_mask", "ones", {"to": _F}),
            ("ReduceSum", "ones last", "n_signs", {"keepdims": 0}),
            ("Mul", "n_signs each", "seconds"),
            ("Log", "seconds", "log_seconds"),
        ],
        [context, mask, ("spk", _F, [1, _SPEAKER])],
        [("log_seconds", _F, [1])],
        {"last": np.array([1], np.int64), "each": np.array(SECONDS_PER_SIGN, np.float32)},
    )


def _write_flow(path: Path) -> None:
    """The speed that arrives at the speaker's place when the time is up."""
    save_graph(
        path,
        [
            ("ReduceSum", "spk last", "place", {"keepdims": 1}),
            ("Unsqueeze", "place last2", "target"),
            ("Sub", "target x", "way"),
            ("Sub", "one t", "left"),
            ("Div", "way left", "v"),
        ],
        [
            ("x", _F, [1, _N_LATENT, "T"]),
            ("t", _F, [1]),
            ("ctx", _F, [1, "L", 1]),
            ("ctx_mask", _BOOL, [1, "L"]),
            ("spk", _F, [1, _SPEAKER]),
            ("style", _F, [1, _N_STYLE, _STYLE]),
        ],
        [("v", _F, [1, _N_LATENT, "T"])],
        {
            "last": np.array([1], np.int64),
            "last2": np.array([2], np.int64),
            "one": np.array(1, np.float32),
        },
    )


def _write_codec(folder: Path) -> None:
    turn = np.arange(SAMPLES_PER_FRAME) * (2 * np.pi / SAMPLES_PER_FRAME)
    save_graph(
        folder / "codec_decoder.onnx",
        [
            ("Gather", "x zero", "place", {"axis": 1}),
            ("Mul", "place spread", "wide"),
            ("Round", "wide", "steps"),
            ("Add", "steps middle", "cycles"),
            ("Clip", "cycles lowest highest", "within"),
            ("Unsqueeze", "within last", "each"),
            ("Mul", "each turn", "phase"),
            ("Sin", "phase", "sine"),
            ("Mul", "sine quarter", "frames"),
            ("Reshape", "frames flat", "wav"),
        ],
        [("x", _F, [1, _N_LATENT, "T"])],
        [("wav", _F, [1, 1, "S"])],
        {
            "zero": np.array([0], np.int64),
            "spread": np.array(_SPREAD, np.float32),
            "middle": np.array(_MIDDLE, np.float32),
            "lowest": np.array(_LOWEST, np.float32),
            "highest": np.array(_HIGHEST, np.float32),
            "last": np.array([3], np.int64),
            "turn": turn.astype(np.float32),
            "quarter": np.array(0.25, np.float32),
            "flat": np.array([1, 1, -1], np.int64),
        },
    )
    save_graph(
        folder / "codec_encoder.onnx",
        [
            ("AveragePool", "wav", "means", {"kernel_shape": [256], "strides": [256]}),
            ("Tile", "means many", "mu"),
        ],
        [("wav", _F, [1, 1, "S"])],
        [("mu", _F, [1, 24, "T"])],
        {"many": np.array([1, 24, 1], np.int64)},
    )
    save_graph(
        folder / "reference_encoder.onnx",
        [
            ("ReduceMean", "ref", "mean", {"axes": [1, 2], "keepdims": 1}),
            ("Expand", "mean shape", "style"),
        ],
        [("ref", _F, [1, _N_LATENT, "T"]), ("ref_mask", _BOOL, [1, "T"])],
        [("style", _F, [1, _N_STYLE, _STYLE])],
        {"shape": np.array([1, _N_STYLE, _STYLE], np.int64)},
    )
